-- What has become of each seat, change by change. Written by triggers, so that no command can forget it; only ever added to.
-- That a seat was made is not in it: it is there, free, since its concert was put on sale. A row for each of 200,000 seats would
-- make that take twice as long.
-- No foreign keys: it says what seats, reservations and payments were, which none of them can deny.

-- What is known of the time before is filled in below, and nobody changes a seat meanwhile: holds, payments and whatever gives
-- seats back wait, for as long as it takes to copy all holds there ever were; what only reads does not. None of those who wait has locked anything but the key of
-- its request and a limit row.
LOCK TABLE seats IN EXCLUSIVE MODE;

CREATE TABLE "seat_history" (
    "change_id" BIGSERIAL NOT NULL,
    "concert_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "seat_number" INTEGER NOT NULL,
    "change" TEXT NOT NULL,
    "fence" BIGINT NOT NULL,
    "reservation_id" UUID,
    "payment_id" UUID,
    "price" BIGINT NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "seat_history_pkey" PRIMARY KEY ("change_id")
);

CREATE INDEX "seat_history_concert_id_date_seat_number_change_id_idx" ON "seat_history"("concert_id", "date", "seat_number", "change_id");

ALTER TABLE seat_history
  ADD CONSTRAINT seat_history_change_known
    CHECK (change IN ('held', 'released', 'expired', 'sold', 'refunded', 'blocked', 'unblocked')),
  ADD CONSTRAINT seat_history_names_the_reservation
    CHECK ((change IN ('held', 'released', 'expired', 'sold', 'refunded')) = (reservation_id IS NOT NULL)),
  ADD CONSTRAINT seat_history_names_the_payment CHECK ((change IN ('sold', 'refunded')) = (payment_id IS NOT NULL));

-- What is known of the time before; a seat that has not been tidied after its hold ran out is yet to change.
INSERT INTO seat_history (concert_id, date, seat_number, change, fence, reservation_id, payment_id, price, changed_at)
SELECT concert_id, date, seat_number, known.change, rs.fence, r.reservation_id, known.payment_id, rs.price, known.changed_at
FROM reservation_seats rs
  JOIN reservations r USING (reservation_id, concert_id, date)
  JOIN seats s USING (concert_id, date, seat_number)
  LEFT JOIN payments p ON p.reservation_id = r.reservation_id
  LEFT JOIN refunds f ON f.payment_id = p.payment_id
  CROSS JOIN LATERAL (VALUES
    ('held', NULL::uuid, r.created_at, 1),
    ('sold', p.payment_id, p.paid_at, 2),
    ('refunded', p.payment_id, f.refunded_at, 3),
    ('released', NULL, CASE WHEN r.status = 'CANCELLED' AND p.payment_id IS NULL THEN r.ended_at END, 3),
    ('expired', NULL, CASE WHEN r.status = 'EXPIRED' AND s.reservation_id IS DISTINCT FROM r.reservation_id THEN r.ended_at END, 3)
  ) AS known (change, payment_id, changed_at, step)
WHERE known.changed_at IS NOT NULL
ORDER BY known.changed_at, rs.fence, step;

-- What was blocked and unblocked was not written down: that a seat is blocked is dated now.
INSERT INTO seat_history (concert_id, date, seat_number, change, fence, reservation_id, payment_id, price, changed_at)
SELECT concert_id, date, seat_number, 'blocked', fence, NULL, NULL, price, clock_timestamp() FROM seats WHERE status = 'BLOCKED'
ORDER BY concert_id, date, seat_number;

CREATE TRIGGER seat_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seat_history
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what happened to a seat has happened');

-- record_seat_change: what a seat was before ends, and what it is from now on begins. A hold that somebody else takes over, or
-- that gives way to a block, has run out; one that leaves the seat free has, if it had when the statement began: as whoever
-- tidies it compares.
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

-- For each row: a hold or a payment changes a seat or a few, and for so few a join of transition tables is no cheaper.
CREATE TRIGGER seats_changed_are_history AFTER UPDATE ON seats FOR EACH ROW
  WHEN ((OLD.status, OLD.reservation_id, OLD.payment_id) IS DISTINCT FROM (NEW.status, NEW.reservation_id, NEW.payment_id))
  EXECUTE FUNCTION record_seat_change();

-- Of those that are made, the ones that are not free: a plan may have blocked some.
CREATE TRIGGER seats_made_are_history AFTER INSERT ON seats FOR EACH ROW
  WHEN (NEW.status <> 'AVAILABLE') EXECUTE FUNCTION record_seat_change();
