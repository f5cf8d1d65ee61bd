-- open_queue: finds the queue of a concert, or begins it with the epoch p_epoch. Any number of instances may call it at once.
-- Locks nothing.
-- Replies {answer: {epoch, known, drawn, head, registering, draw, sessions: [{userId, sequence, remainingMs, joinedMs}],
--   paid: [sequence]}} | {refusal}.
CREATE FUNCTION open_queue(p_concert_id uuid, p_epoch text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_queue queues%ROWTYPE;
  v_known boolean;
  v_registering boolean;
  v_draw jsonb;
  v_sessions jsonb;
  v_paid jsonb;
  v_now timestamptz(3) := clock_timestamp();
BEGIN
  INSERT INTO queues (concert_id, epoch) SELECT concert_id, p_epoch FROM concerts WHERE concert_id = p_concert_id
  ON CONFLICT DO NOTHING;
  v_known := NOT FOUND;
  SELECT * INTO v_queue FROM queues WHERE concert_id = p_concert_id;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'concert-not-found');
  END IF;

  SELECT jsonb_build_object('seed', encode(seed, 'hex'), 'count', drawn_count) INTO v_draw
  FROM lotteries WHERE concert_id = p_concert_id AND drawn_count IS NOT NULL;

  -- A concert that leaves its opening to the settings has a seed only if they say lottery.
  SELECT drawn_count IS NULL AND (opening = 'lottery' OR opening IS NULL AND seed IS NOT NULL) INTO v_registering
  FROM concerts LEFT JOIN lotteries USING (concert_id) WHERE concert_id = p_concert_id;

  -- A payment ends the session, even if another reservation of the same entry is still held.
  WITH theirs AS (
    SELECT user_id, sequence, status = 'CONFIRMED' AS paid, CASE status WHEN 'HELD' THEN held_until END AS held_until
    FROM (SELECT DISTINCT reservation_id FROM seats WHERE concert_id = p_concert_id AND status IN ('HELD', 'SOLD')) AS taken
      CROSS JOIN LATERAL (
        SELECT * FROM reservations r
        WHERE r.reservation_id = taken.reservation_id AND epoch = v_queue.epoch AND status IN ('HELD', 'CONFIRMED')
        -- LIMIT keeps the subquery apart, so that each reservation is found by its key.
        LIMIT 1) AS live
    UNION ALL
    SELECT user_id, sequence, true, NULL FROM reservations r
    WHERE concert_id = p_concert_id AND epoch = v_queue.epoch AND status = 'CANCELLED'
      AND EXISTS (SELECT FROM payments p WHERE p.reservation_id = r.reservation_id)),
  entries AS (
    SELECT user_id, sequence, bool_or(paid) AS paid, max(held_until) AS held_until FROM theirs GROUP BY user_id, sequence)
  SELECT
    jsonb_agg(jsonb_build_object('userId', user_id, 'sequence', sequence,
        'remainingMs', ceil(extract(epoch FROM held_until - v_now) * 1000)::bigint,
        'joinedMs', (
          SELECT (extract(epoch FROM joined_at) * 1000)::bigint FROM queue_events e
          WHERE e.concert_id = p_concert_id AND e.sequence = entries.sequence AND joined_at IS NOT NULL LIMIT 1)) ORDER BY sequence)
      FILTER (WHERE NOT paid AND held_until > v_now),
    jsonb_agg(sequence ORDER BY sequence) FILTER (WHERE paid)
  INTO v_sessions, v_paid FROM entries;

  RETURN jsonb_build_object('answer', jsonb_build_object(
    'epoch', v_queue.epoch, 'known', v_known, 'drawn', v_queue.drawn, 'head', v_queue.head,
    'registering', v_registering, 'draw', v_draw,
    'sessions', coalesce(v_sessions, '[]'), 'paid', coalesce(v_paid, '[]')));
END $$;
