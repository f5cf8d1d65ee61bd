-- take_events: leases the one relay for p_lease_seconds, and takes up to p_batch_max events that were not relayed, oldest first;
-- none while another lease lasts. It goes by relayed_at and not by the last id: a smaller id may commit later. A fencing token
-- is larger than all before it and at least the clock in milliseconds, because a restored database forgets the last one.
-- After a batch without acknowledgement it takes half: the batch may have been too large for a statement's time limit.
-- Locks the relay. Replies the events.
CREATE FUNCTION take_events(p_batch_max integer, p_lease_seconds integer) RETURNS TABLE (
  fencing_token bigint, event_id bigint, type text, aggregate_id uuid, aggregate_sequence bigint, happened_at timestamptz, data json
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_fencing_token bigint;
  v_max integer;
  v_taken bigint[];
BEGIN
  -- Usually there are no events to relay, and nothing is written.
  IF NOT EXISTS (SELECT FROM events WHERE relayed_at IS NULL) THEN
    RETURN;
  END IF;
  UPDATE relays r
  SET fencing_token = greatest(r.fencing_token + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint),
    leased_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  WHERE r.relay = 'events' AND r.leased_until <= clock_timestamp()
  RETURNING r.fencing_token, CASE WHEN r.unacked = 0 THEN p_batch_max ELSE least(p_batch_max, (r.unacked + 1) / 2) END
  INTO v_fencing_token, v_max;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_taken := ARRAY(SELECT e.event_id FROM events e WHERE e.relayed_at IS NULL ORDER BY e.event_id LIMIT v_max);
  UPDATE relays SET unacked = cardinality(v_taken) WHERE relay = 'events';
  RETURN QUERY
    SELECT v_fencing_token, s.event_id, s.type, s.aggregate_id, s.aggregate_sequence, s.happened_at, s.data FROM public_events s
    WHERE s.event_id = ANY (v_taken) ORDER BY s.event_id;
END $$;
