-- ack_events: acknowledges a batch that was relayed under this fencing token. Its events are due at every endpoint that wants
-- them, and the relay is free again.
-- Locks the relay. Replies whether the token is the latest; otherwise nothing is done.
CREATE FUNCTION ack_events(p_fencing_token bigint, p_event_ids bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE relays SET leased_until = at_once(), unacked = 0 WHERE relay = 'events' AND fencing_token = p_fencing_token;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  INSERT INTO webhook_deliveries (endpoint_id, event_id, due_at)
  SELECT w.endpoint_id, e.event_id, at_once()
  FROM events e JOIN webhook_endpoints w
    ON w.disabled_at IS NULL AND w.deleted_at IS NULL AND (w.event_types = '{}' OR e.type = ANY (w.event_types))
  WHERE e.event_id = ANY (p_event_ids) AND e.relayed_at IS NULL
  ORDER BY e.event_id;

  UPDATE events SET relayed_at = clock_timestamp() WHERE event_id = ANY (p_event_ids) AND relayed_at IS NULL;
  RETURN true;
END $$;
