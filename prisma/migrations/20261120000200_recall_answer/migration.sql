-- recall_answer: the answer that this user's request was given before, or NULL if there is none yet and the caller may
-- go on and give it. Waits for the same request under way elsewhere; from here until the transaction ends, repetitions wait.
-- Replies {answer, replayed: true} | {refusal} | NULL. Called first in every command: the key's lock precedes all others.
--
-- An advisory lock rather than an inserted row: it cannot outlive its transaction, and a refused command has nothing to take back.
CREATE FUNCTION recall_answer(p_user_id uuid, p_key text, p_fingerprint text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_known idempotency_keys%ROWTYPE;
BEGIN
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_user_id || ' ' || p_key, 0));
  EXCEPTION WHEN lock_not_available THEN
    RETURN jsonb_build_object('refusal', 'idempotency-key-in-use');
  END;
  SELECT * INTO v_known FROM idempotency_keys WHERE user_id = p_user_id AND key = p_key;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF v_known.fingerprint <> p_fingerprint THEN
    RETURN jsonb_build_object('refusal', 'idempotency-key-reused');
  END IF;
  RETURN jsonb_build_object('answer', v_known.answer, 'replayed', true);
END $$;

-- remember_answer: writes the first answer down, in the same transaction as its effect. Replies {answer, replayed: false}.
CREATE FUNCTION remember_answer(p_user_id uuid, p_key text, p_fingerprint text, p_answer jsonb) RETURNS jsonb LANGUAGE sql AS $$
  INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, answered_at)
  VALUES (p_user_id, p_key, p_fingerprint, p_answer, clock_timestamp());
  SELECT jsonb_build_object('answer', p_answer, 'replayed', false);
$$;

-- forget_answers: deletes up to p_batch_max answers older than p_hours. Replies how many.
CREATE FUNCTION forget_answers(p_hours integer, p_batch_max integer) RETURNS integer LANGUAGE sql AS $$
  WITH forgotten AS (
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
      SELECT user_id, key FROM idempotency_keys
      WHERE answered_at < statement_timestamp() - make_interval(hours => p_hours)
      ORDER BY answered_at LIMIT p_batch_max FOR UPDATE SKIP LOCKED)
    RETURNING 1)
  SELECT count(*)::integer FROM forgotten;
$$;
