-- expire_holds: frees up to p_batch_max seats whose hold has lapsed, and ends their reservations. It compares with
-- statement_timestamp(), which unlike clock_timestamp() can be looked up in an index.
-- Locks, in this order: seats ascending (skipping locked ones until the next run), reservations ascending.
-- Replies the number of seats.
CREATE FUNCTION expire_holds(p_batch_max integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_lapsed uuid[];
  v_tidied integer;
BEGIN
  WITH lapsed AS (
    SELECT concert_id, date, seat_number, reservation_id FROM seats
    WHERE status = 'HELD' AND held_until <= statement_timestamp()
    ORDER BY concert_id, date, seat_number LIMIT p_batch_max FOR UPDATE SKIP LOCKED),
  tidied AS (
    UPDATE seats s SET status = 'AVAILABLE', held_until = NULL, reservation_id = NULL
    FROM lapsed WHERE (s.concert_id, s.date, s.seat_number) = (lapsed.concert_id, lapsed.date, lapsed.seat_number)
    RETURNING lapsed.reservation_id)
  SELECT count(*), array_agg(DISTINCT reservation_id) INTO v_tidied, v_lapsed FROM tidied;

  UPDATE reservations SET status = 'EXPIRED', ended_at = held_until
  WHERE reservation_id IN (
    SELECT reservation_id FROM reservations WHERE reservation_id = ANY (v_lapsed) AND status = 'HELD'
    ORDER BY reservation_id FOR UPDATE);
  RETURN v_tidied;
END $$;
