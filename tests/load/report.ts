import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import type { Round } from './compare.ts';
import type { DrawsMeasured } from './draw.ts';
import type { VisitsResult } from './money/buyers.ts';
import { percentile, ratioOf, type Spread, spreadOf } from './spread.ts';

export type Row = {
  readonly name: string;
  readonly measured: string;
  readonly floor: string;
  readonly ratio: string;
  readonly cpu: string;
  readonly mark: string;
  readonly reached: boolean;
  /** Answers that should have been others, told apart. */
  readonly failures: string;
};

const HEAD = ['Row', 'Measured', 'Floor', 'Ratio', 'CPU per request', 'Mark', 'Reached', '409 / other / no answer'];

const NOT_A_RATE = { floor: '–', ratio: '–', cpu: '–', failures: '–' };
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const hundredth = (value: number) => value.toFixed(2);
const tenth = (value: number) => value.toFixed(1);

function written({ median, min, max }: Spread, write: (value: number) => string = whole.format): string {
  return `${write(median)} (${write(min)}–${write(max)})`;
}

/** A rate beside its floor's, and how much of it is asked for. */
export function rateRow(name: string, rounds: readonly Round[], floor: readonly Round[], mark: number): Row {
  const figures = (of: readonly Round[], figure: keyof Round) => of.map((round) => round[figure]);
  const cpu = (of: readonly Round[]) => `${whole.format(percentile(figures(of, 'cpuMicroseconds'), 0.5))} µs`;
  const [rates, floorRates] = [figures(rounds, 'perSecond'), figures(floor, 'perSecond')];
  const ratio = ratioOf(rates, floorRates);
  const failures = (['conflicts', 'others', 'unanswered'] as const).map((kind) =>
    figures([...rounds, ...floor], kind).reduce((sum, count) => sum + count, 0),
  );
  return {
    name,
    measured: `${written(spreadOf(rates))} /s`,
    floor: `${written(spreadOf(floorRates))} /s`,
    ratio: written(ratio, hundredth),
    cpu: `${cpu(rounds)}; floor ${cpu(floor)}`,
    mark: `≥ ${mark}`,
    reached: ratio.median >= mark && failures.every((count) => count === 0),
    failures: failures.join(' / '),
  };
}

/** The same, and how long the slowest of a hundred may take. */
export function boundedRateRow(
  name: string,
  rounds: readonly Round[],
  floor: readonly Round[],
  mark: number,
  p99MsMax: number,
): Row {
  const row = rateRow(name, rounds, floor, mark);
  const p99 = spreadOf(rounds.map(({ p99Ms }) => p99Ms));
  const ofAll = spreadOf(rounds.map(({ p99OfAllMs }) => p99OfAllMs));
  return {
    ...row,
    measured: `${row.measured}, p99 ${written(p99)} ms; with the first answers ${written(ofAll)} ms`,
    mark: `${row.mark}, p99 < ${p99MsMax} ms`,
    // No round may be slower, not only half of them.
    reached: row.reached && p99.max < p99MsMax,
  };
}

/** Sales per second beside another way to make the same sales. */
export function salesRow(name: string, rates: readonly number[], floor: readonly number[], mark: number): Row {
  const ratio = ratioOf(rates, floor);
  return {
    ...NOT_A_RATE,
    name,
    measured: `${written(spreadOf(rates))} /s`,
    floor: `${written(spreadOf(floor))} /s`,
    ratio: written(ratio, hundredth),
    mark: `≥ ${mark}`,
    reached: ratio.median >= mark,
  };
}

/** Holds of the best seats by one process. */
export function bestSeatsRow(rates: readonly number[], mark: number): Row {
  const rate = spreadOf(rates);
  return {
    ...NOT_A_RATE,
    name: 'best seats: a hall of 1,000 to 1,000 buyers at once, held',
    measured: `${written(rate)} /s`,
    mark: `≥ ${mark} /s`,
    reached: rate.median >= mark,
  };
}

/** Complete bookings; where there is no mark, the figure is told for comparison. */
export function bookingsRow(name: string, rounds: readonly VisitsResult[], mark?: number): Row {
  const rate = spreadOf(rounds.map(({ perSecond }) => perSecond));
  const took = rounds.flatMap(({ bookingMs }) => bookingMs);
  const others = rounds.flatMap(({ unexpected }) => Object.entries(unexpected));
  const failures = (isCounted: (what: string) => boolean) =>
    others.filter(([what]) => isCounted(what)).reduce((sum, [, count]) => sum + count, 0);
  const isConflict = (what: string) => what.includes(' 409 ');
  return {
    ...NOT_A_RATE,
    name,
    measured: `${written(rate)} /s; a booking takes p50 ${whole.format(percentile(took, 0.5))} ms, p99 ${whole.format(percentile(took, 0.99))} ms`,
    mark: mark === undefined ? '–' : `≥ ${mark} /s`,
    reached: others.length === 0 && (mark === undefined || rate.median >= mark),
    failures: `${failures(isConflict)} / ${failures((what) => !isConflict(what))} / 0`,
  };
}

const ADMISSION_MS_MAX = 5;
const ADMISSION_OF_FLOOR_MAX = 1.5;
const BYTES_MAX = 150;
const REFILL_P99_MS_MAX = 150;
const DRAW_STEP_MS_MAX = 5;

export function admissionRow({ admit, floor }: Readonly<Record<'admit' | 'floor', readonly number[]>>): Row {
  const [taken, ratio] = [spreadOf(admit), ratioOf(admit, floor)];
  return {
    ...NOT_A_RATE,
    name: 'let 1,000 in, 1M waiting / ZPOPMIN + ZADD in a bare script',
    measured: `${written(taken, tenth)} ms`,
    floor: `${written(spreadOf(floor), tenth)} ms`,
    ratio: written(ratio, hundredth),
    mark: `≤ ${ADMISSION_OF_FLOOR_MAX}, ≤ ${ADMISSION_MS_MAX} ms`,
    reached: ratio.median <= ADMISSION_OF_FLOOR_MAX && taken.median <= ADMISSION_MS_MAX,
  };
}

export function drawRow({ seconds, stepsMs, longestMs }: DrawsMeasured): Row {
  const longest = stepsMs.reduce((most, step) => Math.max(most, step), 0);
  return {
    ...NOT_A_RATE,
    name: 'draw lots among 1M: the longest step of Redis, each at its shortest of three draws',
    measured: `${tenth(longest)} ms (p99 of ${whole.format(stepsMs.length)} steps ${tenth(percentile(stepsMs, 0.99))} ms; ${tenth(longestMs)} ms the longest of all; ${written(spreadOf(seconds))} s in all)`,
    mark: `≤ ${DRAW_STEP_MS_MAX} ms`,
    reached: longest <= DRAW_STEP_MS_MAX,
  };
}

export function memoryRow(bytes: number): Row {
  return {
    ...NOT_A_RATE,
    name: 'memory of Redis per person, 1M waiting',
    measured: `${whole.format(bytes)} bytes`,
    mark: `≤ ${BYTES_MAX} bytes`,
    reached: bytes <= BYTES_MAX,
  };
}

export function refillRow(milliseconds: readonly number[]): Row {
  const [p50, p99] = [percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)];
  return {
    ...NOT_A_RATE,
    name: `refill after a payment, 3 instances, 200 active turning over, ${milliseconds.length} payments`,
    measured: `p50 ${whole.format(p50)} ms, p99 ${whole.format(p99)} ms`,
    mark: `p99 ≤ ${REFILL_P99_MS_MAX} ms`,
    reached: p99 <= REFILL_P99_MS_MAX,
  };
}

export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ name, measured, floor, ratio, cpu, mark, reached, failures }) => [
    name,
    measured,
    floor,
    ratio,
    cpu,
    mark,
    reached ? 'yes' : '**no**',
    failures,
  ]);
  return [HEAD, HEAD.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export type Servers = { readonly redis: string; readonly postgres: string };

export function documentOf(rows: readonly Row[], { redis, postgres }: Servers): string {
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Do not edit: run it again.

- Machine: ${processors.length} cores (${processors[0]?.model}), ${gigabytes} GB of memory. The load generator, Redis, Postgres and the servers
  share it, over the loopback: read the ratios, not the rates.
- Versions: Node ${process.versions.node}, Redis ${redis}, Postgres ${postgres}, Fastify ${versionOf('fastify')}, autocannon ${versionOf('autocannon')}.
- Frontrow runs as one process with the settings as they come: all headers, the log written to a file, the rate limits on, at
  the highest that they can be set to; for the refill as three, for the bookings as one and as two. The floor is a bare Fastify process that answers the
  same JSON to the same requests. They come over 64 connections, one at a time on each; polls from 2,048 people spread over
  the line. All who wait have joined through the real script.
- Each row and its floor are measured in turn, A B A B, over several rounds after one that does not count. Figures are the
  median and, in brackets, the smallest and the largest round; a ratio is taken within its round. CPU is the processor time
  of the server's process, from \`/proc\`; that of Redis and Postgres is not in it.

${tableOf(rows)}

## How to read it

- A rate is that of whatever is busiest. Where the floor keeps the generator busy rather than its server, its rate is too low
  and the ratio too good; the CPU per request beside it has no such limit, and includes what the instance does besides
  answering: looking at the lines, noting who is there, letting people in.
- The list of seats is asked for by people with a session, who are looked up in Redis and whose seats are read in Postgres, for
  all who ask in the same moment at once. Joining checks an access token, runs the script and signs a queue token; the floor
  checks the form of the concert's id.
- Letting in is measured from Node, the way to Redis and back included. Besides what the floor does, it looks up when each of
  the thousand last asked, writes down their sessions and their places in the log, and looks at both limits.
- Lots are drawn three times, each time among a million who have registered. Redis notes how long it was at each step: setting aside
  what was known by registration, then a hundred places at a time. All draws have the same steps, and whoever else wants one of the
  cores comes at any time: so of each step the shortest counts. Beside it stands the longest that anything took in any of the
  draws, whatever it waited for.
- Hold and pay is two calls of the box office's adapter for a seat and a user that nobody else wants, over ten connections with
  sixteen under way, from one process; beside it the same two prepared statements without the adapter, and the same reads,
  locks and writes made one by one in two interactive transactions of Prisma.
- Best seats are held through the box office's adapter over ten connections: a thousand buyers ask at once for the best seat of
  one date, and all of them get one.
- A complete booking is made by somebody who was never there: they join, poll every 25 ms until they are let in, list the fifty
  seats of a date, reserve one and pay it; 64 at a time, each one's seat their own. Everything else, the outbox, the record of
  the line, events, goes on meanwhile.
- The hot seat is held by somebody, and a thousand people who are in ask for it over a thousand connections, again and again; its
  floor answers the same refusal. Its p99 is without the first answer on each connection, which waits until a thousand are open; beside it the p99 of all answers.
- A balance is read with a prepared statement, at the floor with Prisma, as the row says: the ratio is that of two ways to ask. It is
  charged with the same statement on both sides.
- The refill is from sending a payment until somebody in line is told ACTIVE, the first payment beside the first to be told, the
  second beside the second. Those next in line ask every few milliseconds, each time at the next instance; whoever is let in
  holds a seat, stays for eight seconds on average and pays.
`;
}

function versionOf(name: string): string {
  return createRequire(import.meta.url)(`${name}/package.json`).version;
}
