import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import type { BoxOffice } from '#ports/booking/box-office.ts';
import { answers } from './answers.ts';
import { holds } from './holds.ts';
import { outbox } from './outbox.ts';
import { payments } from './payments.ts';
import { reservations } from './reservations.ts';

/** Each command is one SQL function. */
export function postgresBoxOffice(postgres: Postgres): BoxOffice {
  return {
    ...holds(postgres),
    ...reservations(postgres),
    ...payments(postgres),
    ...answers(postgres),
    ...outbox(postgres),
  };
}
