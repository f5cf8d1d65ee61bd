-- take_outbox_messages: takes up to p_batch_max due messages of the outbox and puts each off by p_lease_seconds; a message that is
-- not deleted by then comes again. Each comes with the present state of its reservation and with a version, which changes with
-- status and deadline. `paid` is a column of its own, because a payment may be refunded before its session has ended.
-- Locks the rows taken, skipping locked ones. Replies the rows, oldest first.
CREATE FUNCTION take_outbox_messages(p_batch_max integer, p_lease_seconds integer) RETURNS TABLE (
  message_id bigint, version text, sequence bigint, epoch text, reservation_id uuid, user_id uuid, concert_id uuid, date date,
  seat_numbers integer[], status reservation_status, paid boolean, remaining_ms bigint
) LANGUAGE sql AS $$
  WITH due AS (
    SELECT o.message_id FROM outbox_messages o WHERE o.due_at <= statement_timestamp()
    ORDER BY o.due_at LIMIT p_batch_max FOR UPDATE SKIP LOCKED),
  taken AS (
    UPDATE outbox_messages o SET due_at = clock_timestamp() + make_interval(secs => p_lease_seconds)
    FROM due WHERE o.message_id = due.message_id
    RETURNING o.message_id, o.sequence, o.epoch, o.reservation_id)
  SELECT t.message_id, r.status || '-' || r.extensions, t.sequence, t.epoch, r.reservation_id, r.user_id, r.concert_id, r.date,
    ARRAY(SELECT seat_number FROM reservation_seats rs WHERE rs.reservation_id = r.reservation_id ORDER BY seat_number),
    r.status,
    EXISTS (SELECT FROM payments p WHERE p.reservation_id = r.reservation_id),
    CASE WHEN r.status = 'HELD' THEN greatest(0, ceil(extract(epoch FROM r.held_until - clock_timestamp()) * 1000))::bigint ELSE 0 END
  FROM taken t JOIN reservations r USING (reservation_id)
  ORDER BY t.message_id;
$$;
