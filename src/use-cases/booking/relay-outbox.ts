import { HOLD_KEY_MARGIN_MS, SESSION_MARGIN_MS } from '#domain/booking/reservation.ts';
import type { OutboxMessage } from '#ports/booking/box-office.ts';
import type { Ports } from '#ports/index.ts';

const BATCH_MAX = 200;
/** Bounds one run, as stopping an instance waits for it. The next run takes the rest. */
const BATCHES_MAX = 10;

type Needed = Pick<Ports, 'boxOffice' | 'queue' | 'holdKeys'>;

/**
 * Brings Redis up to date a second after each commit, whether or not the command itself did. Failed messages are retried
 * after another second. The run ends after a batch that is not full, or that failed as a whole: if a part of it succeeds,
 * only a part of Redis is unavailable.
 *
 * @returns how many messages were relayed
 * @throws the first failure, after the other messages
 */
export async function relayOutbox(ports: Needed): Promise<number> {
  let relayed = 0;
  const failures: unknown[] = [];
  for (let batches = 0; batches < BATCHES_MAX; batches++) {
    const messages = await ports.boxOffice.takeOutboxMessages(BATCH_MAX);
    const count = await relayAll(ports, messages, failures);
    relayed += count;
    if (messages.length < BATCH_MAX || count === 0) break;
  }
  if (failures.length > 0) throw failures[0];
  return relayed;
}

/** @returns how many were relayed; failures are appended to `failures` */
async function relayAll(ports: Needed, messages: readonly OutboxMessage[], failures: unknown[]): Promise<number> {
  const outcomes = await Promise.allSettled(messages.map((message) => relay(ports, message)));
  const messagesThat = (status: 'fulfilled' | 'rejected') =>
    messages.filter((_, index) => outcomes[index]?.status === status);
  const [relayed, failed] = [messagesThat('fulfilled'), messagesThat('rejected')];
  const acked = await Promise.allSettled([
    relayed.length > 0 ? ack(ports, relayed) : undefined,
    failed.length > 0 ? ports.boxOffice.retryOutboxMessages(failed.map(({ messageId }) => messageId)) : undefined,
  ]);
  failures.push(
    ...[...outcomes, ...acked].flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])),
  );
  return relayed.length;
}

/**
 * Frees the hold keys set for a message that another relay has acknowledged meanwhile: the seats may be free by now, and a lost
 * key heals by itself.
 */
async function ack({ boxOffice, holdKeys }: Needed, messages: readonly OutboxMessage[]): Promise<void> {
  const acked = new Set(await boxOffice.ackOutboxMessages(messages));
  const overtaken = messages.filter(({ messageId, status }) => status === 'HELD' && !acked.has(messageId));
  await Promise.all(overtaken.map(({ hold }) => holdKeys.release(hold)));
}

async function relay(
  { queue, holdKeys }: Needed,
  { hold, entry, status, paid, remainingMs }: OutboxMessage,
): Promise<void> {
  if (status === 'HELD' && remainingMs > 0) {
    await holdKeys.keep(hold, remainingMs + HOLD_KEY_MARGIN_MS);
    if (entry !== undefined) await queue.extend(entry, remainingMs + SESSION_MARGIN_MS);
    return;
  }
  await holdKeys.release(hold);
  if (paid && entry !== undefined) await queue.leave(entry);
}
