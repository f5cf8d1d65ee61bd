import type { Page } from '#domain/page.ts';

/** Makes a page from one row more than fits, which tells whether another page follows. */
export function pageOf<T>(rows: readonly T[], limit: number, idOf: (item: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, next: idOf(last) } : { items };
}
