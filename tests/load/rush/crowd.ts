import { monitorEventLoopDelay } from 'node:perf_hooks';
import { accessTokens } from '#adapters/http/guards/access-token.ts';
import { userId } from '#domain/ids.ts';
import { percentile } from '#tests/load/spread.ts';
import { type PooledTransport, pooledTransport } from '#tests/support/client/pooled-transport.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import { SECRETS } from '#tests/support/instance.ts';
import { type Counts, type Latencies, newTally } from './tally.ts';
import { type FanPlan, type FanRecord, newRecord, visit } from './virtual-fan.ts';

// The crowd: a process of its own, given its clients and the instances over IPC. Ends with its parent.

export type CrowdPlan = {
  readonly urls: readonly string[];
  readonly concertId: string;
  /** The users behind the fans; the first of them have money and buy. */
  readonly users: readonly string[];
  readonly buyers: number;
  readonly seats: number;
  readonly arrivalSeconds: number;
  /** Parts of all who come, from 0 to 1. */
  readonly leavingPart: number;
  readonly strayingPart: number;
  /** Shortest and longest. */
  readonly silentSeconds: readonly [number, number];
  readonly stayMs: readonly [number, number];
};

export type Progress = {
  readonly joined: number;
  /** Have been let in and are gone again. */
  readonly done: number;
  readonly left: number;
  readonly polls: number;
  readonly pollP99Ms: number;
  readonly busy: number;
  readonly limited: number;
  readonly retries: number;
};

export type CrowdResult = {
  readonly records: readonly FanRecord[];
  readonly counts: Counts;
  readonly latencies: Latencies;
  readonly retries: number;
  /** From the beginning until the last one had a place, and until the last one was through. */
  readonly joinedSeconds: number;
  readonly seconds: number;
  /** Of this process, which must not be what everybody waits for. */
  readonly cpuSeconds: number;
  readonly eventLoopP99Ms: number;
};

export type ToCrowd =
  | { readonly begin: CrowdPlan }
  | { readonly move: readonly string[] }
  /** Hand over what there is. */
  | { readonly halt: true };
export type FromCrowd = { readonly ready: true } | { readonly progress: Progress } | { readonly result: CrowdResult };

const PROGRESS_EVERY_MS = 1_000;
const TOKENS_AT_ONCE = 64;
const TOKEN_SECONDS = 3_600;

const send = (message: FromCrowd) => process.send?.(message);
const tally = newTally();
const records: FanRecord[] = [];
const lag = monitorEventLoopDelay();
let transport: PooledTransport | undefined;
let finish = () => {};

process.on('disconnect', () => process.exit());
process.on('message', (message: ToCrowd) => {
  if ('begin' in message) void begin(message.begin);
  else if ('move' in message) transport?.move(message.move);
  else finish();
});

async function begin(plan: CrowdPlan): Promise<void> {
  const fans = await plansOf(plan);
  const stage = { concertId: plan.concertId, transport: pooledTransport(plan.urls), tally };
  transport = stage.transport;
  send({ ready: true });
  const start = Date.now();
  const before = process.cpuUsage();
  lag.enable();
  const reports = setInterval(() => send({ progress: progress(stage.transport) }), PROGRESS_EVERY_MS);
  const halted = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const visits = fans.map((fan) => {
    const record = newRecord(fan);
    records.push(record);
    return visit(fan, record, stage);
  });
  await Promise.race([Promise.all(visits), halted]);
  clearInterval(reports);
  const { user, system } = process.cpuUsage(before);
  send({
    result: {
      records,
      counts: tally.counts(),
      latencies: tally.latencies(),
      retries: stage.transport.retries,
      joinedSeconds: (records.reduce((last, { joinedAt = last }) => Math.max(last, joinedAt), start) - start) / 1_000,
      seconds: (Date.now() - start) / 1_000,
      cpuSeconds: (user + system) / 1e6,
      eventLoopP99Ms: lag.percentile(99) / 1e6,
    },
  });
}

async function plansOf(plan: CrowdPlan): Promise<readonly FanPlan[]> {
  const identity = accessTokens({ secret: SECRETS.ACCESS_TOKEN_SECRET, seconds: TOKEN_SECONDS });
  const between = ([least, most]: readonly [number, number]) => least + Math.random() * (most - least);
  // From the end, where nobody buys.
  const leavingFrom = plan.users.length * (1 - plan.leavingPart);
  const strayingFrom = leavingFrom - plan.users.length * plan.strayingPart;
  return inParallel(plan.users, TOKENS_AT_ONCE, async (user, index) => ({
    credentials: { userId: user, accessToken: identity.issue(userId(user)).accessToken },
    comesAfterMs: Math.random() * plan.arrivalSeconds * 1_000,
    temper: index < plan.buyers ? 'buys' : index >= leavingFrom ? 'leaves' : index >= strayingFrom ? 'strays' : 'looks',
    remainder: Math.random(),
    silentMs: 1_000 * between(plan.silentSeconds),
    stayMs: between(plan.stayMs),
    seatNumber: 1 + Math.floor(Math.random() * plan.seats),
  }));
}

function progress({ retries }: PooledTransport): Progress {
  const polls = tally.recentPolls();
  const counts = Object.entries(tally.counts());
  const answers = (status: number) =>
    counts.reduce((sum, [name, count]) => sum + (name.endsWith(` ${status}`) ? count : 0), 0);
  const ended = (...endings: readonly FanRecord['ending'][]) =>
    records.filter(({ ending }) => ending !== undefined && endings.includes(ending)).length;
  return {
    joined: records.filter(({ sequences }) => sequences.length > 0).length,
    done: ended('looked', 'bought'),
    left: ended('left'),
    polls: polls.length,
    pollP99Ms: polls.length === 0 ? 0 : percentile(polls, 0.99),
    busy: answers(503),
    limited: answers(429),
    retries,
  };
}
