-- ack_events: acknowledges a batch that was relayed under this fencing token. The events are due at every endpoint that wants them,
-- those of one aggregate one after the other, and the relay is free again.
-- Locks, in this order: relay, aggregates. Replies whether the token is the latest; otherwise nothing is done.
CREATE FUNCTION ack_events(p_fencing_token bigint, p_event_ids bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE relays SET leased_until = at_once(), unacked = 0 WHERE relay = 'events' AND fencing_token = p_fencing_token;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  -- Otherwise the end of an earlier delivery and the insertion of this one could overlook each other.
  PERFORM keep_in_order(ARRAY(SELECT aggregate_id FROM events WHERE event_id = ANY (p_event_ids)));

  -- An index lookup per delivery finds an earlier one: a hundred thousand may wait behind it.
  INSERT INTO webhook_deliveries (endpoint_id, event_id, aggregate_id, due_at)
  SELECT w.endpoint_id, e.event_id, e.aggregate_id,
    CASE WHEN row_number() OVER (PARTITION BY w.endpoint_id, e.aggregate_id ORDER BY e.event_id) = 1 AND (
        SELECT p.delivery_id FROM webhook_deliveries p
        WHERE p.state = 'PENDING' AND p.aggregate_id = e.aggregate_id AND p.endpoint_id = w.endpoint_id
        ORDER BY p.aggregate_id, p.endpoint_id, p.event_id LIMIT 1) IS NULL
      THEN at_once() END
  FROM events e JOIN webhook_endpoints w
    ON w.disabled_at IS NULL AND w.deleted_at IS NULL AND (w.event_types = '{}' OR e.type = ANY (w.event_types))
  WHERE e.event_id = ANY (p_event_ids) AND e.relayed_at IS NULL
  ORDER BY e.event_id;

  UPDATE events SET relayed_at = clock_timestamp() WHERE event_id = ANY (p_event_ids) AND relayed_at IS NULL;
  RETURN true;
END $$;
