-- best_block: the seats side by side that fulfil a wish best, or NULL if there are none. p_enforce leaves out what would
-- strand a seat for no need. As `bestBlocks` in the domain; a test keeps the two equal.
CREATE FUNCTION best_block(
  p_concert_id uuid, p_date date, p_quantity integer, p_section text, p_grade text, p_enforce boolean
) RETURNS integer[] LANGUAGE sql AS $$
  WITH free AS (
    SELECT *, (p_section IS NULL OR section = p_section) AND (p_grade IS NULL OR grade IS NOT DISTINCT FROM p_grade) AS fits
    FROM free_places(p_concert_id, p_date, clock_timestamp())),
  run AS (
    SELECT *, place - row_number() OVER (PARTITION BY section, row_label ORDER BY place) AS run FROM free),
  block AS (
    SELECT row_rank, array_agg(seat_number) OVER ahead AS seat_numbers, count(*) FILTER (WHERE fits) OVER ahead AS fitting,
      row_number() OVER (whole ORDER BY place) - 1 AS left_of, count(*) OVER whole - p_quantity AS rest,
      off_centre, last_value(off_centre) OVER ahead AS last_off_centre
    FROM run
    WINDOW whole AS (PARTITION BY section, row_label, run),
      ahead AS (PARTITION BY section, row_label, run ORDER BY place ROWS BETWEEN CURRENT ROW AND p_quantity - 1 FOLLOWING))
  SELECT ARRAY(SELECT unnest(seat_numbers) ORDER BY 1) FROM block
  WHERE fitting = p_quantity AND NOT (p_enforce AND rest <> 1 AND (left_of = 1 OR rest - left_of = 1))
  ORDER BY row_rank, (left_of = 1 OR rest - left_of = 1), (left_of % p_quantity <> 0), abs(off_centre + last_off_centre),
    (SELECT min(seat_number) FROM unnest(seat_numbers) AS seat_number)
  LIMIT 1
$$;

-- hold_best_seats: holds the best seats side by side that there are, or says that there are none, which is then so: it looks,
-- and while somebody else is faster it looks again, one such command per date at a time. What was lost is let go before the
-- next look, so that nobody waits for it.
-- Locks, in this order: request key, date, and those of hold_chosen_seats.
-- Replies {answer, replayed, remainingMs} | {refusal, facts}.
CREATE FUNCTION hold_best_seats(
  p_reservation_id uuid, p_user_id uuid, p_concert_id uuid, p_date date, p_quantity integer, p_section text, p_grade text,
  p_hold_seconds integer, p_seats_per_user_max integer, p_stranded_seats text, p_sequence bigint, p_epoch text,
  p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb := recall_answer(p_user_id, p_key, p_fingerprint);
  v_enforce boolean := p_stranded_seats = 'enforce';
  v_block integer[];
  v_reply jsonb;
BEGIN
  IF v_known IS NOT NULL THEN
    RETURN v_known;
  END IF;
  IF NOT EXISTS (SELECT FROM concert_dates
      WHERE concert_id = p_concert_id AND date = p_date AND starts_at > clock_timestamp()) THEN
    RETURN jsonb_build_object('refusal', 'date-not-found');
  END IF;

  -- Whoever comes when all is gone waits for nobody.
  v_block := best_block(p_concert_id, p_date, p_quantity, p_section, p_grade, v_enforce);
  IF v_block IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_concert_id || ' ' || p_date, 2));
    v_block := best_block(p_concert_id, p_date, p_quantity, p_section, p_grade, v_enforce);
  END IF;

  WHILE v_block IS NOT NULL LOOP
    BEGIN
      v_reply := hold_chosen_seats(p_reservation_id, p_user_id, p_concert_id, p_date, v_block, p_hold_seconds,
        p_seats_per_user_max, p_stranded_seats, p_sequence, p_epoch, p_key, p_fingerprint);
      IF v_reply ? 'occupied' OR v_reply ->> 'refusal' = 'seat-stranded' THEN
        RAISE SQLSTATE 'FR001';
      END IF;
      RETURN v_reply;
    EXCEPTION WHEN SQLSTATE 'FR001' THEN
      v_block := best_block(p_concert_id, p_date, p_quantity, p_section, p_grade, v_enforce);
    END;
  END LOOP;

  RETURN jsonb_build_object('refusal', 'no-adjacent-seats', 'facts', jsonb_build_object('quantity', p_quantity, 'left', (
    SELECT count(*) FROM free_places(p_concert_id, p_date, clock_timestamp())
    WHERE (p_section IS NULL OR section = p_section) AND (p_grade IS NULL OR grade IS NOT DISTINCT FROM p_grade))));
END $$;
