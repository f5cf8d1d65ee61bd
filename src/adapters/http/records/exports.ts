import { Readable } from 'node:stream';
import { Refusal } from '#domain/errors.ts';
import { type RecordRow, type RecordsWanted, recordColumns } from '#domain/records/records.ts';
import type { Records } from '#ports/records/records.ts';
import { csvLine } from './csv.ts';

export const exportFormats = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export type ExportSettings = {
  /** Concurrent exports per instance. */
  readonly max: number;
  /** An export whose client reads nothing for this long is cut off. */
  readonly stalledMs: number;
};

export type Exports = {
  /** Refuses `busy` beyond the limit, and as reading the first page refuses. */
  open(wanted: RecordsWanted, format: ExportFormat): Promise<Readable>;
  /** Cuts off running and future exports, which could last as long as their clients like. */
  close(): void;
};

const RETRY_AFTER_SECONDS = 10;
/** The buffer of an export. One page more is in memory as rows. */
const BUFFER_BYTES = 65_536;
/** Chunks of some tens of kilobytes: much larger ones stay in memory until a full garbage collection. */
const ROWS_PER_CHUNK = 100;

/** Streams of records. A page is read when the client has taken the one before, which bounds the memory of an export. */
export function recordExports(records: Records, { max, stalledMs }: ExportSettings): Exports {
  const streams = new Set<Readable>();
  let running = 0;
  let isClosing = false;

  async function start(wanted: RecordsWanted, format: ExportFormat): Promise<Readable> {
    const pages = records.read(wanted);
    // Awaited before the stream, so that a refusal is still an answer.
    const first = await pages.next();
    const stream = exportStream(first, pages, writerOf(wanted.kind, format), stalledMs);
    streams.add(stream);
    stream.once('close', () => {
      streams.delete(stream);
      running -= 1;
    });
    if (isClosing) stream.destroy();
    return stream;
  }

  return {
    async open(wanted, format) {
      if (running >= max) throw new Refusal('busy', { retryAfterSeconds: RETRY_AFTER_SECONDS });
      running += 1;
      return start(wanted, format).catch((error: unknown) => {
        running -= 1;
        throw error;
      });
    },
    close() {
      isClosing = true;
      for (const stream of streams) stream.destroy();
    },
  };
}

type Pages = ReturnType<Records['read']>;
type Writer = { readonly header: string; readonly lineOf: (row: RecordRow) => string };

function exportStream(
  first: IteratorResult<readonly RecordRow[]>,
  pages: Pages,
  { header, lineOf }: Writer,
  stalledMs: number,
): Readable {
  const stalled = setTimeout(() => stream.destroy(), stalledMs);
  stalled.unref();

  async function* text() {
    if (header !== '') yield header;
    if (!first.done) yield* chunksOf(first.value);
    for await (const rows of pages) {
      // A page without rows yields nothing, so only this check ends an export that was cut off. A return would look complete.
      if (stream.destroyed) throw new Error('export cut off');
      // The time of reading a page is ours, not the client's.
      stalled.refresh();
      yield* chunksOf(rows);
    }
  }
  function* chunksOf(rows: readonly RecordRow[]) {
    for (let at = 0; at < rows.length; at += ROWS_PER_CHUNK) {
      stalled.refresh();
      const chunk = rows.slice(at, at + ROWS_PER_CHUNK);
      yield chunk.map(lineOf).join('');
    }
  }

  const stream = Readable.from(text(), { objectMode: false, highWaterMark: BUFFER_BYTES });
  stream.once('close', () => {
    clearTimeout(stalled);
    // The pages are still open if the client never read a byte.
    void pages.return();
  });
  return stream;
}

function writerOf(kind: RecordsWanted['kind'], format: ExportFormat): Writer {
  if (format === 'ndjson') return { header: '', lineOf: (row) => `${JSON.stringify(row)}\n` };
  const columns: readonly string[] = recordColumns[kind];
  return { header: csvLine(columns), lineOf: (row) => csvLine(columns.map((name) => row[name] ?? null)) };
}
