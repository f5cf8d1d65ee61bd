-- keep_in_order: lets one transaction at a time begin or end deliveries of these aggregates, so that none overlooks another
-- when it decides which delivery is the earliest.
-- Locks one of 64 advisory locks per aggregate, ascending: a server has a limited number of locks for all sessions.
CREATE FUNCTION keep_in_order(p_aggregate_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_lock bigint;
BEGIN
  FOR v_lock IN
    SELECT DISTINCT hashtextextended(aggregate_id::text, 0) & 63 AS lock FROM unnest(p_aggregate_ids) AS aggregate_id ORDER BY lock
  LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended('webhook_deliveries ' || v_lock, 3));
  END LOOP;
END $$;
