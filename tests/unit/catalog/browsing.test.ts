import { describe, expect, it } from 'vitest';
import { concertDate, concertId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { HOUR_MS, WEEK_MS } from '#tests/contracts/stage-concert.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { listDates } from '#use-cases/catalog/list-dates.ts';
import { listSeats } from '#use-cases/catalog/list-seats.ts';

const UNKNOWN = concertId('01939c5e-0000-7000-8000-00000000dead');

describe('listing dates', () => {
  const dates = [
    { startsInMs: WEEK_MS, prices: [100], blocked: [1] },
    { startsInMs: 2 * WEEK_MS, prices: [100, 100], blocked: [2] },
    { startsInMs: -HOUR_MS, prices: [100] },
  ];

  it('lists future dates with a free seat', async () => {
    const { ports, stage } = memoryWorld();
    const concert = stage({ dates });
    const listed = await listDates(ports, { concertId: concert.concertId, all: false });
    expect(listed).toEqual([
      { date: concert.dates[1]?.date, startsAt: concert.dates[1]?.startsAt, seatsTotal: 2, seatsAvailable: 1 },
    ]);
  });

  it('lists the other future dates, too, when asked for all', async () => {
    const { ports, stage } = memoryWorld();
    const { concertId } = stage({ dates });
    const listed = await listDates(ports, { concertId, all: true });
    expect(listed.map(({ seatsAvailable }) => seatsAvailable)).toEqual([0, 1]);
  });

  it('is refused for an unknown concert', async () => {
    const { ports } = memoryWorld();
    await expectRefusal(listDates(ports, { concertId: UNKNOWN, all: true }), 'concert-not-found');
  });
});

describe('listing seats', () => {
  it('lists all seats with their state, or only those that are free', async () => {
    const { ports, stage } = memoryWorld();
    const concert = stage({ dates: [{ startsInMs: WEEK_MS, prices: [100, 200, 300], blocked: [2] }] });
    const { concertId } = concert;
    const date = concert.dates[0]?.date ?? concertDate('');
    const all = await listSeats(ports, { concertId, date, available: false });
    expect(all.concert.concertId).toBe(concertId);
    expect(all.seats.map(({ status }) => status)).toEqual(['AVAILABLE', 'BLOCKED', 'AVAILABLE']);
    const free = await listSeats(ports, { concertId, date, available: true });
    expect(free.seats.map(({ seatNumber }) => seatNumber)).toEqual([1, 3]);
  });

  it('is refused for an unknown concert or date', async () => {
    const { ports, stage } = memoryWorld();
    const { concertId } = stage();
    const date = concertDate('2001-01-01');
    await expectRefusal(listSeats(ports, { concertId: UNKNOWN, date, available: false }), 'concert-not-found');
    await expectRefusal(listSeats(ports, { concertId, date, available: false }), 'date-not-found');
  });
});
