-- What other services are told of: written by triggers, so that whatever statement makes a change writes its event too.

-- For the triggers below. Every command that writes reservations, payments or refunds has locked its seats before: once this is
-- granted nobody is at work on them, whatever order they are written in.
LOCK TABLE seats IN EXCLUSIVE MODE;
LOCK TABLE reservations, payments, refunds, line_events IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE "events" (
    "event_id" BIGSERIAL NOT NULL,
    "type" TEXT NOT NULL,
    "aggregate_id" UUID NOT NULL,
    "happened_at" TIMESTAMPTZ(3) NOT NULL,
    "written_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "held_until" TIMESTAMPTZ(3),
    "sequences" BIGINT[],
    "relayed_at" TIMESTAMPTZ(3),

    CONSTRAINT "events_pkey" PRIMARY KEY ("event_id")
);

CREATE TABLE "relays" (
    "relay" TEXT NOT NULL,
    "term" BIGINT NOT NULL DEFAULT 0,
    "leased_until" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "unsettled" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "relays_pkey" PRIMARY KEY ("relay")
);

ALTER TABLE events
  ADD CONSTRAINT events_type_known CHECK (type IN (
    'reservation.held', 'reservation.extended', 'reservation.expired', 'reservation.cancelled',
    'payment.captured', 'payment.refunded', 'queue.admitted', 'webhook.test'));

CREATE INDEX events_waiting ON events (event_id) WHERE relayed_at IS NULL;

CREATE TRIGGER events_happened BEFORE UPDATE ON events FOR EACH ROW
  WHEN ((NEW.event_id, NEW.type, NEW.aggregate_id, NEW.happened_at, NEW.held_until, NEW.sequences)
    IS DISTINCT FROM (OLD.event_id, OLD.type, OLD.aggregate_id, OLD.happened_at, OLD.held_until, OLD.sequences))
  EXECUTE FUNCTION refuse_change('what has happened cannot be changed');

INSERT INTO relays (relay) VALUES ('events');

-- Those who change a reservation have locked its row, so the ids of its events ascend in the order of their commits. Its
-- payment and refund belong to the same story.
CREATE FUNCTION tell_of_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (type, aggregate_id, happened_at, held_until) VALUES (
    TG_ARGV[0], NEW.reservation_id,
    CASE TG_ARGV[0] WHEN 'reservation.held' THEN NEW.created_at WHEN 'reservation.extended' THEN clock_timestamp()
      ELSE coalesce(NEW.ended_at, clock_timestamp()) END,
    CASE WHEN NEW.status = 'HELD' THEN NEW.held_until END);
  RETURN NULL;
END $$;

CREATE TRIGGER reservations_tell_held AFTER INSERT ON reservations
  FOR EACH ROW WHEN (NEW.status = 'HELD') EXECUTE FUNCTION tell_of_reservation('reservation.held');
CREATE TRIGGER reservations_tell_extended AFTER UPDATE OF held_until ON reservations
  FOR EACH ROW WHEN (NEW.status = 'HELD' AND NEW.held_until > OLD.held_until)
  EXECUTE FUNCTION tell_of_reservation('reservation.extended');
CREATE TRIGGER reservations_tell_expired AFTER UPDATE OF status ON reservations
  FOR EACH ROW WHEN (NEW.status = 'EXPIRED' AND OLD.status <> NEW.status)
  EXECUTE FUNCTION tell_of_reservation('reservation.expired');
CREATE TRIGGER reservations_tell_cancelled AFTER UPDATE OF status ON reservations
  FOR EACH ROW WHEN (NEW.status = 'CANCELLED' AND OLD.status <> NEW.status)
  EXECUTE FUNCTION tell_of_reservation('reservation.cancelled');

CREATE FUNCTION tell_of_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (type, aggregate_id, happened_at) VALUES ('payment.captured', NEW.reservation_id, NEW.paid_at);
  RETURN NULL;
END $$;

CREATE TRIGGER payments_tell_captured AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION tell_of_payment();

CREATE FUNCTION tell_of_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (type, aggregate_id, happened_at)
  SELECT 'payment.refunded', reservation_id, NEW.refunded_at FROM payments WHERE payment_id = NEW.payment_id;
  RETURN NULL;
END $$;

CREATE TRIGGER refunds_tell_refunded AFTER INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION tell_of_refund();

-- One event for all who are put on record together. Whoever records the same again waits for the first to commit and then
-- adds nothing, so a line's events ascend as its record does.
CREATE FUNCTION tell_of_admitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (type, aggregate_id, happened_at, sequences)
  SELECT 'queue.admitted', concert_id, max(happened_at),
    array_agg(sequence ORDER BY logged_ms, logged_counter, logged_index)
  FROM recorded WHERE kind = 'admitted' GROUP BY concert_id;
  RETURN NULL;
END $$;

CREATE TRIGGER line_events_tell_admitted AFTER INSERT ON line_events REFERENCING NEW TABLE AS recorded
  FOR EACH STATEMENT EXECUTE FUNCTION tell_of_admitted();

-- instant: a time as it is told, RFC 3339 in UTC with milliseconds, whatever the session's time zone.
CREATE FUNCTION instant(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
$$;

-- event_stories: events with all that is told of them. What never changes is looked up here instead of being copied into
-- each event, which keeps the commands that write events cheap.
CREATE VIEW event_stories AS
  SELECT e.event_id, e.type, e.aggregate_id, e.happened_at, e.relayed_at,
    CASE e.type
      WHEN 'queue.admitted' THEN json_build_object('concertId', e.aggregate_id, 'sequences', e.sequences)
      -- Of one delivery only, which knows its endpoint.
      WHEN 'webhook.test' THEN NULL
      ELSE json_strip_nulls(json_build_object(
        'refundId', CASE e.type WHEN 'payment.refunded' THEN f.refund_id END,
        'paymentId', CASE WHEN e.type LIKE 'payment.%' THEN p.payment_id END,
        'reservationId', r.reservation_id, 'userId', r.user_id, 'concertId', r.concert_id, 'date', r.date,
        'seatNumbers', ARRAY(SELECT s.seat_number FROM reservation_seats s
          WHERE s.reservation_id = r.reservation_id ORDER BY s.seat_number),
        'amount', r.amount, 'currency', r.currency, 'heldUntil', instant(e.held_until)))
    END AS data
  FROM events e
    LEFT JOIN reservations r ON r.reservation_id = e.aggregate_id
    LEFT JOIN payments p ON p.reservation_id = e.aggregate_id
    LEFT JOIN refunds f ON f.payment_id = p.payment_id;

-- take_events: begins a term of the one relay there is, for p_lease_seconds, and takes up to p_batch_max events that were not
-- relayed, oldest first; none while somebody else is at it. By what was not relayed, and not by the last id: a smaller one
-- may commit later. A term is larger than all before it, by the clock too, for a database that was restored forgets the last.
-- Of a batch that nobody settled half is taken: it may be too much for the time a statement has, and would come for ever.
CREATE FUNCTION take_events(p_batch_max integer, p_lease_seconds integer) RETURNS TABLE (
  term bigint, event_id bigint, type text, aggregate_id uuid, happened_at timestamptz, data json
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_term bigint;
  v_max integer;
  v_taken bigint[];
BEGIN
  -- Most of the time there is nothing to do, and then nothing is written.
  IF NOT EXISTS (SELECT FROM events WHERE relayed_at IS NULL) THEN
    RETURN;
  END IF;
  UPDATE relays r
  SET term = greatest(r.term + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint),
    leased_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  WHERE r.relay = 'events' AND r.leased_until <= clock_timestamp()
  RETURNING r.term, CASE WHEN r.unsettled = 0 THEN p_batch_max ELSE least(p_batch_max, (r.unsettled + 1) / 2) END
  INTO v_term, v_max;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_taken := ARRAY(SELECT e.event_id FROM events e WHERE e.relayed_at IS NULL ORDER BY e.event_id LIMIT v_max);
  UPDATE relays SET unsettled = cardinality(v_taken) WHERE relay = 'events';
  RETURN QUERY
    SELECT v_term, s.event_id, s.type, s.aggregate_id, s.happened_at, s.data FROM event_stories s
    WHERE s.event_id = ANY (v_taken) ORDER BY s.event_id;
END $$;
