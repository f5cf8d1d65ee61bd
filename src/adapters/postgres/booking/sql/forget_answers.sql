-- forget_answers: deletes up to p_batch_max answers older than p_hours. It deletes by ctid: by key, every plan read the
-- whole table.
-- Locks the deleted rows, skipping locked ones. Replies the number of answers.
CREATE FUNCTION forget_answers(p_hours integer, p_batch_max integer) RETURNS integer LANGUAGE sql AS $$
  WITH forgotten AS (
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM idempotency_keys
      WHERE answered_at < statement_timestamp() - make_interval(hours => p_hours)
      ORDER BY answered_at LIMIT p_batch_max FOR UPDATE SKIP LOCKED))
    RETURNING 1)
  SELECT count(*)::integer FROM forgotten;
$$;
