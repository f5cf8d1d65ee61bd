import type { Statement } from '#adapters/postgres/client/statement.ts';
import type { HeldSeatRow, ReservationJson } from './booking-rows.ts';

// The statements of booking that need no function.

/** A hold past its deadline is expired, also before the expiry job has recorded it. */
const reservationColumns = `
  reservation_id AS "reservationId", user_id AS "userId", concert_id AS "concertId", date::text,
  ARRAY(SELECT seat_number FROM reservation_seats s WHERE s.reservation_id = r.reservation_id ORDER BY 1) AS "seatNumbers",
  CASE WHEN status = 'HELD' AND held_until <= clock_timestamp() THEN 'EXPIRED' ELSE status END AS status,
  amount::float8, currency, held_until AS "heldUntil", held_for_seconds AS "heldForSeconds", created_at AS "createdAt"`;

export const bookingStatements = {
  ackOutboxMessages: {
    name: 'ack-outbox-messages',
    text: `DELETE FROM outbox_messages o
      USING unnest($1::bigint[], $2::text[]) AS relayed (message_id, version), reservations r
      WHERE o.message_id = relayed.message_id AND r.reservation_id = o.reservation_id
        AND r.status || '-' || r.extensions = relayed.version
      RETURNING o.message_id AS "messageId"`,
  } as Statement<[messageIds: readonly string[], versions: readonly string[]], { readonly messageId: string }>,

  retryOutboxMessagesLater: {
    name: 'retry-outbox-messages-later',
    text: 'UPDATE outbox_messages SET due_at = clock_timestamp() + make_interval(secs => $2) WHERE message_id = ANY ($1::bigint[])',
  } as Statement<[messageIds: readonly string[], seconds: number], never>,

  findHeld: {
    name: 'find-held',
    text: `
      SELECT s.seat_number AS "seatNumber", r.user_id AS "userId", s.reservation_id AS "reservationId",
        ceil(extract(epoch FROM s.held_until - clock_timestamp()) * 1000)::integer AS "remainingMs"
      FROM seats s JOIN reservations r USING (reservation_id)
      WHERE s.concert_id = $1 AND s.date = $2 AND s.status = 'HELD' AND s.held_until > clock_timestamp()
        AND seat_number = ANY ($3)
      ORDER BY seat_number`,
  } as Statement<[concertId: string, date: string, seatNumbers: readonly number[]], HeldSeatRow>,

  findReservation: {
    name: 'find-reservation',
    text: `SELECT ${reservationColumns} FROM reservations r WHERE reservation_id = $1 AND user_id = $2`,
  } as Statement<[reservationId: string, userId: string], ReservationJson>,

  listReservations: {
    name: 'list-reservations',
    text: `SELECT ${reservationColumns} FROM reservations r
      WHERE user_id = $1 AND ($2::uuid IS NULL OR reservation_id < $2) ORDER BY reservation_id DESC LIMIT $3`,
  } as Statement<[userId: string, after: string | undefined, limit: number], ReservationJson>,
};
