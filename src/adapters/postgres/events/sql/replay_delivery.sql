-- replay_delivery: sends a delivery again, whether it was delivered or failed.
-- Locks the delivery. Replies {answer} | {refusal}.
CREATE FUNCTION replay_delivery(p_endpoint_id uuid, p_delivery_id bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_state delivery_state;
BEGIN
  SELECT state INTO v_state FROM webhook_deliveries d JOIN webhook_endpoints w USING (endpoint_id)
  WHERE endpoint_id = p_endpoint_id AND delivery_id = p_delivery_id AND w.deleted_at IS NULL FOR UPDATE OF d;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'delivery-not-found');
  ELSIF v_state = 'PENDING' THEN
    RETURN jsonb_build_object('refusal', 'delivery-pending');
  END IF;
  UPDATE webhook_deliveries SET state = 'PENDING', tries = 0, ended_at = NULL, due_at = at_once()
  WHERE delivery_id = p_delivery_id;
  RETURN jsonb_build_object('answer', true);
END $$;
