import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Asked, openDoors } from '#tests/load/rush/doors.ts';

// Buyers: a process of its own, told over IPC who comes and where to, one job at a time. Ends with whoever started it.

export type Visits = {
  readonly urls: readonly string[];
  readonly concertId: string;
  readonly seconds: number;
  /** How many are there at a time: who is done makes room for the next. */
  readonly atOnce: number;
  /** Each buys a seat of their own. */
  readonly buyers: readonly { readonly accessToken: string; readonly date: string; readonly seatNumber: number }[];
};

export type VisitsResult = {
  /** Whoever has paid within the time. */
  readonly bookings: number;
  readonly perSecond: number;
  /** From asking to join until the payment was answered. */
  readonly bookingMs: readonly number[];
  /** Answers that should have been others, by what was asked and status. */
  readonly unexpected: Readonly<Record<string, number>>;
};

const POLL_EVERY_MS = 25;
const POLLS_MAX = 400;

process.on('message', async (visits: Visits) => process.send?.(await buy(visits)));
process.on('disconnect', () => process.exit());

async function buy({ urls, concertId, seconds, atOnce, buyers }: Visits): Promise<VisitsResult> {
  const doors = openDoors(urls);
  const bookingMs: number[] = [];
  const unexpected: Record<string, number> = {};
  const ends = performance.now() + seconds * 1_000;
  let next = 0;

  async function expect(status: number, asked: Asked): Promise<Answer> {
    const answer = await doors.ask(asked);
    if (answer.status === status) return answer;
    const what = `${asked.method} ${asked.path.split('/').at(-1)} ${answer.status} ${answer.body.code ?? ''}`;
    unexpected[what] = (unexpected[what] ?? 0) + 1;
    throw new Error(what);
  }

  async function book({ accessToken, date, seatNumber }: Visits['buyers'][number]): Promise<void> {
    const start = performance.now();
    const authorization = `Bearer ${accessToken}`;
    const joined = await expect(201, {
      method: 'POST',
      path: `/v1/concerts/${concertId}/queue`,
      headers: { authorization },
    });
    const inLine = { 'queue-token': joined.body.token ?? '' };
    let { status } = joined.body;
    for (let polls = 0; status !== 'ACTIVE' && polls < POLLS_MAX; polls++) {
      if (polls > 0) await pause(POLL_EVERY_MS);
      status = (await expect(200, { method: 'GET', path: '/v1/queue', headers: inLine })).body.status;
    }
    await expect(200, { method: 'GET', path: `/v1/concerts/${concertId}/dates/${date}/seats`, headers: inLine });
    const command = (path: string, body: unknown): Promise<Answer> =>
      expect(201, { method: 'POST', path, headers: { ...inLine, 'idempotency-key': randomUUID() }, body });
    const held = await command('/v1/reservations', { date, seatNumbers: [seatNumber] });
    await command('/v1/payments', { reservationId: held.body.reservationId });
    const now = performance.now();
    if (now <= ends) bookingMs.push(now - start);
  }

  async function visitor(): Promise<void> {
    while (performance.now() < ends) {
      const buyer = buyers[next++];
      if (buyer === undefined) throw new Error('there are not enough buyers');
      // What went wrong is counted; who comes next is not kept out by it.
      await book(buyer).catch(() => {});
    }
  }
  await Promise.all(Array.from({ length: atOnce }, visitor));
  return { bookings: bookingMs.length, perSecond: bookingMs.length / seconds, bookingMs, unexpected };
}
