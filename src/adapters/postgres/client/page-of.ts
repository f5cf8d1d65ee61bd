import type { Page } from '#domain/page.ts';

/** A page out of one row more than it has room for, which tells whether there is another. */
export function pageOf<T>(rows: readonly T[], limit: number, idOf: (item: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, next: idOf(last) } : { items };
}
