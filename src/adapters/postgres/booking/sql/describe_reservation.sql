-- describe_reservation: builds a reservation as commands answer it. Locks nothing. Replies the JSON.
CREATE FUNCTION describe_reservation(p_reservation reservations, p_seat_numbers integer[]) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object(
    'reservationId', p_reservation.reservation_id, 'userId', p_reservation.user_id,
    'concertId', p_reservation.concert_id, 'date', p_reservation.date, 'seatNumbers', p_seat_numbers,
    'status', p_reservation.status, 'amount', p_reservation.amount, 'currency', p_reservation.currency,
    'heldUntil', p_reservation.held_until, 'heldForSeconds', p_reservation.held_for_seconds,
    'createdAt', p_reservation.created_at);
$$;
