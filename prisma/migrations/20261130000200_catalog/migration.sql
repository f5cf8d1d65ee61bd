-- Concerts with their policy, their dates, and the seats of each date.

CREATE TYPE seat_status AS ENUM ('AVAILABLE', 'HELD', 'SOLD', 'BLOCKED');

-- A policy column that is null takes the setting of the same name; 0 switches a limit off.
CREATE TABLE concerts (
  concert_id uuid NOT NULL,
  title text NOT NULL,
  venue text NOT NULL,
  currency char(3) NOT NULL,
  sales_open_at timestamptz(3) NOT NULL,
  active_max integer,
  waiting_max integer,
  admit_per_window integer,
  window_seconds integer,
  paused boolean NOT NULL DEFAULT false,
  opening text,
  opens_at timestamptz(3),
  session_seconds integer,
  claim_seconds integer,
  absent_seconds integer,
  grace_seconds integer,
  hold_seconds integer,
  hold_seconds_max integer,
  refund_until_seconds integer,
  seats_per_user_max integer,
  holds_per_session_max integer,
  orphan_seats text,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT concerts_pkey PRIMARY KEY (concert_id),
  CONSTRAINT concerts_active_max_bounds CHECK (active_max BETWEEN 0 AND 1000000),
  CONSTRAINT concerts_admit_per_window_bounds CHECK (admit_per_window BETWEEN 0 AND 1000000),
  CONSTRAINT concerts_some_limit CHECK (active_max > 0 OR admit_per_window > 0 OR active_max IS NULL OR admit_per_window IS NULL),
  CONSTRAINT concerts_waiting_max_bounds CHECK (waiting_max BETWEEN 1 AND 100000000),
  CONSTRAINT concerts_window_seconds_bounds CHECK (window_seconds BETWEEN 1 AND 3600),
  CONSTRAINT concerts_opening_known CHECK (opening IN ('fifo', 'lottery')),
  CONSTRAINT concerts_session_seconds_bounds CHECK (session_seconds BETWEEN 1 AND 86400),
  CONSTRAINT concerts_claim_seconds_bounds CHECK (claim_seconds BETWEEN 5 AND 3600),
  CONSTRAINT concerts_absent_seconds_bounds CHECK (absent_seconds BETWEEN 5 AND 86400),
  CONSTRAINT concerts_grace_seconds_bounds CHECK (grace_seconds BETWEEN 0 AND 86400),
  CONSTRAINT concerts_hold_seconds_bounds CHECK (hold_seconds BETWEEN 1 AND 3600),
  CONSTRAINT concerts_hold_seconds_max_bounds CHECK (hold_seconds_max BETWEEN 0 AND 86400),
  CONSTRAINT concerts_refund_until_seconds_bounds CHECK (refund_until_seconds BETWEEN -1 AND 31536000),
  CONSTRAINT concerts_seats_per_user_max_bounds CHECK (seats_per_user_max BETWEEN 1 AND 1000),
  CONSTRAINT concerts_holds_per_session_max_bounds CHECK (holds_per_session_max BETWEEN 1 AND 10000),
  CONSTRAINT concerts_orphan_seats_known CHECK (orphan_seats IN ('off', 'warn', 'enforce'))
);

CREATE TABLE concert_dates (
  concert_id uuid NOT NULL,
  date date NOT NULL,
  starts_at timestamptz(3) NOT NULL,

  CONSTRAINT concert_dates_pkey PRIMARY KEY (concert_id, date),
  CONSTRAINT concert_dates_concert_id_fkey FOREIGN KEY (concert_id)
    REFERENCES concerts (concert_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);

CREATE TABLE seat_plans (
  concert_id uuid NOT NULL,
  version integer NOT NULL,
  plan json NOT NULL,
  plan_sha256 bytea NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT seat_plans_pkey PRIMARY KEY (concert_id),
  CONSTRAINT seat_plans_concert_id_fkey FOREIGN KEY (concert_id)
    REFERENCES concerts (concert_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT seat_plans_hash_of_the_plan CHECK (plan_sha256 = sha256(convert_to(plan::text, 'UTF8')))
);

CREATE TRIGGER seat_plans_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON seat_plans
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('seats were sold by it');

-- The columns from section to grade say where a seat is. They are null in a hall without a plan.
-- No index keeps two seats from one location: every hold and payment would have to update it.
CREATE TABLE seats (
  concert_id uuid NOT NULL,
  date date NOT NULL,
  seat_number integer NOT NULL,
  price bigint NOT NULL,
  status seat_status NOT NULL DEFAULT 'AVAILABLE',
  held_until timestamptz(3),
  reservation_id uuid,
  payment_id uuid,
  fence bigint NOT NULL DEFAULT 0,
  section text,
  row_label text,
  row_rank integer,
  row_first integer,
  row_last integer,
  place integer,
  off_centre integer,
  grade text,

  CONSTRAINT seats_pkey PRIMARY KEY (concert_id, date, seat_number),
  CONSTRAINT seats_concert_id_date_fkey FOREIGN KEY (concert_id, date)
    REFERENCES concert_dates (concert_id, date) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT seats_number_bounds CHECK (seat_number BETWEEN 1 AND 1000000),
  -- The largest integer that a JSON number is sure to carry.
  CONSTRAINT seats_price_bounds CHECK (price BETWEEN 0 AND 9007199254740991),
  CONSTRAINT seats_held_by_a_reservation CHECK ((status = 'HELD') = (held_until IS NOT NULL)),
  CONSTRAINT seats_taken_by_a_reservation CHECK ((status IN ('HELD', 'SOLD')) = (reservation_id IS NOT NULL)),
  CONSTRAINT seats_sold_for_a_payment CHECK ((status = 'SOLD') = (payment_id IS NOT NULL)),
  CONSTRAINT seats_located_or_not
    CHECK (num_nulls(section, row_label, row_rank, row_first, row_last, place, off_centre, grade) IN (0, 8)),
  CONSTRAINT seats_location_bounds CHECK (row_rank > 0 AND place > 0 AND seat_number BETWEEN row_first AND row_last)
);

-- The expiry job finds lapsed holds here.
CREATE INDEX seats_held_until ON seats (held_until) WHERE status = 'HELD';

-- Counts the held seats of a date. The deadline in it lets the index skip lapsed holds.
CREATE INDEX seats_held_by_date ON seats (concert_id, date, held_until) WHERE status = 'HELD';

-- Counts the seats left of a date without reading those that are gone, and finds the rows that have some: the expression is
-- row_rank of seat_locations. Holding and paying never add to it.
CREATE INDEX seats_available ON seats (concert_id, date, COALESCE(row_rank, (seat_number - 1) / 10 + 1))
  WHERE status = 'AVAILABLE';

CREATE TRIGGER seats_fence_never_falls BEFORE UPDATE OF fence ON seats FOR EACH ROW
  WHEN (NEW.fence < OLD.fence) EXECUTE FUNCTION refuse_change('an older hold would pass for the present one');

-- seat_locations: where each seat is. A hall without a plan is one section with rows of ten. The seats of a row are found by
-- their numbers, which lie between row_first and row_last.
CREATE VIEW seat_locations AS
  SELECT concert_id, date, seat_number, status, held_until, grade,
    COALESCE(section, '') AS section,
    COALESCE(row_label, ((seat_number - 1) / 10 + 1)::text) AS row_label,
    COALESCE(row_rank, (seat_number - 1) / 10 + 1) AS row_rank,
    COALESCE(row_first, (seat_number - 1) / 10 * 10 + 1) AS row_first,
    COALESCE(row_last, (seat_number - 1) / 10 * 10 + 10) AS row_last,
    COALESCE(place, (seat_number - 1) % 10 + 1) AS place,
    COALESCE(off_centre, 2 * ((seat_number - 1) % 10 + 1) - 11) AS off_centre
  FROM seats;
