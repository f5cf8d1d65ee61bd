import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { PrismaClient } from '#adapters/postgres/generated/client.ts';

/** A statement as Postgres has run it, those inside functions and triggers too. */
export type Run = {
  readonly query: string;
  readonly milliseconds: number;
  /** Pages of 8 kB that it looked at, in memory or on disk. */
  readonly pages: number;
  /** Without the guesses of the planner. */
  readonly plan: string;
  readonly indexes: readonly string[];
  /** These are in the plan, and nothing was looked up in them: it did not come to it. */
  readonly indexesNotReached: readonly string[];
  readonly tablesReadWhole: readonly string[];
};

/**
 * A database seen through its own explanations: `auto_explain`, which comes with Postgres, tells of each statement how it
 * was run (EXPLAIN ANALYZE, BUFFERS), also of those inside our functions. Takes an owner of the server.
 */
export type Explainer = {
  /** One connection, over which the adapters work as they do in the service. */
  readonly postgres: Postgres;
  /** What the command makes Postgres run. Afterwards nothing has happened. With `without`, as if there were no such index. */
  explain(command: Command, without?: string): Promise<Explained>;
  close(): Promise<void>;
};

export type Explained = {
  readonly runs: readonly Run[];
  /** Whether the command has found anything, or done anything: else its plans say nothing. */
  readonly foundSomething: boolean;
};

export type Command = {
  /** What has to be there, which is not looked at. */
  readonly given?: () => Promise<unknown>;
  /** Answers what it has found. */
  readonly run: () => Promise<unknown>;
  /** What it has done, where `run` has nothing to answer. Not looked at either. */
  readonly done?: () => Promise<unknown>;
  /** How prepared statements are planned: as the server comes, unless told. */
  readonly plans?: 'force_generic_plan';
};

/** What takes longer without its index says enough. */
export const WITHOUT_SECONDS_MAX = 20;

const SETTINGS = `
  LOAD 'auto_explain';
  SET auto_explain.log_min_duration = 0;
  SET auto_explain.log_analyze = on;
  SET auto_explain.log_buffers = on;
  SET auto_explain.log_nested_statements = on;
  SET auto_explain.log_level = notice;
  SET client_min_messages = notice;
  SET TimeZone = 'UTC'`;

export async function explainerOf(databaseUrl: string): Promise<Explainer> {
  let heard: string[] | undefined;
  const pool = new Pool({ connectionString: databaseUrl, max: 1, idleTimeoutMillis: 0 });
  pool.on('connect', (client) => {
    client.on('notice', ({ message }) => {
      if (message?.startsWith('duration:')) heard?.push(message);
    });
  });
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const close = async () => {
    await prisma.$disconnect();
    await pool.end();
  };

  /** What stands for an index may be a constraint. */
  async function drop(index: string): Promise<void> {
    const { rows } = await pool.query<{ table: string; constraint: string | null }>(
      `SELECT indrelid::regclass::text AS "table", conname AS "constraint"
       FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
       WHERE indexrelid = $1::regclass`,
      [index],
    );
    const [{ table, constraint } = { table: '', constraint: null }] = rows;
    await pool.query(
      constraint === null
        ? `DROP INDEX "${index}" CASCADE`
        : `ALTER TABLE ${table} DROP CONSTRAINT "${constraint}" CASCADE`,
    );
  }

  return {
    postgres: { pool, prisma: async () => prisma, ping: async () => {}, close },

    async explain({ given, run, done, plans = 'auto' }, without) {
      // The pool gives up a connection on which anything failed, and the next one has to be told again.
      await pool.query(SETTINGS);
      await pool.query('BEGIN');
      try {
        await given?.();
        await pool.query('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED');
        if (without !== undefined) {
          await drop(without);
          await pool.query(`SET LOCAL statement_timeout = '${WITHOUT_SECONDS_MAX}s'`);
        }
        await pool.query(`SET LOCAL plan_cache_mode = ${plans}`);
        heard = [];
        const answer = await run();
        // What is checked when a command commits is part of it.
        await pool.query('SET CONSTRAINTS ALL IMMEDIATE');
        const runs = heard.map(parse).filter((one) => one !== undefined);
        heard = undefined;
        return { runs, foundSomething: isSomething(done === undefined ? answer : await done()) };
      } finally {
        heard = undefined;
        await pool.query('ROLLBACK');
      }
    },
    close,
  };
}

/** A page of nothing is nothing. */
function isSomething(answer: unknown): boolean {
  if (Array.isArray(answer)) return answer.length > 0;
  if (typeof answer === 'object' && answer !== null && 'items' in answer) return isSomething(answer.items);
  return Boolean(answer);
}

/** Undefined of what looks at no table. */
function parse(message: string): Run | undefined {
  const [head = '', ...rest] = message.split('\n');
  const begins = rest.findIndex((line) => line.includes('(cost='));
  const plan = rest.slice(begins).map((line) => line.replace(/\(cost=\S+ rows=\S+ width=\S+\) /, ''));
  const text = plan.join('\n');
  if (!/ on \w/.test(text)) return undefined;
  const told = rest.slice(0, begins).join('\n');
  const query = told
    .replace('Query Text:', '')
    // Postgres 16 tells the values, too: the same statement with others is the same statement.
    .replace(/Query Parameters:.*/s, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const [, hit = 0, read = 0] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(text) ?? [];
  const lookUps = [...text.matchAll(/(?:using|Bitmap Index Scan on) "?(\w+)[^\n]*/g)];
  const indexesOf = (reached: boolean) =>
    lookUps.filter(([line]) => line.includes('(never executed)') !== reached).map(([, index = '']) => index);
  return {
    query,
    milliseconds: Number(/duration: ([\d.]+) ms/.exec(head)?.[1]),
    pages: Number(hit) + Number(read),
    plan: text.trimEnd(),
    indexes: indexesOf(true),
    indexesNotReached: indexesOf(false),
    tablesReadWhole: [...text.matchAll(/Seq Scan on "?(\w+)/g)].map(([, table = '']) => table),
  };
}
