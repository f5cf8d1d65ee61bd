-- orphan_seats_of: the free seats that a hold of these seats would leave single although another choice in the same run would not.
-- A run with one seat more than the hold takes has no other choice. The same rule as `orphanSeatsOf` in tests/support; a test
-- keeps the two equal.
-- Locks nothing. Replies the seat numbers, or NULL if there are none or not all of the seats are free.
CREATE FUNCTION orphan_seats_of(p_concert_id uuid, p_date date, p_seat_numbers integer[]) RETURNS integer[] LANGUAGE sql AS $$
  WITH asked AS (
    SELECT DISTINCT section, row_label, row_first, row_last FROM seat_locations
    WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers)),
  free AS (
    SELECT section, row_label, place, seat_number, seat_number = ANY (p_seat_numbers) AS taken
    FROM asked JOIN seat_locations USING (section, row_label)
    WHERE concert_id = p_concert_id AND date = p_date AND seat_number BETWEEN asked.row_first AND asked.row_last
      AND (status = 'AVAILABLE' OR (status = 'HELD' AND held_until <= clock_timestamp()))),
  run AS (
    SELECT *, place - row_number() OVER (PARTITION BY section, row_label ORDER BY place) AS run FROM free),
  beside AS (
    SELECT seat_number, taken, lag(taken, 1, true) OVER nearby AS left_taken, lead(taken, 1, true) OVER nearby AS right_taken,
      count(*) FILTER (WHERE taken) OVER whole AS of_run_taken, count(*) FILTER (WHERE NOT taken) OVER whole AS of_run_left
    FROM run
    WINDOW whole AS (PARTITION BY section, row_label, run), nearby AS (whole ORDER BY place))
  SELECT array_agg(seat_number ORDER BY seat_number) FROM beside
  WHERE NOT taken AND left_taken AND right_taken AND of_run_taken > 0 AND of_run_left > 1
    AND (SELECT count(*) FROM free WHERE taken) = cardinality(p_seat_numbers)
$$;
