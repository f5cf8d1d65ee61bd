-- stranded_by: the free seats that taking these would leave single, though another choice in the same run would not. That a
-- run has one seat more than is taken of it is nobody's fault. NULL if there are none, and if not all of these are free.
-- As `strandedBy` in the domain; a test keeps the two equal.
CREATE FUNCTION stranded_by(p_concert_id uuid, p_date date, p_seat_numbers integer[]) RETURNS integer[] LANGUAGE sql AS $$
  WITH asked AS (
    SELECT DISTINCT section, row_label, row_first, row_last FROM seat_places
    WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)),
  free AS (
    SELECT section, row_label, place, seat_number, seat_number = ANY (p_seat_numbers) AS taken
    FROM asked JOIN seat_places USING (section, row_label)
    WHERE concert_id = p_concert_id AND date = p_date AND seat_number BETWEEN asked.row_first AND asked.row_last
      AND (status = 'AVAILABLE' OR (status = 'HELD' AND held_until <= clock_timestamp()))),
  run AS (
    SELECT *, place - row_number() OVER (PARTITION BY section, row_label ORDER BY place) AS run FROM free),
  beside AS (
    SELECT seat_number, taken, lag(taken, 1, true) OVER nearby AS left_taken, lead(taken, 1, true) OVER nearby AS right_taken,
      count(*) FILTER (WHERE taken) OVER whole AS of_run_taken, count(*) FILTER (WHERE NOT taken) OVER whole AS of_run_left
    FROM run
    WINDOW whole AS (PARTITION BY section, row_label, run), nearby AS (whole ORDER BY place))
  SELECT array_agg(seat_number ORDER BY seat_number) FROM beside
  WHERE NOT taken AND left_taken AND right_taken AND of_run_taken > 0 AND of_run_left > 1
    AND (SELECT count(*) FROM free WHERE taken) = cardinality(p_seat_numbers)
$$;

-- lock_rows: lets one hold at a time decide about the rows that these seats are in, so that two who see the same free seat
-- between them do not strand it together.
CREATE FUNCTION lock_rows(p_concert_id uuid, p_date date, p_seat_numbers integer[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_row bigint;
BEGIN
  FOR v_row IN
    SELECT DISTINCT hashtextextended(concat_ws(' ', p_concert_id, p_date, section, row_label), 1)
    FROM seat_places WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers) ORDER BY 1
  LOOP
    PERFORM pg_advisory_xact_lock(v_row);
  END LOOP;
END $$;

-- hold_chosen_seats: as hold_seats, and looks after the seats beside them: p_stranded_seats off | warn | enforce.
-- Locks, in this order: request key, rows (enforce only), and those of hold_seats.
-- Replies as hold_seats; with warn the answer has strandedSeatNumbers if there are any, with enforce that is a refusal.
CREATE FUNCTION hold_chosen_seats(
  p_reservation_id uuid, p_user_id uuid, p_concert_id uuid, p_date date, p_seat_numbers integer[],
  p_hold_seconds integer, p_seats_per_user_max integer, p_stranded_seats text, p_sequence bigint, p_epoch text,
  p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb;
  v_stranded integer[];
  v_reply jsonb;
BEGIN
  IF p_stranded_seats <> 'off' THEN
    v_known := recall_answer(p_user_id, p_key, p_fingerprint);
    IF v_known IS NOT NULL THEN
      RETURN v_known;
    END IF;
    IF p_stranded_seats = 'enforce' THEN
      PERFORM lock_rows(p_concert_id, p_date, p_seat_numbers);
    END IF;
    v_stranded := stranded_by(p_concert_id, p_date, p_seat_numbers);
    IF p_stranded_seats = 'enforce' AND v_stranded IS NOT NULL THEN
      RETURN jsonb_build_object('refusal', 'seat-stranded', 'facts', jsonb_build_object('seatNumbers', v_stranded));
    END IF;
  END IF;

  v_reply := hold_seats(p_reservation_id, p_user_id, p_concert_id, p_date, p_seat_numbers, p_hold_seconds,
    p_seats_per_user_max, p_sequence, p_epoch, p_key, p_fingerprint);
  IF v_stranded IS NULL OR NOT v_reply ? 'answer' THEN
    RETURN v_reply;
  END IF;
  -- A repetition is told the same.
  UPDATE idempotency_keys SET answer = answer || jsonb_build_object('strandedSeatNumbers', v_stranded)
  WHERE user_id = p_user_id AND key = p_key RETURNING v_reply || jsonb_build_object('answer', answer) INTO v_reply;
  RETURN v_reply;
END $$;
