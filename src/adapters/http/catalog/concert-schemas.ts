import { z } from 'zod';
import {
  count,
  currency,
  date,
  example,
  id,
  instant,
  money,
  name,
  named,
  seatNumber,
  story,
} from '#adapters/http/openapi/schema-parts.ts';
import { pageOf } from '#adapters/http/paging.ts';
import { lottery } from '#adapters/http/queue/queue-schemas.ts';
import { openings } from '#domain/catalog/policy.ts';

// The shapes of concerts, their dates and their seats.

export const concertParams = z.object({ concertId: id(story.concert) });
export const dateParams = z.object({ concertId: id(story.concert), date });

const flag = (description: string) =>
  z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe(description);

export const datesQuery = z.object({ all: flag('Include dates without a free seat') });
export const seatsQuery = z.object({ available: flag('Only free seats') });

export const ifNoneMatch = z.object({
  'if-none-match': example(
    z.string().describe('ETags that the client already has, or *').optional(),
    '"o2Yx0yq1m3nD4eR5sT6uVw"',
  ),
});

export const demo = {
  concertId: story.concert,
  title: 'The Frontrow Demo',
  venue: 'Small Hall',
  currency: 'KRW',
  salesOpenAt: story.salesOpenAt,
  sales: 'OPEN' as const,
  opensAt: story.opensAt,
  opened: true,
  opening: 'fifo' as const,
  holdSeconds: 300,
  holdSecondsMax: 600,
  refundUntilSeconds: 86_400,
  seatsPerUserMax: 4,
};

export const concert = named(
  'Concert',
  z.object({
    concertId: id(demo.concertId),
    title: example(z.string(), demo.title),
    venue: example(z.string(), demo.venue),
    currency,
    salesOpenAt: instant(demo.salesOpenAt),
    sales: z
      .enum(['UPCOMING', 'OPEN', 'CLOSED'])
      .describe('UPCOMING before salesOpenAt, CLOSED once the last date has begun'),
    opensAt: instant(demo.opensAt).describe('When admission starts; entries of before wait'),
    opened: z.boolean().describe('Whether admission has started'),
    opening: z
      .enum(openings)
      .describe('The order of those who joined before opensAt: by joining (fifo), or by lot (lottery)'),
    lottery: lottery.optional().describe('Present if lots are drawn'),
    holdSeconds: count(demo.holdSeconds, 'Time to pay a held seat'),
    holdSecondsMax: count(
      demo.holdSecondsMax,
      'The longest a hold can be extended to; at or below holdSeconds it cannot be extended',
    ),
    refundUntilSeconds: example(
      z.int().min(-1).describe('Refunds close this long before the date starts; -1: no refunds'),
      demo.refundUntilSeconds,
    ),
    seatsPerUserMax: count(demo.seatsPerUserMax, 'Seats of one date that a user may hold and own'),
  }),
  demo,
);

export const concertPage = pageOf('ConcertPage', concert, demo);

export const dates = named(
  'Dates',
  z.object({
    items: z.array(
      z.object({
        date,
        startsAt: instant(story.startsAt),
        seatsTotal: count(50, 'Seats of the hall'),
        seatsAvailable: count(12, 'Seats that are free now'),
      }),
    ),
  }),
  {
    items: [
      { date: story.date, startsAt: story.startsAt, seatsTotal: 50, seatsAvailable: 12 },
      { date: '2027-05-02', startsAt: '2027-05-02T10:00:00.000Z', seatsTotal: 50, seatsAvailable: 50 },
    ],
  },
);

const seat = { price: 50_000, currency: 'KRW' };

export const seats = named(
  'Seats',
  z.object({
    concertId: id(story.concert),
    date,
    revision: example(
      z.string().describe('Changes whenever anything in the list does; also the ETag'),
      'o2Yx0yq1m3nD4eR5sT6uVw',
    ),
    items: z.array(
      z.object({
        seatNumber,
        price: money(50_000),
        currency,
        status: z.enum(['AVAILABLE', 'HELD', 'SOLD', 'BLOCKED']),
        section: example(name.optional().describe('By the seat plan, as are row, place and grade'), 'Stalls'),
        row: example(name.optional(), 'A'),
        place: example(z.int().min(1).optional().describe('Position in the row, from the left; an aisle takes one'), 7),
        grade: example(name.optional().describe('The price grade'), 'R'),
      }),
    ),
  }),
  {
    concertId: story.concert,
    date: story.date,
    revision: 'o2Yx0yq1m3nD4eR5sT6uVw',
    items: [
      { seatNumber: 1, ...seat, status: 'SOLD' },
      { seatNumber: 2, ...seat, status: 'HELD' },
      { seatNumber: 3, ...seat, status: 'BLOCKED' },
      { seatNumber: 7, ...seat, status: 'AVAILABLE' },
      { seatNumber: 8, ...seat, status: 'AVAILABLE', section: 'Stalls', row: 'A', place: 8, grade: 'R' },
    ],
  },
);
