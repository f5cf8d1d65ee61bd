-- take_deliveries: takes up to p_batch_max due deliveries of an endpoint and puts each off by p_lease_seconds; a delivery that
-- has not ended by then comes again. The number of attempts is the fencing token. `tries` counts failed attempts only: a crash of ours is not the receiver's fault.
-- Locks the deliveries taken, skipping locked ones. Replies the deliveries with their events, oldest event first.
--
-- It is planned for its values each time: a generic plan expects a batch of a tenth of the table, and reads whole tables.
CREATE FUNCTION take_deliveries(p_endpoint_id uuid, p_batch_max integer, p_lease_seconds integer) RETURNS TABLE (
  delivery_id bigint, attempt integer, tries integer, taken_at timestamptz, url text, secrets text[],
  event_id bigint, type text, aggregate_id uuid, aggregate_sequence bigint, happened_at timestamptz, data json
) LANGUAGE plpgsql SET plan_cache_mode = 'force_custom_plan' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH due AS (
      SELECT d.delivery_id FROM webhook_deliveries d
      WHERE d.endpoint_id = p_endpoint_id AND d.state = 'PENDING' AND d.due_at <= statement_timestamp()
        AND EXISTS (SELECT FROM webhook_endpoints w
          WHERE w.endpoint_id = p_endpoint_id AND w.disabled_at IS NULL AND w.deleted_at IS NULL)
      ORDER BY d.due_at, d.delivery_id LIMIT p_batch_max FOR UPDATE OF d SKIP LOCKED),
    taken AS (
      UPDATE webhook_deliveries d
      SET attempts = d.attempts + 1, due_at = clock_timestamp() + make_interval(secs => p_lease_seconds)
      FROM due WHERE d.delivery_id = due.delivery_id
      RETURNING d.delivery_id, d.attempts, d.tries, d.endpoint_id, d.event_id)
    SELECT t.delivery_id, t.attempts, t.tries + 1, clock_timestamp(), w.url,
      CASE WHEN w.previous_secret_until > clock_timestamp() THEN ARRAY[w.secret, w.previous_secret] ELSE ARRAY[w.secret] END,
      s.event_id, s.type, s.aggregate_id, s.aggregate_sequence, s.happened_at,
      coalesce(s.data, json_build_object('endpointId', t.endpoint_id))
    FROM taken t JOIN webhook_endpoints w USING (endpoint_id) JOIN public_events s USING (event_id)
    ORDER BY t.event_id;
END $$;
