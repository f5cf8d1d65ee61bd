-- hold_chosen_seats: holds named seats by hold_seats, and checks for seats that the hold would leave single:
-- p_orphan_seats is off | warn | enforce.
-- Locks, in this order: idempotency key, rows of the hall (enforce only), and those of hold_seats.
-- Replies as hold_seats; such seats are in the answer's strandedSeatNumbers (warn) or refuse the hold (enforce).
CREATE FUNCTION hold_chosen_seats(
  p_reservation_id uuid, p_user_id uuid, p_concert_id uuid, p_date date, p_seat_numbers integer[],
  p_hold_seconds integer, p_seats_per_user_max integer, p_holds_per_session_max integer, p_session_seconds integer,
  p_orphan_seats text, p_sequence bigint, p_epoch text, p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb;
  v_orphans integer[];
  v_reply jsonb;
BEGIN
  IF p_orphan_seats <> 'off' THEN
    v_known := recall_answer(p_user_id, p_key, p_fingerprint);
    IF v_known IS NOT NULL THEN
      RETURN v_known;
    END IF;
    IF p_orphan_seats = 'enforce' THEN
      PERFORM lock_rows(p_concert_id, p_date, p_seat_numbers);
    END IF;
    v_orphans := orphan_seats_of(p_concert_id, p_date, p_seat_numbers);
    IF p_orphan_seats = 'enforce' AND v_orphans IS NOT NULL THEN
      RETURN jsonb_build_object('refusal', 'seat-stranded', 'facts', jsonb_build_object('seatNumbers', v_orphans));
    END IF;
  END IF;

  v_reply := hold_seats(p_reservation_id, p_user_id, p_concert_id, p_date, p_seat_numbers, p_hold_seconds,
    p_seats_per_user_max, p_holds_per_session_max, p_session_seconds, p_sequence, p_epoch, p_key, p_fingerprint);
  IF v_orphans IS NULL OR NOT v_reply ? 'answer' THEN
    RETURN v_reply;
  END IF;
  -- A repetition gets the same answer.
  UPDATE idempotency_keys SET answer = answer || jsonb_build_object('strandedSeatNumbers', v_orphans)
  WHERE user_id = p_user_id AND key = p_key RETURNING v_reply || jsonb_build_object('answer', answer) INTO v_reply;
  RETURN v_reply;
END $$;
