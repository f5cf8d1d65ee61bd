-- change_endpoint: changes the properties that are not null. An endpoint that is enabled again continues where it stopped.
-- Locks the endpoint. Replies whether there is such an endpoint.
CREATE FUNCTION change_endpoint(p_endpoint_id uuid, p_url text, p_event_types text[], p_enabled boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE webhook_endpoints SET
    url = coalesce(p_url, url),
    event_types = coalesce(p_event_types, event_types),
    disabled_at = CASE p_enabled WHEN true THEN NULL WHEN false THEN coalesce(disabled_at, clock_timestamp()) ELSE disabled_at END,
    disabled_reason = CASE p_enabled WHEN true THEN NULL WHEN false THEN coalesce(disabled_reason, 'operator') ELSE disabled_reason END
  WHERE endpoint_id = p_endpoint_id AND deleted_at IS NULL;
  RETURN FOUND;
END $$;
