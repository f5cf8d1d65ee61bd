-- hold_seats: sets all of the seats aside for a user until a deadline, or none of them.
-- Locks, in this order: idempotency key, the user's limit row, seats ascending, lapsed reservations ascending.
-- Replies {answer, replayed, remainingMs} | {occupied: [{seatNumber, userId, reservationId, forMs}]} | {refusal, facts}.
CREATE FUNCTION hold_seats(
  p_reservation_id uuid, p_user_id uuid, p_concert_id uuid, p_date date, p_seat_numbers integer[],
  p_hold_seconds integer, p_seats_per_user_max integer, p_holds_per_session_max integer, p_session_seconds integer,
  p_sequence bigint, p_epoch text, p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb := recall_answer(p_user_id, p_key, p_fingerprint);
  v_currency char(3);
  v_now timestamptz(3);
  v_until timestamptz(3);
  v_missing integer[];
  v_occupied jsonb;
  v_already integer;
  v_amount bigint;
BEGIN
  IF v_known IS NOT NULL THEN
    RETURN v_known;
  END IF;

  SELECT c.currency INTO v_currency FROM concert_dates d JOIN concerts c USING (concert_id)
  WHERE d.concert_id = p_concert_id AND d.date = p_date AND d.starts_at > clock_timestamp();
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'date-not-found');
  END IF;

  IF NOT EXISTS (SELECT FROM users WHERE user_id = p_user_id) THEN
    RETURN jsonb_build_object('refusal', 'user-not-found');
  END IF;

  INSERT INTO buyers (concert_id, date, user_id) VALUES (p_concert_id, p_date, p_user_id) ON CONFLICT DO NOTHING;
  PERFORM 1 FROM buyers WHERE concert_id = p_concert_id AND date = p_date AND user_id = p_user_id FOR UPDATE;

  PERFORM 1 FROM seats WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)
  ORDER BY seat_number FOR UPDATE;
  v_now := clock_timestamp();
  v_until := v_now + make_interval(secs => p_hold_seconds);

  SELECT array_agg(asked ORDER BY asked) INTO v_missing FROM unnest(p_seat_numbers) AS asked
  WHERE NOT EXISTS (SELECT FROM seats WHERE concert_id = p_concert_id AND date = p_date AND seat_number = asked);
  IF v_missing IS NOT NULL THEN
    RETURN jsonb_build_object('refusal', 'seat-not-found', 'facts', jsonb_build_object('seatNumbers', v_missing));
  END IF;

  SELECT jsonb_agg(jsonb_build_object('seatNumber', s.seat_number, 'userId', r.user_id, 'reservationId', s.reservation_id,
           'forMs', ceil(extract(epoch FROM s.held_until - v_now) * 1000)::bigint) ORDER BY s.seat_number)
  INTO v_occupied
  FROM seats s LEFT JOIN reservations r USING (reservation_id)
  WHERE s.concert_id = p_concert_id AND s.date = p_date AND s.seat_number = ANY (p_seat_numbers)
    AND NOT (s.status = 'AVAILABLE' OR (s.status = 'HELD' AND s.held_until <= v_now));
  IF v_occupied IS NOT NULL THEN
    RETURN jsonb_build_object('occupied', v_occupied);
  END IF;

  SELECT count(*) INTO v_already FROM reservations r JOIN reservation_seats USING (reservation_id)
  WHERE r.user_id = p_user_id AND r.concert_id = p_concert_id AND r.date = p_date
    AND (r.status = 'CONFIRMED' OR (r.status = 'HELD' AND r.held_until > v_now));
  IF v_already + cardinality(p_seat_numbers) > p_seats_per_user_max THEN
    RETURN jsonb_build_object('refusal', 'seat-limit-reached',
      'facts', jsonb_build_object('limit', p_seats_per_user_max, 'held', v_already));
  END IF;

  IF (SELECT count(*) FROM reservations WHERE user_id = p_user_id AND concert_id = p_concert_id
      AND created_at > v_now - make_interval(secs => p_session_seconds)) >= p_holds_per_session_max THEN
    RETURN jsonb_build_object('refusal', 'hold-limit-reached',
      'facts', jsonb_build_object('limit', p_holds_per_session_max, 'withinSeconds', p_session_seconds));
  END IF;

  -- Lapsed holds of these seats end here. Their other seats are left to the expiry job.
  UPDATE reservations SET status = 'EXPIRED', ended_at = held_until
  WHERE reservation_id IN (
    SELECT reservation_id FROM reservations WHERE status = 'HELD' AND reservation_id IN (
      SELECT reservation_id FROM seats
      WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)
        AND status = 'HELD' AND held_until <= v_now)
    ORDER BY reservation_id FOR UPDATE);

  SELECT sum(price) INTO v_amount FROM seats
  WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers);

  INSERT INTO reservations (reservation_id, user_id, concert_id, date, status, amount, currency, held_until, held_for_seconds, created_at)
  VALUES (p_reservation_id, p_user_id, p_concert_id, p_date, 'HELD', v_amount, v_currency, v_until, p_hold_seconds, v_now);

  WITH taken AS (
    UPDATE seats SET status = 'HELD', held_until = v_until, reservation_id = p_reservation_id, fence = fence + 1
    WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)
    RETURNING seat_number, fence, price)
  INSERT INTO reservation_seats (reservation_id, concert_id, date, seat_number, fence, price)
  SELECT p_reservation_id, p_concert_id, p_date, seat_number, fence, price FROM taken;

  -- Due later: the use case does it at once, and this repeats it.
  INSERT INTO outbox_messages (reservation_id, sequence, epoch, due_at)
  VALUES (p_reservation_id, p_sequence, p_epoch, v_now + interval '1 second');

  RETURN remember_answer(p_user_id, p_key, p_fingerprint, jsonb_build_object(
      'reservationId', p_reservation_id, 'userId', p_user_id, 'concertId', p_concert_id, 'date', p_date,
      'seatNumbers', p_seat_numbers, 'status', 'HELD', 'amount', v_amount, 'currency', v_currency,
      'heldUntil', v_until, 'heldForSeconds', p_hold_seconds, 'createdAt', v_now))
    || jsonb_build_object('remainingMs', ceil(extract(epoch FROM v_until - clock_timestamp()) * 1000)::bigint);
END $$;
