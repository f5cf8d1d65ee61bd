import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { replyOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';

/** Keeps the stored answers at least this long. */
const ANSWERS_KEPT_HOURS = 24;

export function answers({ pool }: Postgres): Pick<BoxOffice, 'knows' | 'forgetAnswers'> {
  return {
    async knows({ userId, key, fingerprint }) {
      return (await replyOf(pool, functions.recallAnswer, userId, key, fingerprint)) !== null;
    },

    forgetAnswers: (batchMax) => replyOf(pool, functions.forgetAnswers, ANSWERS_KEPT_HOURS, batchMax),
  };
}
