-- begin_again: makes an endpoint's deliveries pending again if they ended in one of these states. The earliest of an aggregate
-- is due; a later one that was due waits for it.
-- Locks, in this order: events ascending, aggregates, deliveries. Replies the number of deliveries.
CREATE FUNCTION begin_again(p_endpoint_id uuid, p_delivery_ids bigint[], p_states delivery_state[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_count integer;
BEGIN
  -- Keeps forget_events from deleting them meanwhile.
  PERFORM 1 FROM events
  WHERE event_id IN (SELECT event_id FROM webhook_deliveries WHERE delivery_id = ANY (p_delivery_ids))
  ORDER BY event_id FOR KEY SHARE;
  PERFORM keep_in_order(ARRAY(SELECT aggregate_id FROM webhook_deliveries WHERE delivery_id = ANY (p_delivery_ids)));

  WITH again AS (
    SELECT d.delivery_id, d.aggregate_id, d.event_id,
      row_number() OVER (PARTITION BY d.aggregate_id ORDER BY d.event_id) = 1 AS first
    FROM webhook_deliveries d
    WHERE d.delivery_id = ANY (p_delivery_ids) AND d.endpoint_id = p_endpoint_id AND d.state = ANY (p_states)),
  -- The first of each aggregate, and the earliest pending one so far.
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
