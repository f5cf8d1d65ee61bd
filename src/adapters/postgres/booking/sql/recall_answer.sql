-- recall_answer: finds the first answer to this idempotency key. Every command calls it first. NULL means that there is none,
-- and the caller gives it; repetitions wait for the end of this transaction.
-- Locks the idempotency key, by an advisory lock: it ends with its transaction, and a refused command has no row to delete.
-- Replies {answer, replayed: true} | {refusal} | NULL.
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
