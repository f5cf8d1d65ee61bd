-- pay_reservation: takes the price from the user's wallet and gives the seats to the user, together or not at all.
-- Locks, in this order: idempotency key, the user's limit row, seats ascending, reservation, wallet.
-- Replies {answer, replayed, date, seatNumbers} | {refusal, facts}.
CREATE FUNCTION pay_reservation(
  p_payment_id uuid, p_user_id uuid, p_concert_id uuid, p_reservation_id uuid, p_sequence bigint, p_epoch text,
  p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb := recall_answer(p_user_id, p_key, p_fingerprint);
  v_reservation reservations%ROWTYPE;
  v_seat_numbers integer[];
  v_ours integer;
  v_balance bigint;
  v_currency char(3);
  v_now timestamptz(3);
BEGIN
  IF v_known ? 'refusal' THEN
    RETURN v_known;
  END IF;

  SELECT array_agg(seat_number ORDER BY seat_number) INTO v_seat_numbers
  FROM reservation_seats JOIN reservations USING (reservation_id)
  WHERE reservation_id = p_reservation_id AND user_id = p_user_id AND reservations.concert_id = p_concert_id;
  IF v_seat_numbers IS NULL THEN
    RETURN jsonb_build_object('refusal', 'reservation-not-found');
  END IF;
  SELECT * INTO v_reservation FROM reservations WHERE reservation_id = p_reservation_id;
  IF v_known IS NOT NULL THEN
    RETURN v_known || jsonb_build_object('date', v_reservation.date, 'seatNumbers', v_seat_numbers);
  END IF;

  -- Otherwise a concurrent hold of the same user could count these seats as lapsed while they are paid.
  PERFORM 1 FROM buyers WHERE concert_id = p_concert_id AND date = v_reservation.date AND user_id = p_user_id FOR UPDATE;
  PERFORM 1 FROM seats
  WHERE concert_id = p_concert_id AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers)
  ORDER BY seat_number FOR UPDATE;
  SELECT * INTO v_reservation FROM reservations WHERE reservation_id = p_reservation_id FOR UPDATE;
  SELECT balance, currency INTO v_balance, v_currency FROM wallets WHERE user_id = p_user_id FOR UPDATE;
  v_now := clock_timestamp();

  SELECT count(*) INTO v_ours FROM seats s JOIN reservation_seats USING (concert_id, date, seat_number, fence)
  WHERE reservation_seats.reservation_id = p_reservation_id AND s.reservation_id = p_reservation_id AND s.status = 'HELD';

  IF v_reservation.status = 'CONFIRMED' THEN
    RETURN jsonb_build_object('refusal', 'already-paid');
  ELSIF v_reservation.status = 'CANCELLED' THEN
    RETURN jsonb_build_object('refusal', 'reservation-not-held');
  ELSIF v_reservation.status = 'EXPIRED' OR v_reservation.held_until <= v_now OR v_ours <> cardinality(v_seat_numbers) THEN
    RETURN jsonb_build_object('refusal', 'hold-expired');
  ELSIF v_balance < v_reservation.amount THEN
    RETURN jsonb_build_object('refusal', 'insufficient-balance',
      'facts', jsonb_build_object('required', v_reservation.amount, 'balance', v_balance));
  END IF;

  -- An error of the operator, not of the client: all wallets and concerts of an installation have one currency.
  IF v_currency <> v_reservation.currency THEN
    RAISE EXCEPTION 'a price in % cannot be taken from a wallet in %', v_reservation.currency, v_currency;
  END IF;

  INSERT INTO ledger_transactions (transaction_id, kind, recorded_at) VALUES (p_payment_id, 'PURCHASE', v_now);
  INSERT INTO ledger_entries (transaction_id, account, user_id, amount)
  VALUES (p_payment_id, 'WALLET', p_user_id, -v_reservation.amount), (p_payment_id, 'SALES', NULL, v_reservation.amount);
  SELECT balance INTO v_balance FROM wallets WHERE user_id = p_user_id;

  INSERT INTO payments (payment_id, reservation_id, user_id, amount, currency, balance, paid_at)
  VALUES (p_payment_id, p_reservation_id, p_user_id, v_reservation.amount, v_reservation.currency, v_balance, v_now);
  UPDATE seats SET status = 'SOLD', held_until = NULL, payment_id = p_payment_id
  WHERE concert_id = p_concert_id AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers);
  UPDATE reservations SET status = 'CONFIRMED', ended_at = v_now WHERE reservation_id = p_reservation_id;

  INSERT INTO outbox_messages (reservation_id, sequence, epoch, due_at)
  VALUES (p_reservation_id, p_sequence, p_epoch, v_now + interval '1 second');

  RETURN remember_answer(p_user_id, p_key, p_fingerprint, jsonb_build_object(
      'paymentId', p_payment_id, 'reservationId', p_reservation_id, 'userId', p_user_id,
      'amount', v_reservation.amount, 'currency', v_reservation.currency, 'balance', v_balance, 'paidAt', v_now))
    || jsonb_build_object('date', v_reservation.date, 'seatNumbers', v_seat_numbers);
END $$;
