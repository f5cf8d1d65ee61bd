import type { ClientBase, Pool } from 'pg';
import { type Code, Refusal } from '#domain/errors.ts';
import { guarded } from './failures.ts';

// What Prisma's client cannot say, or not fast enough: what must be atomic (functions, installed by the migrations), what
// compares with the clock of Postgres, and what everybody reads all the time. Prepared under a name, once per connection.

/** What a statement takes and gives. The types are ours to keep true: `tests/contracts` runs every one of them. */
export type Statement<Values extends readonly unknown[], Row> = {
  readonly name: string;
  readonly text: string;
  /** Carries the types only. */
  readonly of?: (values: Values) => Row;
};

/** What a function of ours replies: one JSON object, a refusal or an answer. */
export type Reply<Answer> = {
  readonly reply: ({ readonly refusal: Code; readonly facts?: unknown } & Partial<Answer>) | Answer;
};

/** Sends a statement and answers its rows. What goes wrong is for whoever began it. */
export type Ask = <Values extends readonly unknown[], Row>(
  statement: Statement<Values, Row>,
  ...values: Values
) => Promise<Row[]>;

/** Over this connection, or any of the pool. */
export function askOf(connection: Pick<Pool | ClientBase, 'query'>): Ask {
  return async ({ name, text }, ...values) => {
    const { rows } = await connection.query({ name, text, values: [...values] });
    return rows;
  };
}

/** The rows of a statement. */
export function rowsOf<Values extends readonly unknown[], Row>(
  pool: Pool,
  statement: Statement<Values, Row>,
  ...values: Values
): Promise<Row[]> {
  return guarded(() => askOf(pool)(statement, ...values));
}

/** What a function of ours replies; its refusals are thrown. */
export async function replyOf<Values extends readonly unknown[], Answer>(
  pool: Pool,
  statement: Statement<Values, Reply<Answer>>,
  ...values: Values
): Promise<Answer> {
  return answerIn(await rowsOf(pool, statement, ...values));
}

/** The reply that the rows consist of; a refusal is thrown. */
export function answerIn<Answer>([row]: readonly Reply<Answer>[]): Answer {
  if (row === undefined) throw new RangeError('a function replied nothing');
  const { reply } = row;
  if (reply !== null && typeof reply === 'object' && 'refusal' in reply) {
    throw new Refusal(reply.refusal as Code, reply.facts as never);
  }
  return reply as Answer;
}
