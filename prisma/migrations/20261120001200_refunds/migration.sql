-- What is paid can be given back for its price, and a hold can be made to last longer.

ALTER TYPE "ledger_kind" ADD VALUE 'REFUND';

ALTER TABLE "concerts"
    ADD COLUMN "hold_seconds_max" INTEGER,
    ADD COLUMN "refund_until_seconds" INTEGER;

ALTER TABLE "outbox" ADD COLUMN "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

CREATE TABLE "refunds" (
    "refund_id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "balance" BIGINT NOT NULL,
    "refunded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("refund_id")
);

CREATE UNIQUE INDEX "refunds_payment_id_key" ON "refunds"("payment_id");

ALTER TABLE "refunds" ADD CONSTRAINT "refunds_refund_id_fkey" FOREIGN KEY ("refund_id") REFERENCES "ledger_transactions"("transaction_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "refunds" ADD CONSTRAINT "refunds_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("payment_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE concerts
  ADD CONSTRAINT concerts_hold_seconds_max_bounds CHECK (hold_seconds_max BETWEEN 0 AND 86400),
  ADD CONSTRAINT concerts_refund_until_seconds_bounds CHECK (refund_until_seconds BETWEEN -1 AND 31536000);

ALTER TABLE refunds
  ADD CONSTRAINT refunds_balance_not_negative CHECK (balance >= 0);

CREATE TRIGGER refunds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the money is back where it came from');

-- Or seats that were refunded could be had again without being paid for.
CREATE TRIGGER reservations_end_once BEFORE UPDATE OF status ON reservations FOR EACH ROW
  WHEN (OLD.status IN ('EXPIRED', 'CANCELLED') AND NEW.status <> OLD.status)
  EXECUTE FUNCTION refuse_change('what has ended stays ended: reserve again');

-- What is paid is given up for a refund, and what is refunded is given up: each side asks for the other when it commits.
CREATE FUNCTION require_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM refunds JOIN payments USING (payment_id) WHERE reservation_id = NEW.reservation_id) THEN
    RAISE EXCEPTION 'reservation % is paid and not refunded', NEW.reservation_id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER reservations_paid_end_by_refund AFTER UPDATE OF status ON reservations
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.status = 'CONFIRMED' AND NEW.status <> 'CONFIRMED') EXECUTE FUNCTION require_refund();

CREATE FUNCTION require_cancellation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM payments JOIN reservations USING (reservation_id)
             WHERE payment_id = NEW.payment_id AND status <> 'CANCELLED') THEN
    RAISE EXCEPTION 'payment % is refunded and its reservation not cancelled', NEW.payment_id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER refunds_end_the_reservation AFTER INSERT ON refunds
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_cancellation();
