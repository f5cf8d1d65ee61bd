import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { guarded } from '#adapters/postgres/client/failures.ts';
import { inTransaction } from '#adapters/postgres/client/in-transaction.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { type Ask, answerIn, replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { Refusal } from '#domain/errors.ts';
import type { Attempt, Delivery } from '#domain/events/webhook.ts';
import { endpointId } from '#domain/ids.ts';
import type { Deliveries } from '#ports/events/deliveries.ts';
import { dueDeliveries } from './due-deliveries.ts';
import { type DeliveryRow, webhookStatements } from './webhook-statements.ts';

export function postgresDeliveries({ pool, prisma }: Postgres): Deliveries {
  async function read(ask: Ask, id: string, deliveryId: string): Promise<Delivery | undefined> {
    const [row] = await ask(webhookStatements.findDelivery, id, deliveryId);
    return row && toDelivery(row);
  }

  return {
    ...dueDeliveries(pool),

    test: (id) =>
      inTransaction(pool, async (ask) => {
        const deliveryId = answerIn(await ask(functions.sendTest, id));
        return deliveryId === null ? undefined : read(ask, id, deliveryId);
      }),

    async replay(id, deliveryId) {
      const delivery = await inTransaction(pool, async (ask) => {
        answerIn(await ask(functions.replayDelivery, id, deliveryId));
        return read(ask, id, deliveryId);
      });
      // Its endpoint may have been removed since.
      if (delivery === undefined) throw new Refusal('delivery-not-found');
      return delivery;
    },

    async replayFailed(id, since, batchMax) {
      return replyOf(pool, functions.replayFailed, id, since, batchMax);
    },

    async find(id, deliveryId) {
      const [row] = await rowsOf(pool, webhookStatements.findDelivery, id, deliveryId);
      if (row === undefined) return undefined;
      const log = await guarded(async () =>
        (await prisma()).webhookAttempt.findMany({
          where: { deliveryId: BigInt(deliveryId) },
          orderBy: { attempt: 'asc' },
        }),
      );
      return { delivery: toDelivery(row), attemptLog: log.map(toAttempt) };
    },

    async list(id, { limit, after }, state) {
      const rows =
        state === undefined
          ? await rowsOf(pool, webhookStatements.listDeliveries, id, after, limit + 1)
          : await rowsOf(pool, webhookStatements.listDeliveriesIn, id, after, limit + 1, state);
      return pageOf(rows.map(toDelivery), limit, ({ deliveryId }) => deliveryId);
    },
  };
}

type AttemptRow = {
  readonly attempt: number;
  readonly endedAt: Date;
  readonly durationMs: number;
  readonly status: number | null;
  readonly failure: string | null;
};

function toAttempt({ attempt, endedAt, durationMs, status, failure }: AttemptRow): Attempt {
  return {
    ...{ attempt, endedAt, durationMs },
    ...(status === null ? {} : { status }),
    ...(failure === null ? {} : { failure }),
  };
}

function toDelivery(row: DeliveryRow): Delivery {
  const { deliveryId, eventId, type, happenedAt, state, attempts, createdAt, dueAt, endedAt } = row;
  const { attempt, attemptEndedAt, durationMs, status, failure } = row;
  return {
    ...{ deliveryId, eventId, type, happenedAt, state, attempts, createdAt },
    endpointId: endpointId(row.endpointId),
    ...(dueAt === null ? {} : { nextAttemptAt: dueAt }),
    ...(endedAt === null ? {} : { endedAt }),
    ...(attempt === null || attemptEndedAt === null || durationMs === null
      ? {}
      : { lastAttempt: toAttempt({ attempt, endedAt: attemptEndedAt, durationMs, status, failure }) }),
  };
}
