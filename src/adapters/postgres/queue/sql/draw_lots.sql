-- draw_lots: closes the registration at p_count people, unless it is closed.
-- Locks the lottery. Replies the recorded draw, or no row without a lottery.
CREATE FUNCTION draw_lots(p_concert_id uuid, p_count bigint) RETURNS TABLE (seed text, count bigint) LANGUAGE sql AS $$
  UPDATE lotteries SET drawn_count = p_count, drawn_at = clock_timestamp()
  WHERE concert_id = p_concert_id AND drawn_count IS NULL;
  SELECT encode(seed, 'hex'), drawn_count FROM lotteries WHERE concert_id = p_concert_id;
$$;
