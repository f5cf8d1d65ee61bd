-- unblock_seats: puts blocked seats on sale, all of them or none. Other seats stay as they are.
-- Locks seats ascending. Replies {answer} | {refusal, facts}.
CREATE FUNCTION unblock_seats(p_concert_id uuid, p_date date, p_seat_numbers integer[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_missing integer[];
BEGIN
  PERFORM 1 FROM seats WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)
  ORDER BY seat_number FOR UPDATE;
  SELECT array_agg(asked ORDER BY asked) INTO v_missing FROM unnest(p_seat_numbers) AS asked
  WHERE NOT EXISTS (SELECT FROM seats WHERE concert_id = p_concert_id AND date = p_date AND seat_number = asked);
  IF v_missing IS NOT NULL THEN
    RETURN jsonb_build_object('refusal', 'seat-not-found', 'facts', jsonb_build_object('seatNumbers', v_missing));
  END IF;
  UPDATE seats SET status = 'AVAILABLE'
  WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers) AND status = 'BLOCKED';
  RETURN jsonb_build_object('answer', true);
END $$;
