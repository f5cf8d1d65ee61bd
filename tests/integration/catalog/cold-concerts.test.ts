import { beforeEach, describe, expect, test } from 'vitest';
import { postgresConcerts } from '#adapters/postgres/catalog/concerts.ts';
import type { ConcertId } from '#domain/ids.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { POLICY } from '#tests/contracts/stage-concert.ts';
import { freshDatabase } from '#tests/support/fresh-database.ts';
import { DATE, openHall } from '#tests/support/hall.ts';
import { openPostgres } from '#tests/support/open-postgres.ts';

const databaseUrl = await freshDatabase();
const CROWD = 1_000;

let concerts: Concerts;
let concert: ConcertId;
/** Each statement takes a connection of the pool, and gives it back. */
let statements = 0;

// An instance that has just started, and has looked at nothing.
beforeEach(async () => {
  const postgres = openPostgres(databaseUrl);
  concert = await openHall(postgres.pool);
  postgres.pool.on('acquire', () => {
    statements += 1;
  });
  statements = 0;
  concerts = postgresConcerts(postgres, POLICY);
  return postgres.close;
});

describe('a thousand concurrent reads of an uncached concert', () => {
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    'the concert': () => concerts.find(concert),
    'the concerts to serve': () => concerts.listServed(),
    'the seats left': () => concerts.seatsLeft(concert),
    'its dates': () => concerts.listDates(concert),
    'its seats': () => concerts.listSeats(concert, DATE),
  };

  test.each(Object.entries(questions))('cost Postgres one read: %s', async (_, ask) => {
    const answers = await Promise.all(Array.from({ length: CROWD }, ask));
    expect(statements).toBe(1);
    expect(answers[0]).toBeDefined();
    for (const answer of answers) expect(answer).toBe(answers[0]);
  });
});
