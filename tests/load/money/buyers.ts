import { bookOnce } from '#tests/support/client/book-once.ts';
import { apiClient, type Credentials } from '#tests/support/client/client.ts';
import { pooledTransport } from '#tests/support/client/pooled-transport.ts';

// Buyers: a process of its own, given one job at a time over IPC. Ends with its parent.

export type Visits = {
  readonly urls: readonly string[];
  readonly concertId: string;
  readonly seconds: number;
  /** How many book at a time. */
  readonly atOnce: number;
  /** Each buys a seat of its own. */
  readonly buyers: readonly (Credentials & { readonly date: string; readonly seatNumber: number })[];
};

export type VisitsResult = {
  /** Paid within the time. */
  readonly bookings: number;
  readonly perSecond: number;
  /** From asking to join until the payment was answered. */
  readonly bookingMs: readonly number[];
  /** Unexpected answers, by step, status and code: `reserve: 409 seat-taken`. */
  readonly unexpected: Readonly<Record<string, number>>;
};

process.on('message', async (visits: Visits) => process.send?.(await buy(visits)));
process.on('disconnect', () => process.exit());

async function buy({ urls, concertId, seconds, atOnce, buyers }: Visits): Promise<VisitsResult> {
  const { send } = pooledTransport(urls);
  const bookingMs: number[] = [];
  const unexpected: Record<string, number> = {};
  const ends = performance.now() + seconds * 1_000;
  let next = 0;

  async function keepBooking(): Promise<void> {
    while (performance.now() < ends) {
      const buyer = buyers[next++];
      if (buyer === undefined) throw new Error('there are not enough buyers');
      const start = performance.now();
      // An error is counted, and does not keep the next buyer out.
      const failure = await bookOnce(apiClient(send, buyer, buyer.date), concertId, buyer).catch(
        (error: Error) => error,
      );
      const now = performance.now();
      if (failure !== undefined) unexpected[failure.message] = (unexpected[failure.message] ?? 0) + 1;
      else if (now <= ends) bookingMs.push(now - start);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, keepBooking));
  return { bookings: bookingMs.length, perSecond: bookingMs.length / seconds, bookingMs, unexpected };
}
