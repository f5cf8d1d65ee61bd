import type { Pool } from 'pg';
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

/** The rows of a statement. */
export async function rowsOf<Values extends readonly unknown[], Row>(
  pool: Pool,
  statement: Statement<Values, Row>,
  ...values: Values
): Promise<Row[]> {
  const { name, text } = statement;
  const result = await guarded(() => pool.query({ name, text, values: [...values] }));
  return result.rows;
}

/** What a function of ours replies; its refusals are thrown. */
export async function replyOf<Values extends readonly unknown[], Answer>(
  pool: Pool,
  statement: Statement<Values, Reply<Answer>>,
  ...values: Values
): Promise<Answer> {
  const [row] = await rowsOf(pool, statement, ...values);
  if (row === undefined) throw new RangeError(`${statement.name} replied nothing`);
  const { reply } = row;
  if (reply !== null && typeof reply === 'object' && 'refusal' in reply) {
    throw new Refusal(reply.refusal as Code, reply.facts as never);
  }
  return reply as Answer;
}
