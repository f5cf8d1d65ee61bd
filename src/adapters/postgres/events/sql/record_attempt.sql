-- record_attempt: records an attempt at p_url. p_state is the delivery's state after it; PENDING is due again after p_retry_ms.
-- p_gone disables the endpoint, unless its URL has changed: then the delivery is due at once, at the new URL.
-- Locks, in this order: delivery, endpoint.
-- Replies whether it had a consequence. A stale attempt, or one at a delivery that is over or deleted, has none.
CREATE FUNCTION record_attempt(
  p_delivery_id bigint, p_attempt integer, p_url text, p_state delivery_state, p_retry_ms bigint, p_gone boolean,
  p_duration_ms integer, p_status integer, p_failure text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_delivery webhook_deliveries%ROWTYPE;
  v_url_changed boolean := false;
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

  IF p_gone THEN
    SELECT url <> p_url INTO v_url_changed FROM webhook_endpoints WHERE endpoint_id = v_delivery.endpoint_id FOR NO KEY UPDATE;
    UPDATE webhook_endpoints SET disabled_at = clock_timestamp(), disabled_reason = 'gone'
    WHERE endpoint_id = v_delivery.endpoint_id AND disabled_at IS NULL AND NOT v_url_changed;
  END IF;

  IF v_url_changed THEN
    UPDATE webhook_deliveries SET due_at = at_once() WHERE delivery_id = p_delivery_id;
  ELSIF p_state = 'PENDING' THEN
    UPDATE webhook_deliveries SET tries = tries + 1, due_at = clock_timestamp() + p_retry_ms * interval '1 ms'
    WHERE delivery_id = p_delivery_id;
  ELSE
    UPDATE webhook_deliveries SET state = p_state, due_at = NULL, ended_at = clock_timestamp()
    WHERE delivery_id = p_delivery_id;
  END IF;
  RETURN true;
END $$;
