-- forget_events: deletes up to p_batch_max events that were relayed more than p_retention_seconds ago, with their deliveries
-- and attempts; deleted endpoints without deliveries; and secrets that no longer sign. It reads the oldest events only.
-- Locks, in this order: events ascending (skipping locked ones), deliveries ascending.
-- Replies the number of events.
CREATE FUNCTION forget_events(p_retention_seconds integer, p_batch_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_old bigint[];
BEGIN
  -- Locks deleted events only; usually there are none.
  SELECT array_agg(event_id) INTO v_old FROM (
    SELECT event_id FROM events
    WHERE event_id = ANY (ARRAY(
      SELECT event_id FROM (SELECT event_id, relayed_at FROM events ORDER BY event_id LIMIT p_batch_max) AS oldest
      WHERE relayed_at < clock_timestamp() - make_interval(secs => p_retention_seconds)))
    ORDER BY event_id FOR UPDATE SKIP LOCKED) AS old;
  IF v_old IS NOT NULL THEN
    -- An attempt that ends after this finds no delivery.
    PERFORM 1 FROM webhook_deliveries WHERE event_id = ANY (v_old) ORDER BY delivery_id FOR UPDATE;
    DELETE FROM webhook_attempts
    WHERE delivery_id IN (SELECT delivery_id FROM webhook_deliveries WHERE event_id = ANY (v_old));
    DELETE FROM webhook_deliveries WHERE event_id = ANY (v_old);
    DELETE FROM events WHERE event_id = ANY (v_old);
  END IF;
  -- An index lookup of the first delivery: NOT EXISTS was planned to read all deliveries.
  DELETE FROM webhook_endpoints w
  WHERE deleted_at IS NOT NULL AND (
    SELECT delivery_id FROM webhook_deliveries d WHERE d.endpoint_id = w.endpoint_id ORDER BY delivery_id LIMIT 1) IS NULL;
  UPDATE webhook_endpoints SET previous_secret = NULL, previous_secret_until = NULL
  WHERE previous_secret_until <= clock_timestamp();
  RETURN coalesce(cardinality(v_old), 0);
END $$;
