-- best_block: finds the best adjacent free seats for a wish, in the first row that has room. p_enforce leaves out blocks that
-- would needlessly leave a seat single. STABLE lets all statements see one snapshot: otherwise a block could be freed in a row
-- already looked at while another is taken in a row to come. The same rule as `bestBlocks` in tests/support; a test keeps the
-- two equal.
-- Locks nothing. Replies the seat numbers, or NULL without such a block.
CREATE FUNCTION best_block(
  p_concert_id uuid, p_date date, p_quantity integer, p_section text, p_grade text, p_enforce boolean
) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  -- A constant lets free_seats be inlined, and its indexes be used.
  v_now timestamptz := clock_timestamp();
  v_rank integer := 0;
  v_block integer[];
BEGIN
  LOOP
    SELECT row_rank INTO v_rank FROM free_seats(p_concert_id, p_date, v_now)
    WHERE row_rank > v_rank AND (p_section IS NULL OR section = p_section) AND (p_grade IS NULL OR grade IS NOT DISTINCT FROM p_grade)
    GROUP BY row_rank HAVING count(*) >= p_quantity ORDER BY row_rank LIMIT 1;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    WITH free AS (
      SELECT *, (p_section IS NULL OR section = p_section) AND (p_grade IS NULL OR grade IS NOT DISTINCT FROM p_grade) AS fits
      FROM free_seats(p_concert_id, p_date, v_now) WHERE row_rank = v_rank),
    run AS (
      SELECT *, place - row_number() OVER (PARTITION BY section, row_label ORDER BY place) AS run FROM free),
    block AS (
      SELECT array_agg(seat_number) OVER ahead AS seat_numbers, count(*) FILTER (WHERE fits) OVER ahead AS fitting,
        row_number() OVER (whole ORDER BY place) - 1 AS left_of, count(*) OVER whole - p_quantity AS rest,
        off_centre, last_value(off_centre) OVER ahead AS last_off_centre
      FROM run
      WINDOW whole AS (PARTITION BY section, row_label, run),
        ahead AS (PARTITION BY section, row_label, run ORDER BY place ROWS BETWEEN CURRENT ROW AND p_quantity - 1 FOLLOWING))
    SELECT ARRAY(SELECT unnest(seat_numbers) ORDER BY 1) INTO v_block FROM block
    WHERE fitting = p_quantity AND NOT (p_enforce AND rest <> 1 AND (left_of = 1 OR rest - left_of = 1))
    ORDER BY (left_of = 1 OR rest - left_of = 1), (left_of % p_quantity <> 0), abs(off_centre + last_off_centre),
      (SELECT min(seat_number) FROM unnest(seat_numbers) AS seat_number)
    LIMIT 1;
    IF FOUND THEN
      RETURN v_block;
    END IF;
  END LOOP;
END $$;
