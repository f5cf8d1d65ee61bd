import type { Aftermath } from '#ports/box-office.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 200;
/** Bounds one run, which whoever stops an instance waits for. Whatever is left over comes with the next. */
const BATCHES_MAX = 10;

type Needed = Pick<Ports, 'boxOffice' | 'waitingRoom' | 'seatHolds'>;

/**
 * Tells Redis what has become of reservations, in case whoever did it was not able to. What failed comes again, soon: Redis may
 * be back, and people wait for the seats and for their turn.
 *
 * @returns how many were settled
 * @throws the first failure of a batch, after the others in it were settled
 */
export async function relayAftermaths(ports: Needed): Promise<number> {
  let settled = 0;
  for (let batches = 0; batches < BATCHES_MAX; batches++) {
    const aftermaths = await ports.boxOffice.takeAftermaths(BATCH_MAX);
    await relayAll(ports, aftermaths);
    settled += aftermaths.length;
    if (aftermaths.length < BATCH_MAX) break;
  }
  return settled;
}

async function relayAll(ports: Needed, aftermaths: readonly Aftermath[]): Promise<void> {
  const outcomes = await Promise.allSettled(aftermaths.map((aftermath) => relay(ports, aftermath)));
  const idsOf = (status: 'fulfilled' | 'rejected') =>
    aftermaths.filter((_, index) => outcomes[index]?.status === status).map(({ eventId }) => eventId);
  const [settled, failed] = [idsOf('fulfilled'), idsOf('rejected')];
  if (settled.length > 0) await ports.boxOffice.settleAftermaths(settled);
  if (failed.length === 0) return;
  await ports.boxOffice.deferAftermaths(failed);
  throw outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
}

async function relay(
  { waitingRoom, seatHolds }: Needed,
  { hold, place, status, paid, remainingMs }: Aftermath,
): Promise<void> {
  if (status === 'HELD' && remainingMs > 0) {
    await seatHolds.keep(hold, remainingMs);
    if (place !== undefined) await waitingRoom.extend(place, remainingMs);
    return;
  }
  await seatHolds.release(hold);
  if (paid && place !== undefined) await waitingRoom.leave(place);
}
