import type { Aftermath } from '#ports/booking/box-office.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 200;
/** Bounds one run, which whoever stops an instance waits for. Whatever is left over comes with the next. */
const BATCHES_MAX = 10;

type Needed = Pick<Ports, 'boxOffice' | 'waitingRoom' | 'holdKeys'>;

/**
 * Tells Redis what has become of reservations, in case whoever did it was not able to. What failed comes again, soon: Redis may
 * be back, and people wait for the seats and for their turn. Where some could be told, those behind them may be as well: a part of
 * Redis may be away, or one line. Where none could, all the others would fail too.
 *
 * @returns how many were settled
 * @throws the first failure, after the others were settled
 */
export async function relayAftermaths(ports: Needed): Promise<number> {
  let settled = 0;
  const failures: unknown[] = [];
  for (let batches = 0; batches < BATCHES_MAX; batches++) {
    const aftermaths = await ports.boxOffice.takeAftermaths(BATCH_MAX);
    const told = await relayAll(ports, aftermaths, failures);
    settled += told;
    if (aftermaths.length < BATCH_MAX || told === 0) break;
  }
  if (failures.length > 0) throw failures[0];
  return settled;
}

/** @returns how many were told; why others were not is added to the failures. */
async function relayAll(ports: Needed, aftermaths: readonly Aftermath[], failures: unknown[]): Promise<number> {
  const outcomes = await Promise.allSettled(aftermaths.map((aftermath) => relay(ports, aftermath)));
  const idsOf = (status: 'fulfilled' | 'rejected') =>
    aftermaths.filter((_, index) => outcomes[index]?.status === status).map(({ eventId }) => eventId);
  const [settled, failed] = [idsOf('fulfilled'), idsOf('rejected')];
  const kept = await Promise.allSettled([
    settled.length > 0 ? ports.boxOffice.settleAftermaths(settled) : undefined,
    failed.length > 0 ? ports.boxOffice.deferAftermaths(failed) : undefined,
  ]);
  failures.push(
    ...[...outcomes, ...kept].flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])),
  );
  return settled.length;
}

async function relay(
  { waitingRoom, holdKeys }: Needed,
  { hold, place, status, paid, remainingMs }: Aftermath,
): Promise<void> {
  if (status === 'HELD' && remainingMs > 0) {
    await holdKeys.keep(hold, remainingMs);
    if (place !== undefined) await waitingRoom.extend(place, remainingMs);
    return;
  }
  await holdKeys.release(hold);
  if (paid && place !== undefined) await waitingRoom.leave(place);
}
