-- take_deliveries: up to p_batch_max of an endpoint that are due, each put off by p_lease_seconds so that nobody else takes it
-- meanwhile; one that is not settled by then comes again. Of an aggregate only the earliest that is pending. The number of
-- attempts is the fence: whoever settles an older attempt has lost the delivery.
CREATE FUNCTION take_deliveries(p_endpoint_id uuid, p_batch_max integer, p_lease_seconds integer) RETURNS TABLE (
  delivery_id bigint, attempt integer, tries integer, taken_at timestamptz, url text, secrets text[],
  event_id bigint, type text, aggregate_id uuid, happened_at timestamptz, data json
) LANGUAGE sql AS $$
  WITH due AS (
    SELECT d.delivery_id FROM webhook_deliveries d
    WHERE d.endpoint_id = p_endpoint_id AND d.state = 'PENDING' AND d.due_at <= statement_timestamp()
      AND EXISTS (SELECT FROM webhook_endpoints w
        WHERE w.endpoint_id = p_endpoint_id AND w.disabled_at IS NULL AND w.deleted_at IS NULL)
      AND NOT EXISTS (SELECT FROM webhook_deliveries b
        WHERE b.state = 'PENDING' AND (b.aggregate_id, b.endpoint_id) = (d.aggregate_id, d.endpoint_id)
          AND b.event_id < d.event_id)
    ORDER BY d.due_at LIMIT p_batch_max FOR UPDATE OF d SKIP LOCKED),
  taken AS (
    UPDATE webhook_deliveries d
    SET attempts = d.attempts + 1, tries = d.tries + 1,
      due_at = clock_timestamp() + make_interval(secs => p_lease_seconds)
    FROM due WHERE d.delivery_id = due.delivery_id
    RETURNING d.delivery_id, d.attempts, d.tries, d.endpoint_id, d.event_id)
  SELECT t.delivery_id, t.attempts, t.tries, clock_timestamp(), w.url,
    CASE WHEN w.previous_secret_until > clock_timestamp() THEN ARRAY[w.secret, w.previous_secret] ELSE ARRAY[w.secret] END,
    s.event_id, s.type, s.aggregate_id, s.happened_at, s.data
  FROM taken t JOIN webhook_endpoints w USING (endpoint_id) JOIN event_stories s USING (event_id)
  ORDER BY t.event_id;
$$;

-- settle_delivery: writes down how an attempt ended, and what is to follow: p_state PENDING to try again after p_retry_ms, or
-- the end, which makes the next of the aggregate due. p_gone switches the endpoint off.
-- Replies whether it was the last attempt taken; otherwise it is on record and nothing follows.
CREATE FUNCTION settle_delivery(
  p_delivery_id bigint, p_attempt integer, p_state delivery_state, p_retry_ms bigint, p_gone boolean,
  p_duration_ms integer, p_status integer, p_failure text
) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
  v_delivery webhook_deliveries%ROWTYPE;
BEGIN
  SELECT * INTO v_delivery FROM webhook_deliveries WHERE delivery_id = p_delivery_id FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO webhook_attempts (delivery_id, attempt, ended_at, duration_ms, status, failure)
  VALUES (p_delivery_id, p_attempt, clock_timestamp(), p_duration_ms, p_status, p_failure) ON CONFLICT DO NOTHING;
  IF v_delivery.attempts <> p_attempt OR v_delivery.state <> 'PENDING' THEN
    RETURN false;
  END IF;

  IF p_state = 'PENDING' THEN
    UPDATE webhook_deliveries SET due_at = clock_timestamp() + p_retry_ms * interval '1 ms'
    WHERE delivery_id = p_delivery_id;
  ELSE
    UPDATE webhook_deliveries SET state = p_state, due_at = NULL, ended_at = clock_timestamp()
    WHERE delivery_id = p_delivery_id;
    UPDATE webhook_deliveries SET due_at = at_once()
    WHERE due_at IS NULL AND delivery_id = (
      SELECT delivery_id FROM webhook_deliveries
      WHERE state = 'PENDING' AND (aggregate_id, endpoint_id) = (v_delivery.aggregate_id, v_delivery.endpoint_id)
      ORDER BY event_id LIMIT 1);
  END IF;

  IF p_gone THEN
    UPDATE webhook_endpoints SET disabled_at = clock_timestamp(), disabled_reason = 'gone'
    WHERE endpoint_id = v_delivery.endpoint_id AND disabled_at IS NULL;
  END IF;
  RETURN true;
END $$;

-- replay_delivery: sends one again, whether it arrived or was given up. Replies {answer} | {refusal}.
CREATE FUNCTION replay_delivery(p_endpoint_id uuid, p_delivery_id bigint) RETURNS jsonb
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
  v_state delivery_state;
BEGIN
  SELECT state INTO v_state FROM webhook_deliveries JOIN webhook_endpoints USING (endpoint_id)
  WHERE endpoint_id = p_endpoint_id AND delivery_id = p_delivery_id AND deleted_at IS NULL FOR UPDATE OF webhook_deliveries;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'delivery-not-found');
  ELSIF v_state = 'PENDING' THEN
    RETURN jsonb_build_object('refusal', 'delivery-pending');
  END IF;
  UPDATE webhook_deliveries SET state = 'PENDING', tries = 0, due_at = at_once(), ended_at = NULL
  WHERE delivery_id = p_delivery_id;
  RETURN jsonb_build_object('answer', true);
END $$;

-- replay_failed: sends up to p_batch_max again that were given up since then, the earliest events first. Replies how many.
CREATE FUNCTION replay_failed(p_endpoint_id uuid, p_since timestamptz, p_batch_max integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
  v_count integer;
BEGIN
  UPDATE webhook_deliveries SET state = 'PENDING', tries = 0, due_at = at_once(), ended_at = NULL
  WHERE delivery_id IN (
    SELECT delivery_id FROM webhook_deliveries
    WHERE endpoint_id = p_endpoint_id AND state = 'FAILED' AND ended_at >= p_since
    ORDER BY event_id LIMIT p_batch_max FOR UPDATE);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;

-- send_test: an event for one endpoint only, which no other service is told of. Replies the delivery, if there is such an endpoint.
CREATE FUNCTION send_test(p_endpoint_id uuid) RETURNS bigint LANGUAGE sql AS $$
  WITH endpoint AS (
    SELECT endpoint_id FROM webhook_endpoints WHERE endpoint_id = p_endpoint_id AND deleted_at IS NULL),
  test AS (
    INSERT INTO events (type, aggregate_id, happened_at, relayed_at)
    SELECT 'webhook.test', endpoint_id, clock_timestamp(), clock_timestamp() FROM endpoint
    RETURNING event_id, aggregate_id)
  INSERT INTO webhook_deliveries (endpoint_id, event_id, aggregate_id, due_at)
  SELECT aggregate_id, event_id, aggregate_id, at_once() FROM test
  RETURNING delivery_id;
$$;
