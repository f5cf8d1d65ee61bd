import type { Page, PageRequest } from '#domain/page.ts';
import type { RecordRow, RecordsWanted, SeatChange, SeatId } from '#domain/records/records.ts';

/**
 * What operators read of the books. It changes nothing, and no use case needs it.
 *
 * Refuses `busy` or `unavailable` when the store is.
 */
export type Records = {
  /** What has become of a seat, newest first. Refuses `seat-not-found`. */
  listSeatHistory(seat: SeatId, page: PageRequest): Promise<Page<SeatChange>>;

  /**
   * Everything that is wanted, page by page, in the order of its ids; the end of time is the beginning of the reading. The store is
   * asked for a page when it is read, and keeps nothing in between: however slow the reader is, nobody waits for them. A page of which
   * nothing is wanted is empty: who reads can leave off there, however far it is to the next row.
   *
   * What was there when the reading began comes once, as it is when its page is read. What is recorded meanwhile may or may not.
   */
  read(wanted: RecordsWanted): AsyncGenerator<readonly RecordRow[], void, void>;
};
