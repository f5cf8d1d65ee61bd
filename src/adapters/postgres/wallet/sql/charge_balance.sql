-- charge_balance: adds an amount to a user's wallet, once per idempotency key.
-- Locks, in this order: idempotency key, wallet.
-- Replies {answer, replayed} | {refusal, facts}.
CREATE FUNCTION charge_balance(
  p_charge_id uuid, p_user_id uuid, p_amount bigint, p_balance_max bigint, p_key text, p_fingerprint text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_known jsonb := recall_answer(p_user_id, p_key, p_fingerprint);
  v_wallet wallets%ROWTYPE;
  v_now timestamptz(3);
BEGIN
  IF v_known IS NOT NULL THEN
    RETURN v_known;
  END IF;

  SELECT * INTO v_wallet FROM wallets WHERE user_id = p_user_id FOR UPDATE;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'user-not-found');
  ELSIF v_wallet.balance + p_amount > p_balance_max THEN
    RETURN jsonb_build_object('refusal', 'amount-out-of-range',
      'facts', jsonb_build_object('min', 1, 'max', greatest(0, p_balance_max - v_wallet.balance)));
  END IF;
  v_now := clock_timestamp();

  INSERT INTO ledger_transactions (transaction_id, kind, recorded_at) VALUES (p_charge_id, 'CHARGE', v_now);
  INSERT INTO ledger_entries (transaction_id, account, user_id, amount)
  VALUES (p_charge_id, 'WALLET', p_user_id, p_amount), (p_charge_id, 'TOP_UPS', NULL, -p_amount);
  SELECT * INTO v_wallet FROM wallets WHERE user_id = p_user_id;

  RETURN remember_answer(p_user_id, p_key, p_fingerprint, jsonb_build_object(
    'chargeId', p_charge_id, 'userId', p_user_id, 'amount', p_amount, 'balance', v_wallet.balance,
    'currency', v_wallet.currency, 'chargedAt', v_now));
END $$;
