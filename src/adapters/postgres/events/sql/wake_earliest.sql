-- wake_earliest: makes the earliest pending delivery of each pair of endpoint and aggregate due now, if it has no due time.
-- The caller has the aggregates' locks by keep_in_order. Replies the number of deliveries.
CREATE FUNCTION wake_earliest(p_endpoint_ids uuid[], p_aggregate_ids uuid[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_count integer;
BEGIN
  UPDATE webhook_deliveries d SET due_at = at_once()
  FROM unnest(p_endpoint_ids, p_aggregate_ids) AS line (endpoint_id, aggregate_id)
    CROSS JOIN LATERAL (
      SELECT p.delivery_id FROM webhook_deliveries p
      WHERE p.state = 'PENDING' AND p.aggregate_id = line.aggregate_id AND p.endpoint_id = line.endpoint_id
      ORDER BY p.aggregate_id, p.endpoint_id, p.event_id LIMIT 1) AS earliest
  WHERE d.delivery_id = earliest.delivery_id AND d.due_at IS NULL;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;
