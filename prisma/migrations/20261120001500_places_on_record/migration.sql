-- Who is in, as far as is on record: for those who ask while Redis cannot be reached.

-- That a session is over is on record from now on, too.
ALTER TABLE line_events
  DROP CONSTRAINT line_events_kind_known,
  ADD CONSTRAINT line_events_kind_known
    CHECK (kind IN ('admitted', 'passed-over', 'returned', 'left', 'forgotten', 'restored', 'ended'));

-- Finds the last thing that happened to a place.
CREATE INDEX "line_events_concert_id_sequence_idx" ON "line_events"("concert_id", "sequence");

-- Finds those that were paid and refunded. Entered by what is given back only: a hold or a payment costs no more than before.
CREATE INDEX reservations_cancelled ON reservations (concert_id) WHERE status = 'CANCELLED';

-- session_on_record: for how many more milliseconds a place is in at the most; NULL if it is not, or if that cannot be told.
-- Let in and nothing since, or holding seats. A payment ends the session, whatever has become of it.
CREATE FUNCTION session_on_record(
  p_concert_id uuid, p_user_id uuid, p_sequence bigint, p_epoch text, p_session_seconds integer
) RETURNS bigint LANGUAGE sql AS $$
  WITH last AS (
    SELECT kind, happened_at FROM line_events WHERE concert_id = p_concert_id AND sequence = p_sequence
    ORDER BY logged_ms DESC, logged_counter DESC, logged_index DESC LIMIT 1),
  ends AS (
    SELECT happened_at + make_interval(secs => p_session_seconds) AS at FROM last WHERE kind = 'admitted'
    UNION ALL
    SELECT held_until FROM reservations
    WHERE user_id = p_user_id AND concert_id = p_concert_id AND sequence = p_sequence AND epoch = p_epoch AND status = 'HELD')
  SELECT ceil(extract(epoch FROM max(at) - clock_timestamp()) * 1000)::bigint FROM ends
  WHERE at > clock_timestamp()
    AND EXISTS (SELECT FROM lines WHERE concert_id = p_concert_id AND epoch = p_epoch)
    -- A hold proves that its place was let in, also where that is not on record yet.
    AND NOT EXISTS (SELECT FROM last WHERE kind <> 'admitted')
    AND NOT EXISTS (
      SELECT FROM payments JOIN reservations r USING (reservation_id)
      WHERE payments.user_id = p_user_id AND r.concert_id = p_concert_id AND r.sequence = p_sequence AND r.epoch = p_epoch)
$$;

-- open_line: finds the line of a concert, or begins it with the name p_epoch. Any number may call it at once.
-- Replies {answer: {epoch, known, drawn, frontier, registering, draw, sessions: [{userId, sequence, remainingMs}], paid: [sequence]}} | {refusal}.
-- As before; but a payment ended its session, too, if it was refunded since.
CREATE OR REPLACE FUNCTION open_line(p_concert_id uuid, p_epoch text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_line lines%ROWTYPE;
  v_known boolean;
  v_registering boolean;
  v_draw jsonb;
  v_sessions jsonb;
  v_paid jsonb;
  v_now timestamptz(3) := clock_timestamp();
BEGIN
  INSERT INTO lines (concert_id, epoch) SELECT concert_id, p_epoch FROM concerts WHERE concert_id = p_concert_id
  ON CONFLICT DO NOTHING;
  v_known := NOT FOUND;
  SELECT * INTO v_line FROM lines WHERE concert_id = p_concert_id;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'concert-not-found');
  END IF;

  SELECT jsonb_build_object('seed', encode(seed, 'hex'), 'count', drawn_count) INTO v_draw
  FROM lotteries WHERE concert_id = p_concert_id AND drawn_count IS NOT NULL;

  -- Where the settings decide on the opening, there are lots only if they say so.
  SELECT drawn_count IS NULL AND (opening = 'lottery' OR opening IS NULL AND seed IS NOT NULL) INTO v_registering
  FROM concerts LEFT JOIN lotteries USING (concert_id) WHERE concert_id = p_concert_id;

  -- Whoever paid for one of two reservations is not in any more, though the other one is still held.
  WITH theirs AS (
    SELECT user_id, sequence, status = 'CONFIRMED' AS paid, CASE status WHEN 'HELD' THEN held_until END AS held_until
    FROM reservations
    WHERE epoch = v_line.epoch AND status IN ('HELD', 'CONFIRMED')
      AND reservation_id IN (SELECT reservation_id FROM seats WHERE concert_id = p_concert_id AND status IN ('HELD', 'SOLD'))
    UNION ALL
    SELECT user_id, sequence, true, NULL FROM reservations r
    WHERE concert_id = p_concert_id AND epoch = v_line.epoch AND status = 'CANCELLED'
      AND EXISTS (SELECT FROM payments p WHERE p.reservation_id = r.reservation_id)),
  places AS (
    SELECT user_id, sequence, bool_or(paid) AS paid, max(held_until) AS held_until FROM theirs GROUP BY user_id, sequence)
  SELECT
    jsonb_agg(jsonb_build_object('userId', user_id, 'sequence', sequence,
        'remainingMs', ceil(extract(epoch FROM held_until - v_now) * 1000)::bigint) ORDER BY sequence)
      FILTER (WHERE NOT paid AND held_until > v_now),
    jsonb_agg(sequence ORDER BY sequence) FILTER (WHERE paid)
  INTO v_sessions, v_paid FROM places;

  RETURN jsonb_build_object('answer', jsonb_build_object(
    'epoch', v_line.epoch, 'known', v_known, 'drawn', v_line.drawn, 'frontier', v_line.frontier,
    'registering', v_registering, 'draw', v_draw,
    'sessions', coalesce(v_sessions, '[]'), 'paid', coalesce(v_paid, '[]')));
END $$;
