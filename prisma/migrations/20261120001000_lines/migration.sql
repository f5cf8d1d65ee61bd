-- What is on record of a line, where it is not lost with Redis's memory.

CREATE TABLE "lines" (
    "concert_id" UUID NOT NULL,
    "epoch" TEXT NOT NULL,
    "drawn" BIGINT NOT NULL DEFAULT 0,
    "frontier" BIGINT NOT NULL DEFAULT 1,
    "begun_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "lines_pkey" PRIMARY KEY ("concert_id")
);

CREATE TABLE "line_events" (
    "concert_id" UUID NOT NULL,
    "logged_ms" BIGINT NOT NULL,
    "logged_counter" BIGINT NOT NULL,
    "logged_index" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "admission_order" BIGINT NOT NULL,
    "joined_at" TIMESTAMPTZ(3),
    "happened_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "line_events_pkey" PRIMARY KEY ("concert_id","logged_ms","logged_counter","logged_index")
);

ALTER TABLE "reservations"
    ADD COLUMN "sequence" BIGINT,
    ADD COLUMN "epoch" TEXT;

ALTER TABLE "lines" ADD CONSTRAINT "lines_concert_id_fkey" FOREIGN KEY ("concert_id") REFERENCES "concerts"("concert_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE lines
  ADD CONSTRAINT lines_epoch_form CHECK (epoch ~ '^[A-Za-z0-9_-]{8}$');

CREATE TRIGGER lines_go_forwards BEFORE UPDATE ON lines FOR EACH ROW
  WHEN ((NEW.concert_id, NEW.epoch) IS DISTINCT FROM (OLD.concert_id, OLD.epoch) OR NEW.drawn < OLD.drawn OR NEW.frontier < OLD.frontier)
  EXECUTE FUNCTION refuse_change('the tokens of its people carry its epoch and their numbers');

ALTER TABLE line_events
  ADD CONSTRAINT line_events_kind_known CHECK (kind IN ('admitted', 'passed-over', 'returned', 'left', 'forgotten', 'restored')),
  ADD CONSTRAINT line_events_numbers_from_1 CHECK (sequence >= 1 AND admission_order >= 1);

CREATE TRIGGER line_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON line_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the record of a line is only ever added to');

-- The place whose session a reservation prolongs, and then ends by being paid. Rows of the outbox go once Redis has learnt
-- of them; this stays. By a trigger, so that it is there as well for what old instances do during an upgrade.
CREATE FUNCTION record_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE reservations SET sequence = NEW.sequence, epoch = NEW.epoch WHERE reservation_id = NEW.reservation_id;
  RETURN NULL;
END $$;

CREATE TRIGGER outbox_records_the_place AFTER INSERT ON outbox
  FOR EACH ROW WHEN (NEW.sequence IS NOT NULL) EXECUTE FUNCTION record_place();

-- open_line: finds the line of a concert, or begins it with the name p_epoch. Any number may call it at once.
-- Replies {answer: {epoch, known, drawn, frontier, registering, draw, sessions: [{userId, sequence, remainingMs}], paid: [sequence]}} | {refusal}.
CREATE FUNCTION open_line(p_concert_id uuid, p_epoch text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_line lines%ROWTYPE;
  v_known boolean;
  v_registering boolean;
  v_draw jsonb;
  v_sessions jsonb;
  v_paid jsonb;
  v_now timestamptz(3) := clock_timestamp();
BEGIN
  INSERT INTO lines (concert_id, epoch) SELECT concert_id, p_epoch FROM concerts WHERE concert_id = p_concert_id
  ON CONFLICT DO NOTHING;
  v_known := NOT FOUND;
  SELECT * INTO v_line FROM lines WHERE concert_id = p_concert_id;
  IF NOT FOUND THEN
    RETURN jsonb_build_object('refusal', 'concert-not-found');
  END IF;

  SELECT jsonb_build_object('seed', encode(seed, 'hex'), 'count', drawn_count) INTO v_draw
  FROM lotteries WHERE concert_id = p_concert_id AND drawn_count IS NOT NULL;

  -- Where the settings decide on the opening, there are lots only if they say so.
  SELECT drawn_count IS NULL AND (opening = 'lottery' OR opening IS NULL AND seed IS NOT NULL) INTO v_registering
  FROM concerts LEFT JOIN lotteries USING (concert_id) WHERE concert_id = p_concert_id;

  -- Whoever paid for one of two reservations is not in any more, though the other one is still held.
  WITH places AS (
    SELECT user_id, sequence, bool_or(status = 'CONFIRMED') AS paid, max(held_until) FILTER (WHERE status = 'HELD') AS held_until
    FROM reservations
    WHERE epoch = v_line.epoch AND status IN ('HELD', 'CONFIRMED')
      AND reservation_id IN (SELECT reservation_id FROM seats WHERE concert_id = p_concert_id AND status IN ('HELD', 'SOLD'))
    GROUP BY user_id, sequence)
  SELECT
    jsonb_agg(jsonb_build_object('userId', user_id, 'sequence', sequence,
        'remainingMs', ceil(extract(epoch FROM held_until - v_now) * 1000)::bigint) ORDER BY sequence)
      FILTER (WHERE NOT paid AND held_until > v_now),
    jsonb_agg(sequence ORDER BY sequence) FILTER (WHERE paid)
  INTO v_sessions, v_paid FROM places;

  RETURN jsonb_build_object('answer', jsonb_build_object(
    'epoch', v_line.epoch, 'known', v_known, 'drawn', v_line.drawn, 'frontier', v_line.frontier,
    'registering', v_registering, 'draw', v_draw,
    'sessions', coalesce(v_sessions, '[]'), 'paid', coalesce(v_paid, '[]')));
END $$;
