-- take_due_aftermaths: up to p_batch_max rows of the outbox that are due, each put off by p_lease_seconds so that nobody else
-- takes it meanwhile; a row that is not deleted by then comes again. With each comes what holds now of its reservation.
-- In place of take_aftermaths: whether it was paid cannot be told from the status any more, since a payment may be refunded
-- before its session has been ended.
CREATE FUNCTION take_due_aftermaths(p_batch_max integer, p_lease_seconds integer) RETURNS TABLE (
  event_id bigint, sequence bigint, epoch text, reservation_id uuid, user_id uuid, concert_id uuid, date date,
  seat_numbers integer[], status reservation_status, paid boolean, remaining_ms bigint
) LANGUAGE sql AS $$
  WITH due AS (
    SELECT o.event_id FROM outbox o WHERE o.due_at <= statement_timestamp()
    ORDER BY o.due_at LIMIT p_batch_max FOR UPDATE SKIP LOCKED),
  taken AS (
    UPDATE outbox o SET due_at = clock_timestamp() + make_interval(secs => p_lease_seconds)
    FROM due WHERE o.event_id = due.event_id
    RETURNING o.event_id, o.sequence, o.epoch, o.reservation_id)
  SELECT t.event_id, t.sequence, t.epoch, r.reservation_id, r.user_id, r.concert_id, r.date,
    ARRAY(SELECT seat_number FROM reservation_seats rs WHERE rs.reservation_id = r.reservation_id ORDER BY seat_number),
    r.status,
    EXISTS (SELECT FROM payments p WHERE p.reservation_id = r.reservation_id),
    CASE WHEN r.status = 'HELD' THEN greatest(0, ceil(extract(epoch FROM r.held_until - clock_timestamp()) * 1000))::bigint ELSE 0 END
  FROM taken t JOIN reservations r USING (reservation_id)
  ORDER BY t.event_id;
$$;
