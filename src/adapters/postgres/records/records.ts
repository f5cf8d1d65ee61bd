import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { rowsOf } from '#adapters/postgres/client/statement.ts';
import { Refusal } from '#domain/errors.ts';
import { paymentId, reservationId, userId } from '#domain/ids.ts';
import type { SeatChange } from '#domain/records/records.ts';
import type { Records } from '#ports/records/records.ts';
import { pageStatements, recordStatements, type SeatChangeRow } from './record-statements.ts';

export function postgresRecords({ pool }: Pick<Postgres, 'pool'>): Records {
  return {
    async listSeatHistory({ concertId, date, seatNumber }, { limit, after }) {
      const { listSeatHistory } = recordStatements;
      const rows = await rowsOf(pool, listSeatHistory, concertId, date, seatNumber, after, limit + 1);
      // An existing seat has at least its creation.
      if (rows.length === 0 && after === undefined) throw new Refusal('seat-not-found', { seatNumbers: [seatNumber] });
      return pageOf(rows.map(toSeatChange), limit, ({ changeId }) => changeId);
    },

    async *read({ kind, concertId, from, until }) {
      const [clock] = await rowsOf(pool, recordStatements.now);
      if (clock === undefined) throw new RangeError('no time was told');
      const end = until === undefined || until > clock.now ? clock.now : until;
      for (let after: string | undefined; ; ) {
        const rows = await rowsOf(pool, pageStatements[kind], after, concertId, from, end);
        const last = rows.at(-1);
        if (last === undefined) return;
        yield rows.flatMap(({ after: _, wanted, ...row }) => (wanted ? [row] : []));
        after = last.after;
      }
    },
  };
}

function toSeatChange({
  userId: user,
  reservationId: reservation,
  paymentId: payment,
  ...row
}: SeatChangeRow): SeatChange {
  return {
    ...row,
    ...(user === null ? {} : { userId: userId(user) }),
    ...(reservation === null ? {} : { reservationId: reservationId(reservation) }),
    ...(payment === null ? {} : { paymentId: paymentId(payment) }),
  };
}
