-- find_session: the time left of a queue entry's session, as far as Postgres knows. A session is on record if the entry
-- was admitted and nothing followed, or if it holds seats. A payment ends the session, refunded or not.
-- Locks nothing. Replies milliseconds, or NULL without a session on record.
CREATE FUNCTION find_session(
  p_concert_id uuid, p_user_id uuid, p_sequence bigint, p_epoch text, p_session_seconds integer
) RETURNS bigint LANGUAGE sql AS $$
  WITH last AS (
    SELECT kind, happened_at FROM queue_events WHERE concert_id = p_concert_id AND sequence = p_sequence
    ORDER BY logged_ms DESC, logged_counter DESC, logged_index DESC LIMIT 1),
  ends AS (
    SELECT happened_at + make_interval(secs => p_session_seconds) AS at FROM last WHERE kind = 'admitted'
    UNION ALL
    SELECT held_until FROM reservations
    WHERE user_id = p_user_id AND concert_id = p_concert_id AND sequence = p_sequence AND epoch = p_epoch AND status = 'HELD')
  SELECT ceil(extract(epoch FROM max(at) - clock_timestamp()) * 1000)::bigint FROM ends
  WHERE at > clock_timestamp()
    AND EXISTS (SELECT FROM queues WHERE concert_id = p_concert_id AND epoch = p_epoch)
    -- A hold proves the admission, even if that is not on record yet.
    AND NOT EXISTS (SELECT FROM last WHERE kind <> 'admitted')
    AND NOT EXISTS (
      SELECT FROM payments JOIN reservations r USING (reservation_id)
      WHERE payments.user_id = p_user_id AND r.concert_id = p_concert_id AND r.sequence = p_sequence AND r.epoch = p_epoch)
$$;
