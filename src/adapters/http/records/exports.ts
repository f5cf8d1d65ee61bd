import { Readable } from 'node:stream';
import { Refusal } from '#domain/errors.ts';
import { type RecordRow, type RecordsWanted, recordColumns } from '#domain/records/records.ts';
import type { Records } from '#ports/records/records.ts';
import { csvLine } from './csv.ts';

export const exportFormats = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export type ExportSettings = {
  /** Under way at once, in an instance. */
  readonly max: number;
  /** Whoever has taken nothing of what there was for so long is gone, or as good as gone. */
  readonly stalledMs: number;
};

export type Exports = {
  /** Refuses `busy` when as many are under way as may be, and what the store refuses of the first page. */
  open(wanted: RecordsWanted, format: ExportFormat): Promise<Readable>;
  /** Breaks off what is under way, and whatever begins from now on: it could take as long as its client likes. */
  close(): void;
};

const RETRY_AFTER_SECONDS = 10;
/** Written ahead of the client; and one page more, which is in memory as rows. */
const AHEAD_BYTES = 65_536;
/** Written at once, some tens of kilobytes: what is much larger is kept by the runtime until it tidies up everything. */
const ROWS_PER_CHUNK = 100;

/**
 * Streams of records. A page is read when the client has taken the one before, so what is in memory does not depend on how
 * much there is, nor on how fast it is taken.
 */
export function recordExports(records: Records, { max, stalledMs }: ExportSettings): Exports {
  let [underWay, isClosing] = [0, false];
  const streams = new Set<Readable>();

  async function open(wanted: RecordsWanted, format: ExportFormat): Promise<Readable> {
    if (underWay >= max) throw new Refusal('busy', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    underWay += 1;
    const pages = records.read(wanted);
    // While it can still be said that something is wrong.
    const first = await pages.next().catch((error: unknown) => {
      underWay -= 1;
      throw error;
    });
    const lineOf = format === 'csv' ? csvOf(wanted.kind) : jsonLine;
    const stalled = setTimeout(() => stream.destroy(), stalledMs);
    stalled.unref();

    async function* text() {
      if (format === 'csv') yield csvLine(recordColumns[wanted.kind]);
      if (!first.done) yield* chunksOf(first.value);
      for await (const rows of pages) {
        // Nobody may want it any more; without a row to give that is asked here only. To return would look like the end of it.
        if (stream.destroyed) throw new Error('broken off');
        // It is us who take our time.
        stalled.refresh();
        yield* chunksOf(rows);
      }
    }
    function* chunksOf(rows: readonly RecordRow[]) {
      for (let at = 0; at < rows.length; at += ROWS_PER_CHUNK) {
        stalled.refresh();
        yield rows
          .slice(at, at + ROWS_PER_CHUNK)
          .map(lineOf)
          .join('');
      }
    }
    const stream = Readable.from(text(), { objectMode: false, highWaterMark: AHEAD_BYTES });
    streams.add(stream);
    stream.once('close', () => {
      clearTimeout(stalled);
      // Of whoever never took the first byte it is still open.
      void pages.return();
      streams.delete(stream);
      underWay -= 1;
    });
    if (isClosing) stream.destroy();
    return stream;
  }

  return {
    open,
    close() {
      isClosing = true;
      for (const stream of streams) stream.destroy();
    },
  };
}

const jsonLine = (row: RecordRow) => `${JSON.stringify(row)}\n`;

function csvOf(kind: RecordsWanted['kind']): (row: RecordRow) => string {
  const columns: readonly string[] = recordColumns[kind];
  return (row) => csvLine(columns.map((name) => row[name] ?? null));
}
