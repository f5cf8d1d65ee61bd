-- replay_delivery: sends a delivery again, whether it was delivered or failed.
-- Locks as begin_again. Replies {answer} | {refusal}.
CREATE FUNCTION replay_delivery(p_endpoint_id uuid, p_delivery_id bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_begun integer;
BEGIN
  IF EXISTS (SELECT FROM webhook_endpoints WHERE endpoint_id = p_endpoint_id AND deleted_at IS NULL) THEN
    v_begun := begin_again(p_endpoint_id, ARRAY[p_delivery_id], '{DELIVERED,FAILED}');
    IF v_begun > 0 THEN
      RETURN jsonb_build_object('answer', true);
    ELSIF EXISTS (SELECT FROM webhook_deliveries WHERE endpoint_id = p_endpoint_id AND delivery_id = p_delivery_id) THEN
      RETURN jsonb_build_object('refusal', 'delivery-pending');
    END IF;
  END IF;
  RETURN jsonb_build_object('refusal', 'delivery-not-found');
END $$;
