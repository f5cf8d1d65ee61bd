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
    INSERT INTO outbox_messages (reservation_id, due_at)
    VALUES (p_reservation_id, v_now + interval '1 second');
  END IF;

  RETURN jsonb_build_object('answer', jsonb_build_object('concertId', v_reservation.concert_id,
    'date', v_reservation.date, 'seatNumbers', v_seat_numbers));
END $$;
