-- Users, their prepaid balances, and the double-entry ledger that explains every balance.

-- refuse_change: refuses the statement that fires it, and hints at what to do instead. Every append-only table uses it.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is not allowed', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation', HINT = TG_ARGV[0];
END $$;

CREATE TYPE ledger_kind AS ENUM ('CHARGE', 'PURCHASE', 'REFUND');
CREATE TYPE ledger_account AS ENUM ('WALLET', 'TOP_UPS', 'SALES');

CREATE TABLE users (
  user_id uuid NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT users_pkey PRIMARY KEY (user_id)
);

CREATE TABLE wallets (
  user_id uuid NOT NULL,
  balance bigint NOT NULL DEFAULT 0,
  currency char(3) NOT NULL,

  CONSTRAINT wallets_pkey PRIMARY KEY (user_id),
  CONSTRAINT wallets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (user_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT wallets_balance_not_negative CHECK (balance >= 0)
);

CREATE TABLE ledger_transactions (
  transaction_id uuid NOT NULL,
  kind ledger_kind NOT NULL,
  recorded_at timestamptz(3) NOT NULL,

  CONSTRAINT ledger_transactions_pkey PRIMARY KEY (transaction_id)
);

CREATE TABLE ledger_entries (
  entry_id bigserial NOT NULL,
  transaction_id uuid NOT NULL,
  account ledger_account NOT NULL,
  user_id uuid,
  amount bigint NOT NULL,
  balance_after bigint,

  CONSTRAINT ledger_entries_pkey PRIMARY KEY (entry_id),
  CONSTRAINT ledger_entries_transaction_id_fkey FOREIGN KEY (transaction_id)
    REFERENCES ledger_transactions (transaction_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT ledger_entries_user_id_fkey FOREIGN KEY (user_id) REFERENCES wallets (user_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT ledger_entries_wallet_has_user CHECK ((account = 'WALLET') = (user_id IS NOT NULL)),
  CONSTRAINT ledger_entries_wallet_has_balance CHECK ((account = 'WALLET') = (balance_after IS NOT NULL))
);

CREATE INDEX ledger_entries_transaction_id_idx ON ledger_entries (transaction_id);
CREATE INDEX ledger_entries_user_id_entry_id_idx ON ledger_entries (user_id, entry_id);

-- A balance changes by a ledger entry only, so it is always the sum of its entries.
CREATE FUNCTION apply_entry_to_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE wallets SET balance = balance + NEW.amount WHERE user_id = NEW.user_id RETURNING balance INTO NEW.balance_after;
  RETURN NEW;
END $$;

CREATE TRIGGER ledger_entries_move_the_balance BEFORE INSERT ON ledger_entries
  FOR EACH ROW WHEN (NEW.account = 'WALLET') EXECUTE FUNCTION apply_entry_to_wallet();
CREATE TRIGGER wallets_balance_moves_with_entries BEFORE UPDATE OF balance ON wallets
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change('add a ledger entry instead');
CREATE TRIGGER wallets_start_empty BEFORE INSERT ON wallets
  FOR EACH ROW WHEN (NEW.balance <> 0) EXECUTE FUNCTION refuse_change('add a ledger entry instead');

CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is append-only');
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is append-only');

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

-- The first answer of each command, written in the transaction of its effect.
CREATE TABLE idempotency_keys (
  user_id uuid NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  answer jsonb NOT NULL,
  answered_at timestamptz(3) NOT NULL,

  CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key),
  CONSTRAINT idempotency_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (user_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX idempotency_keys_answered_at_idx ON idempotency_keys (answered_at);
