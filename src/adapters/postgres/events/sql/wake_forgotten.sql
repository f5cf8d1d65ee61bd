-- wake_forgotten: makes every delivery due that is the earliest pending one and has no due time. It reads all pending ones.
-- Locks the aggregates found. Replies the number of deliveries.
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
