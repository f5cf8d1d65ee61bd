-- lock_rows: lets one hold at a time decide about the rows of these seats. Otherwise two holds, one on each side of a free
-- seat, could leave it single together.
-- Locks the rows of the hall, ascending, until the transaction ends.
CREATE FUNCTION lock_rows(p_concert_id uuid, p_date date, p_seat_numbers integer[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_row bigint;
BEGIN
  FOR v_row IN
    SELECT DISTINCT hashtextextended(concat_ws(' ', p_concert_id, p_date, section, row_label), 1)
    FROM seat_locations WHERE concert_id = p_concert_id AND date = p_date AND seat_number = ANY (p_seat_numbers) ORDER BY 1
  LOOP
    PERFORM pg_advisory_xact_lock(v_row);
  END LOOP;
END $$;
