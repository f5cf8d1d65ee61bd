import type { ClientBase, Pool } from 'pg';
import { type Code, Refusal } from '#domain/errors.ts';
import { guarded } from './failures.ts';

// For calls of SQL functions, comparisons with the clock of Postgres, and frequent reads, which Prisma's client cannot
// express or not fast enough. Prepared under a name, once per connection.

/**
 * A statement with the types of its values and rows. The types are unchecked; the contract suites run every statement.
 */
export type Statement<Values extends readonly unknown[], Row> = {
  readonly name: string;
  readonly text: string;
  /** Carries the types only. */
  readonly of?: (values: Values) => Row;
};

/** The row of a function that replies one value: an answer or a refusal. */
export type Reply<Answer> = { readonly reply: Answer | Refused };
type Refused = { readonly refusal: Code; readonly facts?: unknown };

/** Sends a statement and returns its rows. Errors propagate to the caller. */
export type Ask = <Values extends readonly unknown[], Row>(
  statement: Statement<Values, Row>,
  ...values: Values
) => Promise<Row[]>;

/** Asks over this connection, or over any of the pool. */
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

/**
 * The answer of a function.
 *
 * @throws Refusal if it refuses
 */
export async function replyOf<Values extends readonly unknown[], Answer>(
  pool: Pool,
  statement: Statement<Values, Reply<Answer>>,
  ...values: Values
): Promise<Answer> {
  return answerIn(await rowsOf(pool, statement, ...values));
}

/**
 * The answer in the one row of a function.
 *
 * @throws Refusal if it refuses
 */
export function answerIn<Answer>([row]: readonly Reply<Answer>[]): Answer {
  if (row === undefined) throw new RangeError('a function replied nothing');
  const { reply } = row;
  if (reply !== null && typeof reply === 'object' && 'refusal' in reply) {
    throw new Refusal(reply.refusal as Code, reply.facts as never);
  }
  return reply as Answer;
}
