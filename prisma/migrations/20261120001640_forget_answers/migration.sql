-- forget_answers: deletes up to p_batch_max answers older than p_hours. Replies how many.
-- As before; but by where the rows are. By their keys it was planned, for any p_batch_max, to read all answers there are.
CREATE OR REPLACE FUNCTION forget_answers(p_hours integer, p_batch_max integer) RETURNS integer LANGUAGE sql AS $$
  WITH forgotten AS (
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM idempotency_keys
      WHERE answered_at < statement_timestamp() - make_interval(hours => p_hours)
      ORDER BY answered_at LIMIT p_batch_max FOR UPDATE SKIP LOCKED))
    RETURNING 1)
  SELECT count(*)::integer FROM forgotten;
$$;
