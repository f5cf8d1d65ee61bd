-- send_test: writes a test event with one delivery, for this endpoint only. It has an aggregate of its own.
-- Locks nothing. Replies the delivery's id, or NULL without such an endpoint.
CREATE FUNCTION send_test(p_endpoint_id uuid) RETURNS bigint LANGUAGE sql AS $$
  WITH test AS (
    INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at, relayed_at)
    SELECT 'webhook.test', gen_random_uuid(), 1, clock_timestamp(), clock_timestamp() FROM webhook_endpoints
    WHERE endpoint_id = p_endpoint_id AND deleted_at IS NULL
    RETURNING event_id)
  INSERT INTO webhook_deliveries (endpoint_id, event_id, due_at)
  SELECT p_endpoint_id, event_id, at_once() FROM test
  RETURNING delivery_id;
$$;
