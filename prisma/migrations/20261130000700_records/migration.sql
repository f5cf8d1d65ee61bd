-- The history of each seat, change by change. Triggers write it, so no command can forget it.

-- No row says that a seat was created: a row for each of 200,000 seats would double the time to put a concert on sale.
-- No foreign keys: the history says what seats, reservations and payments were, and none of them can deny it.
CREATE TABLE seat_history (
  change_id bigserial NOT NULL,
  concert_id uuid NOT NULL,
  date date NOT NULL,
  seat_number integer NOT NULL,
  change text NOT NULL,
  fence bigint NOT NULL,
  reservation_id uuid,
  payment_id uuid,
  price bigint NOT NULL,
  changed_at timestamptz(3) NOT NULL,

  CONSTRAINT seat_history_pkey PRIMARY KEY (change_id),
  CONSTRAINT seat_history_change_known
    CHECK (change IN ('held', 'released', 'expired', 'sold', 'refunded', 'blocked', 'unblocked')),
  CONSTRAINT seat_history_names_the_reservation
    CHECK ((change IN ('held', 'released', 'expired', 'sold', 'refunded')) = (reservation_id IS NOT NULL)),
  CONSTRAINT seat_history_names_the_payment CHECK ((change IN ('sold', 'refunded')) = (payment_id IS NOT NULL))
);

CREATE INDEX seat_history_concert_id_date_seat_number_change_id_idx
  ON seat_history (concert_id, date, seat_number, change_id);

CREATE TRIGGER seat_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seat_history
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the history of a seat is append-only');

-- record_seat_change: writes the end of a seat's old state and the beginning of its new one. A hold that another hold or a
-- block replaces has expired. A hold that leaves the seat free has expired if its deadline was past when the statement
-- began, as the expiry job compares.
CREATE FUNCTION record_seat_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_ended text;
  v_begun text := CASE NEW.status WHEN 'HELD' THEN 'held' WHEN 'SOLD' THEN 'sold' WHEN 'BLOCKED' THEN 'blocked' END;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    v_ended := CASE OLD.status
      WHEN 'HELD' THEN CASE
        WHEN NEW.status = 'SOLD' AND NEW.reservation_id = OLD.reservation_id THEN NULL
        WHEN NEW.status = 'AVAILABLE' AND OLD.held_until > statement_timestamp() THEN 'released'
        ELSE 'expired' END
      WHEN 'SOLD' THEN 'refunded'
      WHEN 'BLOCKED' THEN 'unblocked' END;
  END IF;
  IF v_ended IS NOT NULL THEN
    INSERT INTO seat_history (concert_id, date, seat_number, change, fence, reservation_id, payment_id, price, changed_at)
    VALUES (OLD.concert_id, OLD.date, OLD.seat_number, v_ended, OLD.fence, OLD.reservation_id, OLD.payment_id, OLD.price, clock_timestamp());
  END IF;
  IF v_begun IS NOT NULL THEN
    INSERT INTO seat_history (concert_id, date, seat_number, change, fence, reservation_id, payment_id, price, changed_at)
    VALUES (NEW.concert_id, NEW.date, NEW.seat_number, v_begun, NEW.fence, NEW.reservation_id, NEW.payment_id, NEW.price, clock_timestamp());
  END IF;
  RETURN NULL;
END $$;

-- For each row: a hold or a payment changes few seats, and a join of transition tables is no cheaper for so few.
CREATE TRIGGER seats_changed_are_history AFTER UPDATE ON seats FOR EACH ROW
  WHEN ((OLD.status, OLD.reservation_id, OLD.payment_id) IS DISTINCT FROM (NEW.status, NEW.reservation_id, NEW.payment_id))
  EXECUTE FUNCTION record_seat_change();

-- A seat that is created free has no history yet; a plan may have blocked it.
CREATE TRIGGER seats_made_are_history AFTER INSERT ON seats FOR EACH ROW
  WHEN (NEW.status <> 'AVAILABLE') EXECUTE FUNCTION record_seat_change();
