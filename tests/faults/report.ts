import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { temporaryDir } from '#tests/support/temporary-dir.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The file in which the faults are reported, a line of JSON each. */
    faultReport: string;
  }
}

/** What a fault did to those who were booking. */
export type FaultRow = {
  readonly fault: string;
  readonly calls: number;
  readonly unclear: number;
  readonly backAfterMs: number;
  readonly longestOutageMs: number;
  /** Until the mark of a held seat was in Redis again. */
  readonly markedAfterMs: number;
  /** Until Redis and other services knew all that had happened, once nobody asked for anything any more. */
  readonly toldAfterMs: number;
  readonly toldPromisedMs: number;
};

let dir: Awaited<ReturnType<typeof temporaryDir>>;
const fileIn = (path: string) => join(path, 'faults');

export async function setup(project: TestProject): Promise<void> {
  dir = await temporaryDir();
  project.provide('faultReport', fileIn(dir.path));
}

/** The table of all faults, once they are over. */
export async function teardown(): Promise<void> {
  const lines = await readFile(fileIn(dir.path), 'utf8').catch(() => '');
  await dir.remove();
  const rows = lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as FaultRow]));
  if (rows.length > 0) console.log(tableOf(rows));
}

export async function report(file: string, row: FaultRow): Promise<void> {
  await appendFile(file, `${JSON.stringify(row)}\n`);
}

/**
 * What is promised (docs/reference/failures.md), on a machine that has little else to do. A test that failed of it would say how
 * fast the machine is: the report marks what took longer.
 */
const [BACK_PROMISED_MS, MARKED_PROMISED_MS] = [10_000, 5_000];

function tableOf(rows: readonly FaultRow[]): string {
  const time = (ms: number, promisedMs = Number.POSITIVE_INFINITY) =>
    `${Math.round(ms)} ms${ms > promisedMs ? ' (!)' : ''}`;
  const cells = [
    ['fault', 'calls', 'unclear', 'back after', 'longest outage', 'marked after', 'told after'],
    ...rows.map((row) => [
      row.fault,
      `${row.calls}`,
      `${row.unclear}`,
      time(row.backAfterMs, BACK_PROMISED_MS),
      time(row.longestOutageMs),
      time(row.markedAfterMs, MARKED_PROMISED_MS),
      time(row.toldAfterMs, row.toldPromisedMs),
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))))
    .map((row) => row.join('  '))
    .join('\n');
}
