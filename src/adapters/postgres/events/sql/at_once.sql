-- at_once: the present time, rounded down to a column's milliseconds. A column would round up, to a moment that is
-- still to come. Replies the time.
CREATE FUNCTION at_once() RETURNS timestamptz LANGUAGE sql AS $$
  SELECT date_trunc('milliseconds', clock_timestamp());
$$;
