import { randomBytes } from 'node:crypto';
import type { Ask, Statement } from '#adapters/postgres/client/statement.ts';
import type { Concert } from '#domain/catalog/concert.ts';
import type { Policy, PolicyChange } from '#domain/catalog/policy.ts';
import { concertId } from '#domain/ids.ts';
import type { Lottery } from '#domain/queue/lottery.ts';
import { type ConcertRow, concertStatements, policyNames } from './concert-statements.ts';

/** The length of a SHA-256 digest, which is published of it. */
const SEED_BYTES = 32;

/**
 * Reads concerts, with the policy that `defaults` complete. Creates the missing seed of a lottery before its concert is
 * returned, so that the hash of the seed is always public.
 */
export async function readConcerts<Values extends readonly unknown[]>(
  ask: Ask,
  defaults: Policy,
  statement: Statement<Values, ConcertRow>,
  ...values: Values
): Promise<Concert[]> {
  const rows = await ask(statement, ...values);
  const without = rows.filter((row) => drawsLots(row, defaults) && row.seedSha256 === null);
  if (without.length === 0) return rows.map((row) => toConcert(row, defaults));
  const ids = without.map(({ concertId }) => concertId);
  const seeds = ids.map(() => randomBytes(SEED_BYTES));
  await ask(concertStatements.prepareLots, ids, seeds);
  // Again, as concurrent changes may have added others.
  return readConcerts(ask, defaults, statement, ...values);
}

function drawsLots({ opening }: Pick<ConcertRow, 'opening'>, defaults: Policy): boolean {
  return (opening ?? defaults.opening) === 'lottery';
}

/** For a concert with a lottery. */
function toLottery({ seedSha256, seed, drawnCount, drawnAt }: ConcertRow): Lottery {
  if (seedSha256 === null) throw new RangeError('lots without a seed');
  if (seed === null || drawnAt === null) return { seedSha256 };
  return { seedSha256, drawn: { seed, count: Number(drawnCount), at: drawnAt } };
}

function toConcert(row: ConcertRow, defaults: Policy): Concert {
  return {
    concertId: concertId(row.concertId),
    title: row.title,
    venue: row.venue,
    currency: row.currency,
    salesOpenAt: row.salesOpenAt,
    sales: row.sales,
    opensAt: row.queueOpensAt,
    opened: row.opensInSeconds === 0,
    opensInSeconds: row.opensInSeconds,
    policy: { ...defaults, ...given(row) },
    ...(drawsLots(row, defaults) ? { lottery: toLottery(row) } : {}),
  };
}

/** The fields that the concert sets itself. */
export function given(decided: PolicyChange): Partial<Policy> {
  const names = policyNames.filter((name) => decided[name] !== undefined && decided[name] !== null);
  return Object.fromEntries(names.map((name) => [name, decided[name]]));
}
