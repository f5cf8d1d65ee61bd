import { describe, expect, it } from 'vitest';
import { matches, revisionOf } from '#adapters/http/catalog/etag.ts';

const seats = [{ seatNumber: 1, price: 100, status: 'AVAILABLE' }];

describe('a revision', () => {
  it('is the same for the same content, and another for another', () => {
    expect(revisionOf(structuredClone(seats))).toBe(revisionOf(seats));
    const changed = [{ ...seats[0], status: 'HELD' }];
    expect(new Set([seats, changed, [], [...seats, ...changed]].map(revisionOf)).size).toBe(4);
  });

  it('can be quoted as a strong ETag', () => {
    expect(revisionOf(seats)).toMatch(/^[\w-]{22}$/);
  });
});

describe('If-None-Match', () => {
  const etag = '"abc"';

  it.each(['"abc"', '*', 'W/"abc"', '"xyz", "abc"', '"xyz","abc" , "uvw"', ' "abc" ', 'W/"xyz", W/"abc"'])(
    'names the revision: %s',
    (header) => {
      expect(matches(header, etag)).toBe(true);
    },
  );

  it.each([undefined, '', 'abc', '"ab"', '"abcd"', '"*"', '"xyz"', '"ABC"', 'W/', 'w/"abc"'])(
    'does not name it: %s',
    (header) => {
      expect(matches(header, etag)).toBe(false);
    },
  );
});
