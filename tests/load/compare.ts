import type { Load } from './generator.ts';
import type { Generator, ServerProcess } from './processes.ts';

export type Side = {
  readonly server: ServerProcess;
  /** Made anew for each round where nobody may come twice. */
  readonly requests: () => Promise<Load['requests']> | Load['requests'];
  readonly seconds: Load['seconds'];
  /** The status that counts; every other one is told apart. */
  readonly expected: number;
};

export type Round = {
  readonly perSecond: number;
  /** Processor time of the server's process per answer. */
  readonly cpuMicroseconds: number;
  /** Where they are not what is expected. */
  readonly conflicts: number;
  /** Answers with a status that is neither the expected one nor 409. Where refusals are measured, 409 is the expected one. */
  readonly others: number;
  readonly unanswered: number;
  readonly p99Ms: number;
  readonly p99OfAllMs: number;
};

/**
 * Measures the sides in turn, A B C A B C, after a round that does not count. What else happens on the machine happens to
 * all of them, so that what holds is the ratio within a round.
 */
export async function compare<Name extends string>(
  generator: Generator,
  sides: Readonly<Record<Name, Side>>,
  rounds: number,
): Promise<Record<Name, Round[]>> {
  const names = Object.keys(sides) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as Round[]])) as Record<Name, Round[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const result = await measure(generator, sides[name]);
      if (round > 0) measured[name].push(result);
    }
  }
  return measured;
}

async function measure(generator: Generator, { server, requests, seconds, expected }: Side): Promise<Round> {
  const load = { url: server.url, requests: await requests(), seconds };
  const before = server.cpuSeconds();
  const { statuses, unanswered, p99Ms, p99OfAllMs, ...took } = await generator.ask(load);
  const cpuSeconds = server.cpuSeconds() - before;
  const answers = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const good = statuses[expected] ?? 0;
  const conflicts = expected === 409 ? 0 : (statuses[409] ?? 0);
  return {
    perSecond: good / took.seconds,
    cpuMicroseconds: (cpuSeconds * 1e6) / answers,
    conflicts,
    others: answers - good - conflicts,
    unanswered,
    p99Ms,
    p99OfAllMs,
  };
}
