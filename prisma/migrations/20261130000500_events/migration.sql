-- Public events for other services. Triggers write them, so every statement that makes a change writes its event, too.
-- The events of an aggregate, a reservation or a queue, are numbered from 1 without gaps.

CREATE TABLE events (
  event_id bigserial NOT NULL,
  type text NOT NULL,
  aggregate_id uuid NOT NULL,
  aggregate_sequence bigint NOT NULL,
  happened_at timestamptz(3) NOT NULL,
  written_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  held_until timestamptz(3),
  sequences bigint[],
  relayed_at timestamptz(3),

  CONSTRAINT events_pkey PRIMARY KEY (event_id),
  CONSTRAINT events_type_known CHECK (type IN (
    'reservation.held', 'reservation.extended', 'reservation.expired', 'reservation.cancelled',
    'payment.captured', 'payment.refunded', 'queue.admitted', 'webhook.test'))
);

-- Finds the events that were not relayed yet.
CREATE INDEX events_waiting ON events (event_id) WHERE relayed_at IS NULL;

CREATE TRIGGER events_happened BEFORE UPDATE ON events FOR EACH ROW
  WHEN ((NEW.event_id, NEW.type, NEW.aggregate_id, NEW.aggregate_sequence, NEW.happened_at, NEW.held_until, NEW.sequences)
    IS DISTINCT FROM
    (OLD.event_id, OLD.type, OLD.aggregate_id, OLD.aggregate_sequence, OLD.happened_at, OLD.held_until, OLD.sequences))
  EXECUTE FUNCTION refuse_change('an event cannot be changed');

-- The lease of the one relay, its fencing token, and the size of a batch that was taken and not acknowledged.
CREATE TABLE relays (
  relay text NOT NULL,
  fencing_token bigint NOT NULL DEFAULT 0,
  leased_until timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  unacked integer NOT NULL DEFAULT 0,

  CONSTRAINT relays_pkey PRIMARY KEY (relay)
);

INSERT INTO relays (relay) VALUES ('events');

-- A command that changes a reservation has locked its row, so the ids of its events ascend in the order of the commits.
-- Payment and refund have the reservation as their aggregate, too, and end it in the same statement. The second argument is
-- the event's sequence in a reservation without extensions: each extension moves what comes after it by one.
CREATE FUNCTION emit_reservation_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at, held_until) VALUES (
    TG_ARGV[0], NEW.reservation_id, TG_ARGV[1]::bigint + NEW.extensions,
    CASE TG_ARGV[0] WHEN 'reservation.held' THEN NEW.created_at WHEN 'reservation.extended' THEN clock_timestamp()
      ELSE coalesce(NEW.ended_at, clock_timestamp()) END,
    CASE WHEN NEW.status = 'HELD' THEN NEW.held_until END);
  RETURN NULL;
END $$;

CREATE TRIGGER reservations_emit_held AFTER INSERT ON reservations
  FOR EACH ROW WHEN (NEW.status = 'HELD') EXECUTE FUNCTION emit_reservation_event('reservation.held', 1);
CREATE TRIGGER reservations_emit_extended AFTER UPDATE OF held_until ON reservations
  FOR EACH ROW WHEN (NEW.status = 'HELD' AND NEW.held_until > OLD.held_until)
  EXECUTE FUNCTION emit_reservation_event('reservation.extended', 1);
CREATE TRIGGER reservations_emit_expired AFTER UPDATE OF status ON reservations
  FOR EACH ROW WHEN (NEW.status = 'EXPIRED' AND OLD.status <> NEW.status)
  EXECUTE FUNCTION emit_reservation_event('reservation.expired', 2);
CREATE TRIGGER reservations_emit_released AFTER UPDATE OF status ON reservations
  FOR EACH ROW WHEN (NEW.status = 'CANCELLED' AND OLD.status = 'HELD')
  EXECUTE FUNCTION emit_reservation_event('reservation.cancelled', 2);
CREATE TRIGGER reservations_emit_captured AFTER UPDATE OF status ON reservations
  FOR EACH ROW WHEN (NEW.status = 'CONFIRMED' AND OLD.status <> NEW.status)
  EXECUTE FUNCTION emit_reservation_event('payment.captured', 2);
-- The triggers of one change fire in the order of their names.
CREATE TRIGGER reservations_emit_refunded AFTER UPDATE OF status ON reservations
  FOR EACH ROW WHEN (NEW.status = 'CANCELLED' AND OLD.status = 'CONFIRMED')
  EXECUTE FUNCTION emit_reservation_event('payment.refunded', 3);
CREATE TRIGGER reservations_emit_refunded_end AFTER UPDATE OF status ON reservations
  FOR EACH ROW WHEN (NEW.status = 'CANCELLED' AND OLD.status = 'CONFIRMED')
  EXECUTE FUNCTION emit_reservation_event('reservation.cancelled', 4);

-- One event for all who are recorded together. A second instance that records the same waits for the first to commit and
-- then adds nothing, so the events of a queue ascend as its record does.
CREATE FUNCTION emit_admitted_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WITH admitted AS (
    SELECT concert_id, max(happened_at) AS happened_at,
      array_agg(sequence ORDER BY logged_ms, logged_counter, logged_index) AS sequences
    FROM recorded WHERE kind = 'admitted' GROUP BY concert_id),
  counted AS (
    UPDATE queues q SET admitted_events = q.admitted_events + 1 FROM admitted WHERE q.concert_id = admitted.concert_id
    RETURNING q.concert_id, q.admitted_events)
  -- A queue that was never opened has no number, which the column refuses.
  INSERT INTO events (type, aggregate_id, aggregate_sequence, happened_at, sequences)
  SELECT 'queue.admitted', concert_id, admitted_events, happened_at, sequences FROM admitted LEFT JOIN counted USING (concert_id);
  RETURN NULL;
END $$;

CREATE TRIGGER queue_events_emit_admitted AFTER INSERT ON queue_events REFERENCING NEW TABLE AS recorded
  FOR EACH STATEMENT EXECUTE FUNCTION emit_admitted_event();

-- public_events: events with their data. Columns that never change are looked up here instead of being copied into each
-- event, which keeps the commands that write events cheap. Times are RFC 3339 in UTC, whatever the session's time zone.
CREATE VIEW public_events AS
  SELECT e.event_id, e.type, e.aggregate_id, e.aggregate_sequence, e.happened_at, e.relayed_at,
    CASE e.type
      WHEN 'queue.admitted' THEN json_build_object('concertId', e.aggregate_id, 'sequences', e.sequences)
      -- It has one delivery, which knows its endpoint.
      WHEN 'webhook.test' THEN NULL
      ELSE json_strip_nulls(json_build_object(
        'refundId', CASE e.type WHEN 'payment.refunded' THEN f.refund_id END,
        'paymentId', CASE WHEN e.type LIKE 'payment.%' THEN p.payment_id END,
        'reservationId', r.reservation_id, 'userId', r.user_id, 'concertId', r.concert_id, 'date', r.date,
        'seatNumbers', ARRAY(SELECT s.seat_number FROM reservation_seats s
          WHERE s.reservation_id = r.reservation_id ORDER BY s.seat_number),
        'amount', r.amount, 'currency', r.currency,
        'heldUntil', to_char(e.held_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
    END AS data
  FROM events e
    LEFT JOIN reservations r ON r.reservation_id = e.aggregate_id
    LEFT JOIN payments p ON p.reservation_id = e.aggregate_id
    LEFT JOIN refunds f ON f.payment_id = p.payment_id;
