-- take_deliveries: up to p_batch_max of an endpoint that are due, each put off by p_lease_seconds so that nobody else takes it
-- meanwhile; one that is not settled by then comes again. Of an aggregate only the earliest that is pending. The number of
-- attempts is the fence: whoever settles an older attempt has lost the delivery. Tries are counted when they have failed: that
-- we died of something, or stopped, is not the receiver's fault.
--
-- Planned for these values each time: a plan for any values reckons with a batch of a tenth of all, and reads whole tables.
CREATE FUNCTION take_deliveries(p_endpoint_id uuid, p_batch_max integer, p_lease_seconds integer) RETURNS TABLE (
  delivery_id bigint, attempt integer, tries integer, taken_at timestamptz, url text, secrets text[],
  event_id bigint, type text, aggregate_id uuid, happened_at timestamptz, data json
) LANGUAGE plpgsql SET plan_cache_mode = 'force_custom_plan' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH due AS (
      SELECT d.delivery_id FROM webhook_deliveries d
      WHERE d.endpoint_id = p_endpoint_id AND d.state = 'PENDING' AND d.due_at <= statement_timestamp()
        AND EXISTS (SELECT FROM webhook_endpoints w
          WHERE w.endpoint_id = p_endpoint_id AND w.disabled_at IS NULL AND w.deleted_at IS NULL)
        AND d.delivery_id = (SELECT p.delivery_id FROM webhook_deliveries p
          WHERE p.state = 'PENDING' AND p.aggregate_id = d.aggregate_id AND p.endpoint_id = d.endpoint_id
          ORDER BY p.aggregate_id, p.endpoint_id, p.event_id LIMIT 1)
      ORDER BY d.due_at LIMIT p_batch_max FOR UPDATE OF d SKIP LOCKED),
    taken AS (
      UPDATE webhook_deliveries d
      SET attempts = d.attempts + 1, due_at = clock_timestamp() + make_interval(secs => p_lease_seconds)
      FROM due WHERE d.delivery_id = due.delivery_id
      RETURNING d.delivery_id, d.attempts, d.tries, d.endpoint_id, d.event_id)
    SELECT t.delivery_id, t.attempts, t.tries + 1, clock_timestamp(), w.url,
      CASE WHEN w.previous_secret_until > clock_timestamp() THEN ARRAY[w.secret, w.previous_secret] ELSE ARRAY[w.secret] END,
      s.event_id, s.type, s.aggregate_id, s.happened_at,
      coalesce(s.data, json_build_object('endpointId', t.endpoint_id))
    FROM taken t JOIN webhook_endpoints w USING (endpoint_id) JOIN event_stories s USING (event_id)
    ORDER BY t.event_id;
END $$;

-- settle_delivery: writes down how an attempt at p_url ended, and what is to follow: p_state PENDING to try again after p_retry_ms,
-- or the end, which makes the next of the aggregate due. p_gone switches the endpoint off; but if it is elsewhere by now,
-- that one is tried at once.
-- Replies whether it was the last attempt taken; otherwise it is on record and nothing follows.
CREATE FUNCTION settle_delivery(
  p_delivery_id bigint, p_attempt integer, p_url text, p_state delivery_state, p_retry_ms bigint, p_gone boolean,
  p_duration_ms integer, p_status integer, p_failure text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_delivery webhook_deliveries%ROWTYPE;
  v_moved boolean := false;
BEGIN
  PERFORM keep_in_order(ARRAY(SELECT aggregate_id FROM webhook_deliveries WHERE delivery_id = p_delivery_id));
  SELECT * INTO v_delivery FROM webhook_deliveries WHERE delivery_id = p_delivery_id FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO webhook_attempts (delivery_id, attempt, ended_at, duration_ms, status, failure)
  VALUES (p_delivery_id, p_attempt, clock_timestamp(), p_duration_ms, p_status, p_failure) ON CONFLICT DO NOTHING;
  IF v_delivery.attempts <> p_attempt OR v_delivery.state <> 'PENDING' THEN
    RETURN false;
  END IF;

  IF p_gone THEN
    SELECT url <> p_url INTO v_moved FROM webhook_endpoints WHERE endpoint_id = v_delivery.endpoint_id FOR NO KEY UPDATE;
    UPDATE webhook_endpoints SET disabled_at = clock_timestamp(), disabled_reason = 'gone'
    WHERE endpoint_id = v_delivery.endpoint_id AND disabled_at IS NULL AND NOT v_moved;
  END IF;

  IF v_moved THEN
    UPDATE webhook_deliveries SET due_at = at_once() WHERE delivery_id = p_delivery_id AND due_at IS NOT NULL;
  ELSIF p_state = 'PENDING' THEN
    -- One that an earlier one was put in front of waits for that.
    UPDATE webhook_deliveries SET tries = tries + 1,
      due_at = CASE WHEN due_at IS NOT NULL THEN clock_timestamp() + p_retry_ms * interval '1 ms' END
    WHERE delivery_id = p_delivery_id;
  ELSE
    UPDATE webhook_deliveries SET state = p_state, due_at = NULL, ended_at = clock_timestamp()
    WHERE delivery_id = p_delivery_id;
    PERFORM wake_earliest(ARRAY[v_delivery.endpoint_id], ARRAY[v_delivery.aggregate_id]);
  END IF;
  RETURN true;
END $$;

-- begin_again: makes those of an endpoint's deliveries pending that are over in one of these states. The earliest of an aggregate
-- is due; what was due in its place waits for it. Replies how many.
CREATE FUNCTION begin_again(p_endpoint_id uuid, p_delivery_ids bigint[], p_states delivery_state[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_count integer;
BEGIN
  -- Nobody forgets them meanwhile.
  PERFORM 1 FROM events
  WHERE event_id IN (SELECT event_id FROM webhook_deliveries WHERE delivery_id = ANY (p_delivery_ids))
  ORDER BY event_id FOR KEY SHARE;
  PERFORM keep_in_order(ARRAY(SELECT aggregate_id FROM webhook_deliveries WHERE delivery_id = ANY (p_delivery_ids)));

  WITH again AS (
    SELECT d.delivery_id, d.aggregate_id, d.event_id,
      row_number() OVER (PARTITION BY d.aggregate_id ORDER BY d.event_id) = 1 AS first
    FROM webhook_deliveries d
    WHERE d.delivery_id = ANY (p_delivery_ids) AND d.endpoint_id = p_endpoint_id AND d.state = ANY (p_states)),
  -- The first of each aggregate, and what is the earliest so far.
  line AS (
    SELECT a.delivery_id, a.event_id, earliest.delivery_id AS earliest_id, earliest.event_id AS earliest_event_id
    FROM again a LEFT JOIN LATERAL (
      SELECT p.delivery_id, p.event_id FROM webhook_deliveries p
      WHERE p.state = 'PENDING' AND p.aggregate_id = a.aggregate_id AND p.endpoint_id = p_endpoint_id
      ORDER BY p.aggregate_id, p.endpoint_id, p.event_id LIMIT 1) AS earliest ON true
    WHERE a.first),
  overtaken AS (
    UPDATE webhook_deliveries d SET due_at = NULL FROM line
    WHERE d.delivery_id = line.earliest_id AND line.event_id < line.earliest_event_id)
  UPDATE webhook_deliveries d SET state = 'PENDING', tries = 0, ended_at = NULL,
    due_at = CASE WHEN line.delivery_id IS NOT NULL AND (line.earliest_id IS NULL OR line.event_id < line.earliest_event_id)
      THEN at_once() END
  FROM again LEFT JOIN line USING (delivery_id) WHERE d.delivery_id = again.delivery_id;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;

-- replay_delivery: sends one again, whether it arrived or was given up. Replies {answer} | {refusal}.
CREATE FUNCTION replay_delivery(p_endpoint_id uuid, p_delivery_id bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_begun integer;
BEGIN
  IF EXISTS (SELECT FROM webhook_endpoints WHERE endpoint_id = p_endpoint_id AND deleted_at IS NULL) THEN
    v_begun := begin_again(p_endpoint_id, ARRAY[p_delivery_id], '{DELIVERED,FAILED}');
    IF v_begun > 0 THEN
      RETURN jsonb_build_object('answer', true);
    ELSIF EXISTS (SELECT FROM webhook_deliveries WHERE endpoint_id = p_endpoint_id AND delivery_id = p_delivery_id) THEN
      RETURN jsonb_build_object('refusal', 'delivery-pending');
    END IF;
  END IF;
  RETURN jsonb_build_object('refusal', 'delivery-not-found');
END $$;

-- replay_failed: sends up to p_batch_max again that were given up since then, the earliest events first. Replies how many.
CREATE FUNCTION replay_failed(p_endpoint_id uuid, p_since timestamptz, p_batch_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
  RETURN begin_again(p_endpoint_id, ARRAY(
    SELECT delivery_id FROM webhook_deliveries
    WHERE endpoint_id = p_endpoint_id AND state = 'FAILED' AND ended_at >= p_since
    ORDER BY event_id LIMIT p_batch_max), '{FAILED}');
END $$;

-- send_test: an event for one endpoint only, which no other service is told of. It is a story of its own, and waits for no other.
-- Replies the delivery, if there is such an endpoint.
CREATE FUNCTION send_test(p_endpoint_id uuid) RETURNS bigint LANGUAGE sql AS $$
  WITH test AS (
    INSERT INTO events (type, aggregate_id, happened_at, relayed_at)
    SELECT 'webhook.test', gen_random_uuid(), clock_timestamp(), clock_timestamp() FROM webhook_endpoints
    WHERE endpoint_id = p_endpoint_id AND deleted_at IS NULL
    RETURNING event_id, aggregate_id)
  INSERT INTO webhook_deliveries (endpoint_id, event_id, aggregate_id, due_at)
  SELECT p_endpoint_id, event_id, aggregate_id, at_once() FROM test
  RETURNING delivery_id;
$$;

-- wake_forgotten: should a delivery be the earliest that is pending and have no time, it has been forgotten, and would be for
-- ever: it is due now. Looks at all that are pending. Replies how many.
CREATE FUNCTION wake_forgotten() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_endpoints uuid[];
  v_aggregates uuid[];
BEGIN
  SELECT array_agg(endpoint_id), array_agg(aggregate_id) INTO v_endpoints, v_aggregates FROM (
    SELECT DISTINCT ON (aggregate_id, endpoint_id) aggregate_id, endpoint_id, due_at
    FROM webhook_deliveries WHERE state = 'PENDING' ORDER BY aggregate_id, endpoint_id, event_id) AS earliest
  WHERE due_at IS NULL;
  IF v_endpoints IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM keep_in_order(v_aggregates);
  RETURN wake_earliest(v_endpoints, v_aggregates);
END $$;
