-- create_endpoint: adds an endpoint, unless there are p_endpoints_max.
-- Locks the creation of endpoints. Replies {answer: {createdAt}} | {refusal, facts}.
CREATE FUNCTION create_endpoint(
  p_endpoint_id uuid, p_url text, p_event_types text[], p_secret text, p_endpoints_max integer
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_created_at timestamptz(3);
BEGIN
  -- Otherwise two concurrent calls could both be the last allowed.
  PERFORM pg_advisory_xact_lock(hashtextextended('webhook_endpoints', 3));
  IF (SELECT count(*) FROM webhook_endpoints WHERE deleted_at IS NULL) >= p_endpoints_max THEN
    RETURN jsonb_build_object('refusal', 'webhook-limit-reached', 'facts', jsonb_build_object('limit', p_endpoints_max));
  END IF;
  INSERT INTO webhook_endpoints (endpoint_id, url, event_types, secret)
  VALUES (p_endpoint_id, p_url, p_event_types, p_secret) RETURNING created_at INTO v_created_at;
  RETURN jsonb_build_object('answer', jsonb_build_object('createdAt', v_created_at));
END $$;
