-- extend_hold: makes a user's hold last p_hold_seconds from now, at most p_hold_seconds_max from when it was made. The
-- deadline never moves back; fence and price stay.
-- Locks, in this order: idempotency key, the user's limit row, seats ascending, reservation.
-- Replies {answer, replayed, remainingMs} | {refusal}.
CREATE FUNCTION extend_hold(
  p_user_id uuid, p_concert_id uuid, p_reservation_id uuid, p_hold_seconds integer, p_hold_seconds_max integer,
  p_sequence bigint, p_epoch text, p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb := recall_answer(p_user_id, p_key, p_fingerprint);
  v_reservation reservations%ROWTYPE;
  v_seat_numbers integer[];
  v_ours integer;
  v_ceiling timestamptz(3);
  v_until timestamptz(3);
  v_now timestamptz(3);
BEGIN
  IF v_known IS NOT NULL THEN
    RETURN v_known;
  END IF;

  SELECT * INTO v_reservation FROM reservations
  WHERE reservation_id = p_reservation_id AND user_id = p_user_id AND concert_id = p_concert_id;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'reservation-not-found');
  END IF;
  SELECT array_agg(seat_number ORDER BY seat_number) INTO v_seat_numbers
  FROM reservation_seats WHERE reservation_id = p_reservation_id;

  -- Otherwise a concurrent hold of the same user could count these seats as lapsed while they are extended.
  PERFORM 1 FROM buyers WHERE concert_id = p_concert_id AND date = v_reservation.date AND user_id = p_user_id FOR UPDATE;
  PERFORM 1 FROM seats
  WHERE concert_id = p_concert_id AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers)
  ORDER BY seat_number FOR UPDATE;
  SELECT * INTO v_reservation FROM reservations WHERE reservation_id = p_reservation_id FOR UPDATE;
  v_now := clock_timestamp();

  SELECT count(*) INTO v_ours FROM seats s JOIN reservation_seats USING (concert_id, date, seat_number, fence)
  WHERE reservation_seats.reservation_id = p_reservation_id AND s.reservation_id = p_reservation_id AND s.status = 'HELD';
  v_ceiling := v_reservation.created_at + make_interval(secs => p_hold_seconds_max);

  IF v_reservation.status = 'CONFIRMED' THEN
    RETURN jsonb_build_object('refusal', 'already-paid');
  ELSIF v_reservation.status = 'CANCELLED' THEN
    RETURN jsonb_build_object('refusal', 'reservation-not-held');
  ELSIF v_reservation.status = 'EXPIRED' OR v_reservation.held_until <= v_now OR v_ours <> cardinality(v_seat_numbers) THEN
    RETURN jsonb_build_object('refusal', 'hold-expired');
  ELSIF v_reservation.held_until >= v_ceiling THEN
    RETURN jsonb_build_object('refusal', 'hold-at-ceiling');
  END IF;

  v_until := greatest(v_reservation.held_until, least(v_ceiling, v_now + make_interval(secs => p_hold_seconds)));
  UPDATE seats SET held_until = v_until
  WHERE concert_id = p_concert_id AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers);
  UPDATE reservations
  SET held_until = v_until, held_for_seconds = ceil(extract(epoch FROM v_until - created_at)),
    extensions = extensions + (held_until < v_until)::integer
  WHERE reservation_id = p_reservation_id
  RETURNING * INTO v_reservation;

  INSERT INTO outbox_messages (reservation_id, sequence, epoch, due_at)
  VALUES (p_reservation_id, p_sequence, p_epoch, v_now + interval '1 second');

  RETURN remember_answer(p_user_id, p_key, p_fingerprint, describe_reservation(v_reservation, v_seat_numbers))
    || jsonb_build_object('remainingMs', ceil(extract(epoch FROM v_until - clock_timestamp()) * 1000)::bigint);
END $$;
