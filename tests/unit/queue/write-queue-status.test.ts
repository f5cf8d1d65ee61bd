import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joined, queueStatus as shape } from '#adapters/http/queue/queue-schemas.ts';
import { writeJoined, writeQueueStatus } from '#adapters/http/queue/write-queue-status.ts';
import { concertId, userId } from '#domain/ids.ts';
import { type EntryState, type QueueEntry, queueStatusOf, type SaleState } from '#domain/queue/queue.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';

const times = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
const entries: fc.Arbitrary<QueueEntry> = fc.record({
  userId: fc.uuid().map(userId),
  concertId: fc.uuid().map(concertId),
  sequence: fc.integer({ min: 1 }),
  epoch: fc.constant('AAECAwQF'),
  joinedAt: times,
});
const places: fc.Arbitrary<EntryState> = fc.oneof(
  fc.record({
    status: fc.constant('WAITING' as const),
    position: fc.option(fc.integer({ min: 1, max: 10_000_000 }), { nil: undefined }),
    turnover: fc.double({ min: 0, max: 1_000, noNaN: true }),
    presentShare: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ status: fc.constant('ACTIVE' as const), expiresAt: times }),
  fc.record({ status: fc.constant('EXPIRED' as const) }),
);
const surroundings: fc.Arbitrary<SaleState> = fc.record({
  concert: fc.record({
    policy: fc.boolean().map((paused) => ({ ...POLICY, paused })),
    sales: fc.constantFrom('UPCOMING', 'OPEN', 'CLOSED'),
    opened: fc.boolean(),
    opensInSeconds: fc.double({ min: 0, max: 1_000, noNaN: true }),
    opensAt: times,
  }),
  seatsLeft: fc.record({ available: fc.nat(3), held: fc.nat(3) }),
});
const queueStatuses = fc
  .record({ entry: entries, state: places, surroundings, random: fc.double({ min: 0, max: 0.99, noNaN: true }) })
  .map(({ entry, state, surroundings, random }) => queueStatusOf(entry, state, surroundings, random));
const token = 'test.payload.signature';

/** What the schema makes of a text, which must hold all that it knows and nothing else. */
const serialized = (schema: typeof shape | typeof joined, text: string) => schema.strict().parse(JSON.parse(text));

describe('a queue status as it is answered', () => {
  it('has all fields that the schema has, for any queue status', () => {
    fc.assert(
      fc.property(queueStatuses, (queueStatus) => {
        const { entry, expiresAt, opensAt, ...rest } = queueStatus;
        const expected = {
          concertId: entry.concertId,
          userId: entry.userId,
          sequence: entry.sequence,
          joinedAt: entry.joinedAt.toISOString(),
          ...rest,
          ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
          ...(opensAt === undefined ? {} : { opensAt: opensAt.toISOString() }),
        };
        const text = writeQueueStatus(queueStatus);
        expect(JSON.parse(text)).toEqual(expected);
        expect(serialized(shape, text)).toEqual(expected);
        const withToken = writeJoined(queueStatus, token);
        expect(JSON.parse(withToken)).toEqual({ ...expected, token });
        expect(serialized(joined, withToken)).toEqual({ ...expected, token });
      }),
    );
  });

  it('is that of the moment, however often the same entry polls', () => {
    fc.assert(
      fc.property(entries, surroundings, fc.array(places, { minLength: 2, maxLength: 5 }), (entry, around, each) => {
        for (const state of each) {
          const { status } = serialized(shape, writeQueueStatus(queueStatusOf(entry, state, around, 0.5)));
          const isOver = state.status === 'WAITING' && around.concert.sales === 'CLOSED';
          expect(status).toBe(isOver ? 'EXPIRED' : state.status);
        }
      }),
    );
  });
});
