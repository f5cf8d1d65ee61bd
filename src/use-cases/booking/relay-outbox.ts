import type { OutboxMessage } from '#ports/booking/box-office.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 200;
/** Bounds one run, which whoever stops an instance waits for. Whatever is left over comes with the next. */
const BATCHES_MAX = 10;

type Needed = Pick<Ports, 'boxOffice' | 'queue' | 'holdKeys'>;

/**
 * Tells Redis what has become of reservations, in case whoever did it was not able to. What failed comes again, soon: Redis may
 * be back, and people wait for the seats and for their turn. Where some could be told, those behind them may be as well: a part of
 * Redis may be away, or one line. Where none could, all the others would fail too.
 *
 * @returns how many were settled
 * @throws the first failure, after the others were settled
 */
export async function relayOutbox(ports: Needed): Promise<number> {
  let settled = 0;
  const failures: unknown[] = [];
  for (let batches = 0; batches < BATCHES_MAX; batches++) {
    const messages = await ports.boxOffice.takeOutboxMessages(BATCH_MAX);
    const told = await relayAll(ports, messages, failures);
    settled += told;
    if (messages.length < BATCH_MAX || told === 0) break;
  }
  if (failures.length > 0) throw failures[0];
  return settled;
}

/** @returns how many were told; why others were not is added to the failures. */
async function relayAll(ports: Needed, messages: readonly OutboxMessage[], failures: unknown[]): Promise<number> {
  const outcomes = await Promise.allSettled(messages.map((message) => relay(ports, message)));
  const idsOf = (status: 'fulfilled' | 'rejected') =>
    messages.filter((_, index) => outcomes[index]?.status === status).map(({ eventId }) => eventId);
  const [settled, failed] = [idsOf('fulfilled'), idsOf('rejected')];
  const kept = await Promise.allSettled([
    settled.length > 0 ? ports.boxOffice.ackOutboxMessages(settled) : undefined,
    failed.length > 0 ? ports.boxOffice.retryOutboxMessages(failed) : undefined,
  ]);
  failures.push(
    ...[...outcomes, ...kept].flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])),
  );
  return settled.length;
}

async function relay(
  { queue, holdKeys }: Needed,
  { hold, entry, status, paid, remainingMs }: OutboxMessage,
): Promise<void> {
  if (status === 'HELD' && remainingMs > 0) {
    await holdKeys.keep(hold, remainingMs);
    if (entry !== undefined) await queue.extend(entry, remainingMs);
    return;
  }
  await holdKeys.release(hold);
  if (paid && entry !== undefined) await queue.leave(entry);
}
