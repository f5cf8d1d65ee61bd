-- block_seats: takes free seats off sale, all of them or none. Blocked seats stay blocked; a lapsed hold ends.
-- Locks, in this order: seats ascending, lapsed reservations ascending.
-- Replies {answer} | {refusal, facts}.
CREATE FUNCTION block_seats(p_concert_id uuid, p_date date, p_seat_numbers integer[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz;
  v_missing integer[];
  v_taken integer[];
BEGIN
  PERFORM 1 FROM seats WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)
  ORDER BY seat_number FOR UPDATE;
  v_now := clock_timestamp();

  SELECT array_agg(asked ORDER BY asked) INTO v_missing FROM unnest(p_seat_numbers) AS asked
  WHERE NOT EXISTS (SELECT FROM seats WHERE concert_id = p_concert_id AND date = p_date AND seat_number = asked);
  IF v_missing IS NOT NULL THEN
    RETURN jsonb_build_object('refusal', 'seat-not-found', 'facts', jsonb_build_object('seatNumbers', v_missing));
  END IF;

  SELECT array_agg(seat_number ORDER BY seat_number) INTO v_taken FROM seats
  WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)
    AND (status = 'SOLD' OR (status = 'HELD' AND held_until > v_now));
  IF v_taken IS NOT NULL THEN
    RETURN jsonb_build_object('refusal', 'seat-taken', 'facts', jsonb_build_object('seatNumbers', v_taken));
  END IF;

  UPDATE reservations SET status = 'EXPIRED', ended_at = held_until
  WHERE reservation_id IN (
    SELECT reservation_id FROM reservations WHERE status = 'HELD' AND reservation_id IN (
      SELECT reservation_id FROM seats
      WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers) AND status = 'HELD')
    ORDER BY reservation_id FOR UPDATE);
  UPDATE seats SET status = 'BLOCKED', held_until = NULL, reservation_id = NULL
  WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers) AND status <> 'BLOCKED';
  RETURN jsonb_build_object('answer', true);
END $$;
