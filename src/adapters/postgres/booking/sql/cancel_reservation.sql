-- cancel_reservation: gives the seats of a user's reservation back. The price of a paid one goes back to the wallet, up to
-- p_refund_until_seconds before the date starts; a negative value allows no refund. The wallet's row lock orders its ledger
-- entries: the newest entry has the present balance.
-- Locks, in this order: idempotency key, seats ascending, reservation, wallet.
-- Replies {answer: {reservation, refund?}, replayed} | {refusal}.
CREATE FUNCTION cancel_reservation(
  p_refund_id uuid, p_user_id uuid, p_reservation_id uuid, p_refund_until_seconds integer, p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb := recall_answer(p_user_id, p_key, p_fingerprint);
  v_reservation reservations%ROWTYPE;
  v_seat_numbers integer[];
  v_closes_at timestamptz;
  v_payment payments%ROWTYPE;
  v_balance bigint;
  v_refund jsonb := '{}';
  v_now timestamptz(3);
BEGIN
  IF v_known IS NOT NULL THEN
    RETURN v_known;
  END IF;

  SELECT * INTO v_reservation FROM reservations WHERE reservation_id = p_reservation_id AND user_id = p_user_id;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'reservation-not-found');
  END IF;
  SELECT array_agg(seat_number ORDER BY seat_number) INTO v_seat_numbers
  FROM reservation_seats WHERE reservation_id = p_reservation_id;

  PERFORM 1 FROM seats
  WHERE concert_id = v_reservation.concert_id AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers)
  ORDER BY seat_number FOR UPDATE;
  SELECT * INTO v_reservation FROM reservations WHERE reservation_id = p_reservation_id FOR UPDATE;
  IF v_reservation.status = 'CONFIRMED' THEN
    PERFORM 1 FROM wallets WHERE user_id = p_user_id FOR UPDATE;
  END IF;
  v_now := clock_timestamp();

  IF v_reservation.status = 'CANCELLED' THEN
    RETURN jsonb_build_object('refusal', 'already-cancelled');
  ELSIF v_reservation.status = 'EXPIRED' OR (v_reservation.status = 'HELD' AND v_reservation.held_until <= v_now) THEN
    RETURN jsonb_build_object('refusal', 'hold-expired');
  ELSIF v_reservation.status = 'CONFIRMED' THEN
    SELECT starts_at - make_interval(secs => p_refund_until_seconds) INTO v_closes_at
    FROM concert_dates WHERE concert_id = v_reservation.concert_id AND date = v_reservation.date;
    IF p_refund_until_seconds < 0 OR v_closes_at <= v_now THEN
      RETURN jsonb_build_object('refusal', 'refund-closed');
    END IF;

    SELECT * INTO v_payment FROM payments WHERE reservation_id = p_reservation_id;
    INSERT INTO ledger_transactions (transaction_id, kind, recorded_at) VALUES (p_refund_id, 'REFUND', v_now);
    INSERT INTO ledger_entries (transaction_id, account, user_id, amount)
    VALUES (p_refund_id, 'WALLET', p_user_id, v_payment.amount), (p_refund_id, 'SALES', NULL, -v_payment.amount);
    SELECT balance INTO v_balance FROM wallets WHERE user_id = p_user_id;
    INSERT INTO refunds (refund_id, payment_id, balance, refunded_at)
    VALUES (p_refund_id, v_payment.payment_id, v_balance, v_now);
    v_refund := jsonb_build_object('refund', jsonb_build_object(
      'refundId', p_refund_id, 'paymentId', v_payment.payment_id, 'amount', v_payment.amount,
      'currency', v_payment.currency, 'balance', v_balance, 'refundedAt', v_now));
  END IF;

  UPDATE seats SET status = 'AVAILABLE', held_until = NULL, reservation_id = NULL, payment_id = NULL
  WHERE reservation_id = p_reservation_id AND concert_id = v_reservation.concert_id
    AND date = v_reservation.date AND seat_number = ANY (v_seat_numbers);
  UPDATE reservations SET status = 'CANCELLED', ended_at = v_now WHERE reservation_id = p_reservation_id
  RETURNING * INTO v_reservation;
  INSERT INTO outbox_messages (reservation_id, due_at)
  VALUES (p_reservation_id, v_now + interval '1 second');

  RETURN remember_answer(p_user_id, p_key, p_fingerprint,
    jsonb_build_object('reservation', describe_reservation(v_reservation, v_seat_numbers)) || v_refund);
END $$;
