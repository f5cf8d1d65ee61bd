import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { reaped } from './reaper.ts';
import { until } from './until.ts';

/** Node's own default place. All instances of all runs share it: it halves the time that an instance takes to start. */
export const COMPILE_CACHE = join(tmpdir(), 'node-compile-cache');
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Known to the tests, so that they can sign what a server would, and forge what it would not. */
export const SECRETS = {
  ACCESS_TOKEN_SECRET: 'access-token-secret-of-the-integration-tests',
  QUEUE_TOKEN_KEYS: 'test:queue-token-secret-of-the-integration-tests',
};

/** What an operator holds; the servers have its digest. */
export const ADMIN_KEY = 'admin-key-of-the-integration-tests';
export const digestOf = (key: string) => createHash('sha256').update(key).digest('hex');

/**
 * Many clients from one address; jobs that do not keep a test waiting; and timeouts that no slow machine meets by itself. A
 * test of a timeout sets it, and takes away what has to answer.
 */
const FOR_TESTS = {
  ...SECRETS,
  ADMIN_KEYS: `test:${digestOf(ADMIN_KEY)}`,
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'warn',
  RATE_LIMIT_PER_MINUTE: '0',
  POLL_LIMIT_PER_MINUTE: '0',
  // Two instances together tick twice as often. Less often is cheaper: an idle instance costs what its ticks cost.
  ADMISSION_TICK_MS: '200',
  SURVEY_TICK_MS: '300',
  EXPIRY_TICK_MS: '1000',
  RELAY_TICK_MS: '400',
  // Each connection plans and compiles anew: fewer of them are busier, and race just as well on two cores.
  DATABASE_POOL_MAX: '5',
  WEBHOOK_ALLOW_NETWORKS: '127.0.0.0/8',
  CLAIM_SECONDS: '600',
  WEBHOOK_TIMEOUT_MS: '30000',
  SHUTDOWN_SECONDS: '120',
  REDIS_COMMAND_TIMEOUT_MS: '10000',
  DATABASE_CONNECT_TIMEOUT_MS: '60000',
  DATABASE_LOCK_TIMEOUT_MS: '30000',
  DATABASE_STATEMENT_TIMEOUT_MS: '60000',
};

export type Settings = Readonly<Record<string, string>>;
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type LogLine = { readonly level: number; readonly msg: string } & Readonly<Record<string, unknown>>;

/** A server process of its own, as an operator would run it. */
export type Instance = {
  readonly url: string;
  readonly pid: number;
  /** The lines it logged, from warnings upwards. */
  log(): readonly LogLine[];
  /** Stops it in its tracks: connections stay and new ones are accepted, answers do not come. */
  freeze(): void;
  thaw(): void;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ending>;
};

/**
 * Starts a server and waits until it is ready to serve.
 *
 * @param main of another copy of the sources, for another version
 */
export async function startInstance(settings: Settings, main = MAIN): Promise<Instance> {
  const child = reaped(
    spawn(process.execPath, [main], {
      // Away from the repository, where a developer's `.env` may be.
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, ...FOR_TESTS, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const ended = once(child, 'close').then(([code, signal]): Ending => ({ code, signal }));

  let output = '';
  const lines: LogLine[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      if (line.startsWith('{') && line.endsWith('}')) lines.push(JSON.parse(line));
      else output += `${line}\n`;
    });
  }

  const address = () => /API +(http:\S+)\/v1/.exec(output)?.[1];
  async function untilReady(): Promise<void> {
    await until('the server says where it is', () => {
      if (child.exitCode !== null)
        throw new Error(`the server did not start:\n${output}${lines.map((line) => JSON.stringify(line)).join('\n')}`);
      return address() !== undefined;
    });
    await until('the server is ready', async () => (await fetch(`${address()}/readyz`)).ok);
  }
  try {
    await untilReady();
  } catch (error) {
    // Nobody else knows of it yet, to end it with the file.
    child.kill('SIGKILL');
    throw error;
  }
  const url = address() ?? '';

  return {
    url,
    pid: child.pid ?? 0,
    log: () => lines,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}
