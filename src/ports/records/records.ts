import type { Page, PageRequest } from '#domain/page.ts';
import type { RecordRow, RecordsWanted, SeatChange, SeatId } from '#domain/records/records.ts';

/**
 * Reads the books for operators. It changes nothing.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Records = {
  /** Returns the changes of a seat, newest first. Refuses `seat-not-found`. */
  listSeatHistory(seat: SeatId, page: PageRequest): Promise<Page<SeatChange>>;

  /**
   * Yields the wanted rows page by page, in the order of their ids.
   * - The range ends when the reading starts, at the latest. Later records may be missing.
   * - A row that existed then comes once, as it is when its page is read.
   * - Each page is one query, so a slow reader blocks nothing.
   * - A page may be empty; the reader may stop there.
   */
  read(wanted: RecordsWanted): AsyncGenerator<readonly RecordRow[], void, void>;
};
