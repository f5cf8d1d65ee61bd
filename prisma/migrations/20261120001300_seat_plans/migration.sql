-- Where each seat is, and the plan that says so. Seats of a hall without a plan have null there.

ALTER TABLE "concerts" ADD COLUMN "stranded_seats" TEXT;

ALTER TABLE "seats"
    ADD COLUMN "section" TEXT,
    ADD COLUMN "row_label" TEXT,
    ADD COLUMN "row_rank" INTEGER,
    ADD COLUMN "row_first" INTEGER,
    ADD COLUMN "row_last" INTEGER,
    ADD COLUMN "place" INTEGER,
    ADD COLUMN "off_centre" INTEGER,
    ADD COLUMN "grade" TEXT;

CREATE TABLE "seat_plans" (
    "concert_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "plan" JSON NOT NULL,
    "plan_sha256" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "seat_plans_pkey" PRIMARY KEY ("concert_id")
);

ALTER TABLE "seat_plans" ADD CONSTRAINT "seat_plans_concert_id_fkey" FOREIGN KEY ("concert_id") REFERENCES "concerts"("concert_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE concerts
  ADD CONSTRAINT concerts_stranded_seats_known CHECK (stranded_seats IN ('off', 'warn', 'enforce'));

-- No index that keeps two seats from one place: every hold and payment would have to enter it.
ALTER TABLE seats
  ADD CONSTRAINT seats_placed_or_not CHECK (num_nulls(section, row_label, row_rank, row_first, row_last, place, off_centre, grade) IN (0, 8)),
  ADD CONSTRAINT seats_place_bounds CHECK (row_rank > 0 AND place > 0 AND seat_number BETWEEN row_first AND row_last);

ALTER TABLE seat_plans
  ADD CONSTRAINT seat_plans_hash_of_the_plan CHECK (plan_sha256 = sha256(convert_to(plan::text, 'UTF8')));

CREATE TRIGGER seat_plans_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON seat_plans
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('seats were sold by it');

-- seat_places: where each seat is. Without a plan a hall is one section of rows of ten. The numbers of a row lie between
-- row_first and row_last: by them its seats are found.
CREATE VIEW seat_places AS
  SELECT concert_id, date, seat_number, status, held_until, grade,
    COALESCE(section, '') AS section,
    COALESCE(row_label, ((seat_number - 1) / 10 + 1)::text) AS row_label,
    COALESCE(row_rank, (seat_number - 1) / 10 + 1) AS row_rank,
    COALESCE(row_first, (seat_number - 1) / 10 * 10 + 1) AS row_first,
    COALESCE(row_last, (seat_number - 1) / 10 * 10 + 10) AS row_last,
    COALESCE(place, (seat_number - 1) % 10 + 1) AS place,
    COALESCE(off_centre, 2 * ((seat_number - 1) % 10 + 1) - 11) AS off_centre
  FROM seats;

-- free_places: those that can be had at a time. Each of the two halves finds an index of its own.
CREATE FUNCTION free_places(p_concert_id uuid, p_date date, p_at timestamptz) RETURNS SETOF seat_places
LANGUAGE sql STABLE AS $$
  SELECT * FROM seat_places WHERE concert_id = p_concert_id AND date = p_date AND status = 'AVAILABLE'
  UNION ALL
  SELECT * FROM seat_places WHERE concert_id = p_concert_id AND date = p_date AND status = 'HELD' AND held_until <= p_at
$$;
