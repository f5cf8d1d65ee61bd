import { expect, it } from 'vitest';
import { preferred } from '#adapters/http/preferred.ts';

it.each([
  [undefined, 'lines'],
  ['*/*', 'lines'],
  ['text/csv', 'csv'],
  ['Text/CSV; header=present', 'csv'],
  ['text/csv;q=0', 'lines'],
  ['text/csv;q=0, application/x-ndjson', 'lines'],
  ['text/csv;q=0.4, application/x-ndjson;q=0.5', 'lines'],
  ['application/x-ndjson;q=0.4, text/csv; Q=0.5', 'csv'],
  ['application/x-ndjson, text/csv', 'lines'],
  ['text/csv, application/x-ndjson', 'csv'],
  ['text/csvx, not text/csv', 'lines'],
  ['text/csv;q=often', 'lines'],
])('of %s is %s', (accept, format) => {
  const media = { lines: 'application/x-ndjson', csv: 'text/csv' }[format];
  expect(preferred(accept, ['application/x-ndjson', 'text/csv'])).toBe(media);
});
