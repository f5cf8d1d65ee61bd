-- hold_best_seats: holds the best adjacent free seats, or replies for certain that there are none. One such command per date
-- looks at a time. If a block is lost to another hold, its locks are released before the next look, so no command waits.
-- Locks, in this order: idempotency key, date, and those of hold_chosen_seats.
-- Replies {answer, replayed, remainingMs} | {refusal, facts}.
CREATE FUNCTION hold_best_seats(
  p_reservation_id uuid, p_user_id uuid, p_concert_id uuid, p_date date, p_quantity integer, p_section text, p_grade text,
  p_hold_seconds integer, p_seats_per_user_max integer, p_holds_per_session_max integer, p_session_seconds integer,
  p_orphan_seats text, p_sequence bigint, p_epoch text, p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb := recall_answer(p_user_id, p_key, p_fingerprint);
  v_enforce boolean := p_orphan_seats = 'enforce';
  v_block integer[];
  v_reply jsonb;
  v_now timestamptz;
BEGIN
  IF v_known IS NOT NULL THEN
    RETURN v_known;
  END IF;
  IF NOT EXISTS (SELECT FROM concert_dates
      WHERE concert_id = p_concert_id AND date = p_date AND starts_at > clock_timestamp()) THEN
    RETURN jsonb_build_object('refusal', 'date-not-found');
  END IF;

  PERFORM pg_advisory_xact_lock(hashtextextended(p_concert_id || ' ' || p_date, 2));
  v_block := best_block(p_concert_id, p_date, p_quantity, p_section, p_grade, v_enforce);
  WHILE v_block IS NOT NULL LOOP
    BEGIN
      v_reply := hold_chosen_seats(p_reservation_id, p_user_id, p_concert_id, p_date, v_block, p_hold_seconds,
        p_seats_per_user_max, p_holds_per_session_max, p_session_seconds, p_orphan_seats, p_sequence, p_epoch, p_key, p_fingerprint);
      IF v_reply ? 'occupied' OR v_reply ->> 'refusal' = 'seat-stranded' THEN
        RAISE SQLSTATE 'FR001';
      END IF;
      RETURN v_reply;
    EXCEPTION WHEN SQLSTATE 'FR001' THEN
      v_block := best_block(p_concert_id, p_date, p_quantity, p_section, p_grade, v_enforce);
    END;
  END LOOP;

  v_now := clock_timestamp();
  RETURN jsonb_build_object('refusal', 'no-adjacent-seats', 'facts', jsonb_build_object('quantity', p_quantity, 'left', (
    SELECT count(*) FROM free_seats(p_concert_id, p_date, v_now)
    WHERE (p_section IS NULL OR section = p_section) AND (p_grade IS NULL OR grade IS NOT DISTINCT FROM p_grade))));
END $$;
