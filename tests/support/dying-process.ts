/**
 * A process that is killed at the worst moment: right before or right after the box office has done its part. Its last
 * will is in its arguments.
 */

import type { IdempotencyKey } from '#domain/idempotency.ts';
import type { ConcertDate, ReservationId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import { pay } from '#use-cases/booking/pay.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';
import { realPorts } from './real-ports.ts';

export type LastWill = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly dies: 'before' | 'after';
  readonly entry: Omit<QueueEntry, 'joinedAt'>;
  readonly request: IdempotencyKey;
} & (
  | { readonly command: 'hold'; readonly date: ConcertDate; readonly seatNumbers: readonly number[] }
  | { readonly command: 'pay'; readonly reservationId: ReservationId }
);

const will = JSON.parse(process.argv[2] ?? '') as LastWill;
const { ports } = await realPorts(will.databaseUrl, will.redisUrl);

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

function mortal<Input, Output>(work: (input: Input) => Promise<Output>) {
  return async (input: Input): Promise<Output> => {
    if (will.dies === 'after') await work(input);
    return die();
  };
}

const boxOffice: BoxOffice = {
  ...ports.boxOffice,
  hold: mortal(ports.boxOffice.hold),
  pay: mortal(ports.boxOffice.pay),
};
const { entry, request } = will;
if (will.command === 'hold') {
  const { date, seatNumbers } = will;
  await reserveSeats(
    { ...ports, boxOffice },
    { entry: { ...entry, joinedAt: new Date(0) }, date, seatNumbers, request },
  );
} else {
  await pay({ ...ports, boxOffice }, { entry: entry, reservationId: will.reservationId, request });
}
