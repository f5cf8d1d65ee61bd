import { z } from 'zod';
import {
  count,
  currency,
  date,
  example,
  id,
  instant,
  money,
  named,
  SEAT_NUMBER_MAX,
  story,
} from '#adapters/http/openapi/schema-parts.ts';
import { pageOf } from '#adapters/http/paging.ts';
import { type RecordRow, recordColumns, recordKinds, seatChanges } from '#domain/records/records.ts';
import { csvLine } from './csv.ts';
import { exportFormats } from './exports.ts';

// The shapes of seat histories and exports.

const seatNumber = (schema: z.ZodType<number>) => example(schema, 7);

export const recordParams = {
  seat: z.object({
    concertId: id(story.concert),
    date,
    seatNumber: seatNumber(z.coerce.number().int().min(1).max(SEAT_NUMBER_MAX)),
  }),
  export: z.object({ kind: z.enum(recordKinds).describe('What to export') }),
};

export const exportQuery = z.object({
  format: z.enum(exportFormats).optional().describe('Instead of Accept: text/csv or application/x-ndjson'),
  concertId: id(story.concert).optional().describe('Only this concert; not for ledger entries'),
  from: instant(story.heldAt).optional().describe('Recorded at this time or later'),
  until: instant(story.paidAt).optional().describe('Recorded before this time; default now'),
});

const sold = {
  changeId: '812',
  change: 'sold' as const,
  fence: 1,
  userId: story.user,
  reservationId: story.reservation,
  paymentId: story.payment,
  price: 50_000,
  currency: 'KRW',
  changedAt: story.paidAt,
};
const { userId: _, reservationId: __, paymentId: ___, ...made } = sold;
const seatChange = named(
  'SeatChange',
  z.object({
    changeId: example(z.string().describe('Of one seat, larger is later'), sold.changeId),
    change: z.enum(seatChanges),
    fence: count(sold.fence, 'How often the seat had been taken'),
    userId: id(sold.userId).optional().describe('The previous or the new holder'),
    reservationId: id(sold.reservationId).optional(),
    paymentId: id(sold.paymentId).optional().describe('Of a sale or a refund'),
    price: money(sold.price, 'The price of the seat at that time'),
    currency,
    changedAt: instant(sold.changedAt),
  }),
  sold,
);
export const seatHistoryPage = pageOf('SeatHistoryPage', seatChange, sold, {
  ...{ ...made, changeId: '31', change: 'created', fence: 0, changedAt: story.salesOpenAt },
});

const row: RecordRow = {
  ...{ reservationId: story.reservation, userId: story.user, concertId: story.concert, date: story.date },
  ...{ seatNumbers: [7, 8], status: 'CONFIRMED', amount: 100_000, currency: 'KRW', heldUntil: story.heldUntil },
  ...{ heldForSeconds: 300, createdAt: story.heldAt, endedAt: story.paidAt, sequence: 1001 },
};
export const exportedCsv = named(
  'ExportedCsv',
  z.string().describe('RFC 4180, the first line names the columns; docs/reference/exports.md has them'),
  csvLine(recordColumns.reservations) + csvLine(recordColumns.reservations.map((name) => row[name] ?? null)),
);
export const exportedLines = named(
  'ExportedLines',
  z.string().describe('A JSON object per line; docs/reference/exports.md has the columns'),
  `${JSON.stringify(row)}\n`,
);
