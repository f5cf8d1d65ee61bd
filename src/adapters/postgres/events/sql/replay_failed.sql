-- replay_failed: sends up to p_batch_max deliveries again that failed since p_since, the earliest events first.
-- Locks as begin_again. Replies the number of deliveries.
CREATE FUNCTION replay_failed(p_endpoint_id uuid, p_since timestamptz, p_batch_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
  RETURN begin_again(p_endpoint_id, ARRAY(
    SELECT delivery_id FROM webhook_deliveries
    WHERE endpoint_id = p_endpoint_id AND state = 'FAILED' AND ended_at >= p_since
    ORDER BY event_id LIMIT p_batch_max), '{FAILED}');
END $$;
