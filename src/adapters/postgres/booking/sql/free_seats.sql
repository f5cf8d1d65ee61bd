-- free_seats: the seats of a date that are free at p_at, by the rank of their row. Each half of the union has an index of its
-- own; the order lets a reader stop at the first row.
-- Locks nothing. Replies rows of seat_locations.
CREATE FUNCTION free_seats(p_concert_id uuid, p_date date, p_at timestamptz) RETURNS SETOF seat_locations
LANGUAGE sql STABLE AS $$
  (SELECT * FROM seat_locations WHERE concert_id = p_concert_id AND date = p_date AND status = 'AVAILABLE' ORDER BY row_rank)
  UNION ALL
  (SELECT * FROM seat_locations
   WHERE concert_id = p_concert_id AND date = p_date AND status = 'HELD' AND held_until <= p_at ORDER BY row_rank)
$$;
