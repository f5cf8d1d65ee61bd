-- Reservations, payments and refunds, and the outbox of what Redis must still learn.

CREATE TYPE reservation_status AS ENUM ('HELD', 'CONFIRMED', 'EXPIRED', 'CANCELLED');

-- The limit row of a user: holds of one user for one date wait for each other here.
CREATE TABLE buyers (
  concert_id uuid NOT NULL,
  date date NOT NULL,
  user_id uuid NOT NULL,

  CONSTRAINT buyers_pkey PRIMARY KEY (concert_id, date, user_id),
  CONSTRAINT buyers_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (user_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- sequence and epoch name the queue entry whose session a hold extends and a payment ends. extensions counts how often the
-- deadline was moved.
CREATE TABLE reservations (
  reservation_id uuid NOT NULL,
  user_id uuid NOT NULL,
  concert_id uuid NOT NULL,
  date date NOT NULL,
  status reservation_status NOT NULL DEFAULT 'HELD',
  amount bigint NOT NULL,
  currency char(3) NOT NULL,
  held_until timestamptz(3) NOT NULL,
  held_for_seconds integer NOT NULL,
  extensions integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL,
  ended_at timestamptz(3),
  sequence bigint,
  epoch text,

  CONSTRAINT reservations_pkey PRIMARY KEY (reservation_id),
  CONSTRAINT reservations_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (user_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX reservations_user_id_reservation_id_idx ON reservations (user_id, reservation_id);
CREATE UNIQUE INDEX reservations_reservation_id_status_key ON reservations (reservation_id, status);
-- The limit of seats per user is counted here.
CREATE INDEX reservations_live_by_user ON reservations (user_id, concert_id, date) WHERE status IN ('HELD', 'CONFIRMED');
-- Finds refunded reservations. Holding and paying never add to it.
CREATE INDEX reservations_cancelled ON reservations (concert_id) WHERE status = 'CANCELLED';

CREATE TABLE reservation_seats (
  reservation_id uuid NOT NULL,
  concert_id uuid NOT NULL,
  date date NOT NULL,
  seat_number integer NOT NULL,
  fence bigint NOT NULL,
  price bigint NOT NULL,
  status reservation_status NOT NULL DEFAULT 'HELD',

  CONSTRAINT reservation_seats_pkey PRIMARY KEY (reservation_id, seat_number),
  CONSTRAINT reservation_seats_reservation_id_status_fkey FOREIGN KEY (reservation_id, status)
    REFERENCES reservations (reservation_id, status) ON UPDATE CASCADE ON DELETE RESTRICT,
  CONSTRAINT reservation_seats_concert_id_date_seat_number_fkey FOREIGN KEY (concert_id, date, seat_number)
    REFERENCES seats (concert_id, date, seat_number) ON UPDATE RESTRICT ON DELETE RESTRICT
);

-- A seat has at most one live reservation. By status, never by time: an index predicate cannot use now(), and a hold of a
-- lapsed seat ends the old reservation in the same statement.
CREATE UNIQUE INDEX reservation_seats_one_live ON reservation_seats (concert_id, date, seat_number)
  WHERE status IN ('HELD', 'CONFIRMED');
CREATE UNIQUE INDEX reservation_seats_of_a_taking
  ON reservation_seats (reservation_id, concert_id, date, seat_number, fence);

CREATE TABLE payments (
  payment_id uuid NOT NULL,
  reservation_id uuid NOT NULL,
  user_id uuid NOT NULL,
  amount bigint NOT NULL,
  currency char(3) NOT NULL,
  balance bigint NOT NULL,
  paid_at timestamptz(3) NOT NULL,

  CONSTRAINT payments_pkey PRIMARY KEY (payment_id),
  CONSTRAINT payments_payment_id_fkey FOREIGN KEY (payment_id)
    REFERENCES ledger_transactions (transaction_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT payments_reservation_id_fkey FOREIGN KEY (reservation_id)
    REFERENCES reservations (reservation_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT payments_amount_not_negative CHECK (amount >= 0),
  CONSTRAINT payments_balance_not_negative CHECK (balance >= 0)
);

CREATE UNIQUE INDEX payments_reservation_id_key ON payments (reservation_id);
CREATE UNIQUE INDEX payments_payment_id_reservation_id_key ON payments (payment_id, reservation_id);
CREATE INDEX payments_user_id_payment_id_idx ON payments (user_id, payment_id);

CREATE TABLE refunds (
  refund_id uuid NOT NULL,
  payment_id uuid NOT NULL,
  balance bigint NOT NULL,
  refunded_at timestamptz(3) NOT NULL,

  CONSTRAINT refunds_pkey PRIMARY KEY (refund_id),
  CONSTRAINT refunds_refund_id_fkey FOREIGN KEY (refund_id)
    REFERENCES ledger_transactions (transaction_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT refunds_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments (payment_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT refunds_balance_not_negative CHECK (balance >= 0)
);

CREATE UNIQUE INDEX refunds_payment_id_key ON refunds (payment_id);

-- What Redis must still learn of a reservation. A row is deleted once Redis has learnt it.
CREATE TABLE outbox_messages (
  message_id bigserial NOT NULL,
  reservation_id uuid NOT NULL,
  sequence bigint,
  epoch text,
  due_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT outbox_messages_pkey PRIMARY KEY (message_id),
  CONSTRAINT outbox_messages_reservation_id_fkey FOREIGN KEY (reservation_id)
    REFERENCES reservations (reservation_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE INDEX outbox_messages_due_at_idx ON outbox_messages (due_at);

-- Outbox rows are deleted, the reservation stays: it keeps the queue entry of its last command.
CREATE FUNCTION record_queue_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE reservations SET sequence = NEW.sequence, epoch = NEW.epoch WHERE reservation_id = NEW.reservation_id;
  RETURN NULL;
END $$;

CREATE TRIGGER outbox_messages_record_the_entry AFTER INSERT ON outbox_messages
  FOR EACH ROW WHEN (NEW.sequence IS NOT NULL) EXECUTE FUNCTION record_queue_entry();

-- A seat points at the record of its own taking, the fence included, and at the payment of its own reservation. So neither
-- an overtaken hold nor a payment for something else can end up in it.
ALTER TABLE seats
  ADD CONSTRAINT seats_taken_on_record_fkey FOREIGN KEY (reservation_id, concert_id, date, seat_number, fence)
    REFERENCES reservation_seats (reservation_id, concert_id, date, seat_number, fence) ON UPDATE RESTRICT ON DELETE RESTRICT,
  ADD CONSTRAINT seats_payment_of_the_reservation_fkey FOREIGN KEY (payment_id, reservation_id)
    REFERENCES payments (payment_id, reservation_id) ON UPDATE RESTRICT ON DELETE RESTRICT;

CREATE TRIGGER payments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('refund it instead');
CREATE TRIGGER refunds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the money is back in the wallet');

-- Otherwise refunded seats could be had again without payment.
CREATE TRIGGER reservations_end_once BEFORE UPDATE OF status ON reservations FOR EACH ROW
  WHEN (OLD.status IN ('EXPIRED', 'CANCELLED') AND NEW.status <> OLD.status)
  EXECUTE FUNCTION refuse_change('an ended reservation stays ended: reserve again');

-- A paid reservation ends by a refund, and a refund ends its reservation: each side checks the other at commit.
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
