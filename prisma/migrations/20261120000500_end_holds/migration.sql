-- release_reservation: gives the seats of a user's hold back. Repeating it is harmless.
-- Locks, in this order: seats ascending, reservation.
-- Replies {answer: {concertId, date, seatNumbers}} | {refusal}.
CREATE FUNCTION release_reservation(p_user_id uuid, p_reservation_id uuid) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_reservation reservations%ROWTYPE;
  v_seat_numbers integer[];
  v_now timestamptz(3);
BEGIN
  SELECT * INTO v_reservation FROM reservations WHERE reservation_id = p_reservation_id AND user_id = p_user_id;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'reservation-not-found');
  END IF;
  SELECT array_agg(seat_number ORDER BY seat_number) INTO v_seat_numbers
  FROM reservation_seats WHERE reservation_id = p_reservation_id;

  PERFORM 1 FROM seats
  WHERE concert_id = v_reservation.concert_id AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers)
  ORDER BY seat_number FOR UPDATE;
  SELECT * INTO v_reservation FROM reservations WHERE reservation_id = p_reservation_id FOR UPDATE;
  v_now := clock_timestamp();

  IF v_reservation.status = 'CONFIRMED' THEN
    RETURN jsonb_build_object('refusal', 'already-paid');
  ELSIF v_reservation.status = 'EXPIRED' OR (v_reservation.status = 'HELD' AND v_reservation.held_until <= v_now) THEN
    RETURN jsonb_build_object('refusal', 'hold-expired');
  ELSIF v_reservation.status = 'HELD' THEN
    UPDATE seats SET status = 'AVAILABLE', held_until = NULL, reservation_id = NULL
    WHERE reservation_id = p_reservation_id AND concert_id = v_reservation.concert_id
      AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers);
    UPDATE reservations SET status = 'CANCELLED', ended_at = v_now WHERE reservation_id = p_reservation_id;
    INSERT INTO outbox (reservation_id, due_at)
    VALUES (p_reservation_id, v_now + interval '1 second');
  END IF;

  RETURN jsonb_build_object('answer', jsonb_build_object('concertId', v_reservation.concert_id,
    'date', v_reservation.date, 'seatNumbers', v_seat_numbers));
END $$;

-- expire_holds: tidies up to p_batch_max seats whose hold has run out and that nobody is working on, and ends their reservations.
-- Locks, in this order: seats ascending, reservations ascending; what others have locked is left for the next time.
-- By the time at which the statement began: unlike clock_timestamp() it can be looked up in an index.
-- Replies how many seats.
CREATE FUNCTION expire_holds(p_batch_max integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_lapsed uuid[];
  v_tidied integer;
BEGIN
  WITH lapsed AS (
    SELECT concert_id, date, seat_number, reservation_id FROM seats
    WHERE status = 'HELD' AND held_until <= statement_timestamp()
    ORDER BY concert_id, date, seat_number LIMIT p_batch_max FOR UPDATE SKIP LOCKED),
  tidied AS (
    UPDATE seats s SET status = 'AVAILABLE', held_until = NULL, reservation_id = NULL
    FROM lapsed WHERE (s.concert_id, s.date, s.seat_number) = (lapsed.concert_id, lapsed.date, lapsed.seat_number)
    RETURNING lapsed.reservation_id)
  SELECT count(*), array_agg(DISTINCT reservation_id) INTO v_tidied, v_lapsed FROM tidied;

  UPDATE reservations SET status = 'EXPIRED', ended_at = held_until
  WHERE reservation_id IN (
    SELECT reservation_id FROM reservations WHERE reservation_id = ANY (v_lapsed) AND status = 'HELD'
    ORDER BY reservation_id FOR UPDATE);
  RETURN v_tidied;
END $$;
