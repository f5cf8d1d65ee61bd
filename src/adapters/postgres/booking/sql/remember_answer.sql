-- remember_answer: stores the first answer in the transaction of its effect. The caller has the key's lock by recall_answer.
-- Replies {answer, replayed: false}.
CREATE FUNCTION remember_answer(p_user_id uuid, p_key text, p_fingerprint text, p_answer jsonb) RETURNS jsonb LANGUAGE sql AS $$
  INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, answered_at)
  VALUES (p_user_id, p_key, p_fingerprint, p_answer, clock_timestamp());
  SELECT jsonb_build_object('answer', p_answer, 'replayed', false);
$$;
