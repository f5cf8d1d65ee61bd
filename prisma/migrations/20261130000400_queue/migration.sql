-- The record of each queue, for when Redis loses its memory, and the lots of a lottery opening.

CREATE TABLE lotteries (
  concert_id uuid NOT NULL,
  seed bytea NOT NULL,
  seed_sha256 bytea NOT NULL,
  drawn_count bigint,
  drawn_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT lotteries_pkey PRIMARY KEY (concert_id),
  CONSTRAINT lotteries_concert_id_fkey FOREIGN KEY (concert_id)
    REFERENCES concerts (concert_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT lotteries_seed_length CHECK (octet_length(seed) = 32),
  CONSTRAINT lotteries_hash_of_the_seed CHECK (seed_sha256 = sha256(seed)),
  -- The draw numbers entries in 32 bits.
  CONSTRAINT lotteries_count_bounds CHECK (drawn_count BETWEEN 0 AND 4294967295),
  CONSTRAINT lotteries_drawn_at_once CHECK ((drawn_count IS NULL) = (drawn_at IS NULL))
);

-- The published hash stays true: no operator can pick another seed or count again after seeing the result.
CREATE TRIGGER lotteries_keep_their_seed BEFORE UPDATE ON lotteries FOR EACH ROW
  WHEN ((NEW.concert_id, NEW.seed, NEW.seed_sha256) IS DISTINCT FROM (OLD.concert_id, OLD.seed, OLD.seed_sha256))
  EXECUTE FUNCTION refuse_change('the hash of the seed has been published');
CREATE TRIGGER lotteries_are_drawn_once BEFORE UPDATE ON lotteries FOR EACH ROW
  WHEN (OLD.drawn_count IS NOT NULL) EXECUTE FUNCTION refuse_change('the lots are drawn');
CREATE TRIGGER lotteries_stay BEFORE DELETE OR TRUNCATE ON lotteries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the hash of the seed has been published');

CREATE TABLE queues (
  concert_id uuid NOT NULL,
  epoch text NOT NULL,
  drawn bigint NOT NULL DEFAULT 0,
  head bigint NOT NULL DEFAULT 1,
  admitted_events bigint NOT NULL DEFAULT 0,
  begun_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT queues_pkey PRIMARY KEY (concert_id),
  CONSTRAINT queues_concert_id_fkey FOREIGN KEY (concert_id)
    REFERENCES concerts (concert_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT queues_epoch_form CHECK (epoch ~ '^[A-Za-z0-9_-]{8}$')
);

CREATE TRIGGER queues_go_forwards BEFORE UPDATE ON queues FOR EACH ROW
  WHEN ((NEW.concert_id, NEW.epoch) IS DISTINCT FROM (OLD.concert_id, OLD.epoch) OR NEW.drawn < OLD.drawn OR NEW.head < OLD.head
    OR NEW.admitted_events < OLD.admitted_events)
  EXECUTE FUNCTION refuse_change('queue tokens carry its epoch and its sequences');

CREATE TABLE queue_events (
  concert_id uuid NOT NULL,
  logged_ms bigint NOT NULL,
  logged_counter bigint NOT NULL,
  logged_index integer NOT NULL,
  kind text NOT NULL,
  sequence bigint NOT NULL,
  admission_order bigint NOT NULL,
  joined_at timestamptz(3),
  happened_at timestamptz(3) NOT NULL,

  CONSTRAINT queue_events_pkey PRIMARY KEY (concert_id, logged_ms, logged_counter, logged_index),
  CONSTRAINT queue_events_kind_known
    CHECK (kind IN ('admitted', 'passed-over', 'returned', 'left', 'forgotten', 'restored', 'ended')),
  CONSTRAINT queue_events_numbers_from_1 CHECK (sequence >= 1 AND admission_order >= 1)
);

-- Finds the last event of a queue entry.
CREATE INDEX queue_events_concert_id_sequence_idx ON queue_events (concert_id, sequence);

CREATE TRIGGER queue_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON queue_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the record of a queue is append-only');
