-- What must hold whatever the code above does. Each guard stands on its own; tests take away all that is above it.

-- A seat has at most one live reservation. By status, never by time: now() is not allowed in an index predicate, and a
-- lapsed hold is ended by whoever takes its seat, in the same statement.
CREATE UNIQUE INDEX reservation_seats_one_live ON reservation_seats (concert_id, date, seat_number)
  WHERE status IN ('HELD', 'CONFIRMED');

-- Finds a user's live seats for the limit, and lapsed holds for the expiry job.
CREATE INDEX reservations_live_by_user ON reservations (user_id, concert_id, date) WHERE status IN ('HELD', 'CONFIRMED');
CREATE INDEX seats_held_until ON seats (held_until) WHERE status = 'HELD';

ALTER TABLE seats
  ADD CONSTRAINT seats_number_bounds CHECK (seat_number BETWEEN 1 AND 1000000),
  -- The largest integer that a JSON number is sure to carry.
  ADD CONSTRAINT seats_price_bounds CHECK (price BETWEEN 0 AND 9007199254740991),
  ADD CONSTRAINT seats_held_by_a_reservation CHECK ((status = 'HELD') = (held_until IS NOT NULL)),
  ADD CONSTRAINT seats_taken_by_a_reservation CHECK ((status IN ('HELD', 'SOLD')) = (reservation_id IS NOT NULL)),
  ADD CONSTRAINT seats_sold_for_a_payment CHECK ((status = 'SOLD') = (payment_id IS NOT NULL));

ALTER TABLE concerts
  ADD CONSTRAINT concerts_active_max_bounds CHECK (active_max BETWEEN 1 AND 1000000),
  ADD CONSTRAINT concerts_waiting_max_bounds CHECK (waiting_max BETWEEN 1 AND 100000000),
  ADD CONSTRAINT concerts_session_seconds_bounds CHECK (session_seconds BETWEEN 1 AND 86400),
  ADD CONSTRAINT concerts_hold_seconds_bounds CHECK (hold_seconds BETWEEN 1 AND 3600),
  ADD CONSTRAINT concerts_seats_per_user_max_bounds CHECK (seats_per_user_max BETWEEN 1 AND 1000);

ALTER TABLE wallets
  ADD CONSTRAINT wallets_balance_not_negative CHECK (balance >= 0);

ALTER TABLE payments
  ADD CONSTRAINT payments_amount_not_negative CHECK (amount >= 0),
  ADD CONSTRAINT payments_balance_not_negative CHECK (balance >= 0);

ALTER TABLE ledger_entries
  ADD CONSTRAINT ledger_entries_wallet_has_user CHECK ((account = 'WALLET') = (user_id IS NOT NULL)),
  ADD CONSTRAINT ledger_entries_wallet_has_balance CHECK ((account = 'WALLET') = (balance_after IS NOT NULL));

-- A wallet's balance moves with its ledger entry and in no other way, so it is always the sum of its entries.
CREATE FUNCTION apply_entry_to_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE wallets SET balance = balance + NEW.amount WHERE user_id = NEW.user_id RETURNING balance INTO NEW.balance_after;
  RETURN NEW;
END $$;

CREATE TRIGGER ledger_entries_move_the_balance BEFORE INSERT ON ledger_entries
  FOR EACH ROW WHEN (NEW.account = 'WALLET') EXECUTE FUNCTION apply_entry_to_wallet();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is not allowed', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation', HINT = TG_ARGV[0];
END $$;

CREATE TRIGGER wallets_balance_moves_with_entries BEFORE UPDATE OF balance ON wallets
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change('add a ledger entry instead');
CREATE TRIGGER wallets_start_empty BEFORE INSERT ON wallets
  FOR EACH ROW WHEN (NEW.balance <> 0) EXECUTE FUNCTION refuse_change('add a ledger entry instead');

CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is only ever added to');
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is only ever added to');

-- The entries of a transaction sum to zero when it commits.
CREATE FUNCTION require_balanced_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_sum numeric;
BEGIN
  SELECT sum(amount) INTO v_sum FROM ledger_entries WHERE transaction_id = NEW.transaction_id;
  IF v_sum IS DISTINCT FROM 0 THEN
    RAISE EXCEPTION 'ledger transaction % sums to %, not 0', NEW.transaction_id, v_sum USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entries_sum_to_zero AFTER INSERT ON ledger_entries
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_transaction();
CREATE CONSTRAINT TRIGGER ledger_transactions_have_entries AFTER INSERT ON ledger_transactions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_transaction();
