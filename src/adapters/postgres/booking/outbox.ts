import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { BoxOffice, OutboxMessage } from '#ports/booking/box-office.ts';
import { type OutboxMessageRow, toHold } from './booking-rows.ts';
import { bookingStatements } from './booking-statements.ts';

/**
 * Limits the lease of outbox messages: longer than a relay usually takes. A repetition is harmless; a relay that died
 * delays its messages by this.
 */
const LEASE_SECONDS = 5;
/** Delays a retry by the time that a command has to update Redis itself. */
const RETRY_SECONDS = 1;

type Outbox = Pick<BoxOffice, 'takeOutboxMessages' | 'ackOutboxMessages' | 'retryOutboxMessages'>;

export function outbox({ pool }: Postgres): Outbox {
  return {
    async takeOutboxMessages(batchMax) {
      const rows = await rowsOf(pool, functions.takeOutboxMessages, batchMax, LEASE_SECONDS);
      return rows.map(toOutboxMessage);
    },

    async ackOutboxMessages(messages) {
      const [ids, versions] = [messages.map(({ messageId }) => messageId), messages.map(({ version }) => version)];
      const acked = await rowsOf(pool, bookingStatements.ackOutboxMessages, ids, versions);
      return acked.map(({ messageId }) => messageId);
    },

    async retryOutboxMessages(messageIds) {
      await rowsOf(pool, bookingStatements.retryOutboxMessagesLater, messageIds, RETRY_SECONDS);
    },
  };
}

function toOutboxMessage(row: OutboxMessageRow): OutboxMessage {
  const { messageId, version, status, paid, sequence, epoch } = row;
  const hold = toHold(row);
  const message = { messageId, version, hold, status, paid, remainingMs: Number(row.remainingMs) };
  if (sequence === null || epoch === null) return message;
  const { userId, concertId } = hold;
  return { ...message, entry: { userId, concertId, sequence: Number(sequence), epoch } };
}
