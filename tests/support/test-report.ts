import { readFile } from 'node:fs/promises';

export type TestOutcome = {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
};

/** A test file, in what vitest writes with `--reporter=json`. */
export type FileOutcome = {
  readonly name: string;
  readonly status: string;
  /** Why it could not be loaded. */
  readonly message: string;
  readonly assertionResults: readonly TestOutcome[];
};

/** Undefined when a run ended before it wrote its report. */
export async function readTestReport(path: string): Promise<readonly FileOutcome[] | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as { testResults: readonly FileOutcome[] }).testResults;
}
