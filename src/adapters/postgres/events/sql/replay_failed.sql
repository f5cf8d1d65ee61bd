-- replay_failed: sends up to p_batch_max deliveries again that failed since p_since, the earliest events first.
-- Locks the deliveries ascending. Replies their number.
CREATE FUNCTION replay_failed(p_endpoint_id uuid, p_since timestamptz, p_batch_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_count integer;
BEGIN
  UPDATE webhook_deliveries SET state = 'PENDING', tries = 0, ended_at = NULL, due_at = at_once()
  WHERE state = 'FAILED' AND delivery_id IN (
    SELECT delivery_id FROM webhook_deliveries
    WHERE delivery_id = ANY (ARRAY(
      SELECT delivery_id FROM webhook_deliveries
      WHERE endpoint_id = p_endpoint_id AND state = 'FAILED' AND ended_at >= p_since
      ORDER BY event_id LIMIT p_batch_max))
    ORDER BY delivery_id FOR UPDATE);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;
