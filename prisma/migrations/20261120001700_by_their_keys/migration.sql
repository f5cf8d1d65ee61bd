-- Two functions that read as little of large books as of small ones.

-- forget_events: forgets up to p_batch_max events that were relayed so long ago, with all that became of them, endpoints that
-- were deleted once nothing is left of theirs, and secrets that do not sign any more. It looks at the oldest events only.
-- Replies how many events.
-- As before; but it was planned, for any p_batch_max, to read all events there are.
CREATE OR REPLACE FUNCTION forget_events(p_retention_seconds integer, p_batch_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_old bigint[];
  v_endpoints uuid[];
  v_aggregates uuid[];
BEGIN
  -- Locked are those only that go; most of the time there are none. One that is being sent again is left for later.
  SELECT array_agg(event_id) INTO v_old FROM (
    SELECT event_id FROM events
    WHERE event_id = ANY (ARRAY(
      SELECT event_id FROM (SELECT event_id, relayed_at FROM events ORDER BY event_id LIMIT p_batch_max) AS oldest
      WHERE relayed_at < clock_timestamp() - make_interval(secs => p_retention_seconds)))
    ORDER BY event_id FOR UPDATE SKIP LOCKED) AS old;
  IF v_old IS NOT NULL THEN
    SELECT array_agg(endpoint_id), array_agg(aggregate_id) INTO v_endpoints, v_aggregates
    FROM webhook_deliveries WHERE event_id = ANY (v_old) AND state = 'PENDING';
    PERFORM keep_in_order(v_aggregates);
    -- Whoever comes too late with an attempt finds nothing to write it to.
    PERFORM 1 FROM webhook_deliveries WHERE event_id = ANY (v_old) ORDER BY delivery_id FOR UPDATE;
    DELETE FROM webhook_attempts
    WHERE delivery_id IN (SELECT delivery_id FROM webhook_deliveries WHERE event_id = ANY (v_old));
    DELETE FROM webhook_deliveries WHERE event_id = ANY (v_old);
    DELETE FROM events WHERE event_id = ANY (v_old);
    -- What waited for one of these waits no more.
    PERFORM wake_earliest(v_endpoints, v_aggregates);
  END IF;
  -- By the first one in its order: to see that there is none, all deliveries of everybody would be walked.
  DELETE FROM webhook_endpoints w
  WHERE deleted_at IS NOT NULL AND (
    SELECT delivery_id FROM webhook_deliveries d WHERE d.endpoint_id = w.endpoint_id ORDER BY delivery_id LIMIT 1) IS NULL;
  UPDATE webhook_endpoints SET previous_secret = NULL, previous_secret_until = NULL
  WHERE previous_secret_until <= clock_timestamp();
  RETURN coalesce(cardinality(v_old), 0);
END $$;

-- open_line: finds the line of a concert, or begins it with the name p_epoch. Any number may call it at once.
-- Replies {answer: {epoch, known, drawn, frontier, registering, draw, sessions: [{userId, sequence, remainingMs}], paid: [sequence]}} | {refusal}.
-- As before; but the reservations of a large hall are looked up one by one: it was planned to read all there are.
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
    FROM (SELECT DISTINCT reservation_id FROM seats WHERE concert_id = p_concert_id AND status IN ('HELD', 'SOLD')) AS taken
      CROSS JOIN LATERAL (
        SELECT * FROM reservations r
        WHERE r.reservation_id = taken.reservation_id AND epoch = v_line.epoch AND status IN ('HELD', 'CONFIRMED')
        -- Keeps it apart, so that each is found by its key.
        LIMIT 1) AS live
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
