-- Where each seat is, and the plan that says so. Seats of a hall without a plan have null there.

ALTER TABLE "concerts" ADD COLUMN "stranded_seats" TEXT;

ALTER TABLE "seats"
    ADD COLUMN "section" TEXT,
    ADD COLUMN "row_label" TEXT,
    ADD COLUMN "row_rank" INTEGER,
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

ALTER TABLE seats
  ADD CONSTRAINT seats_placed_or_not CHECK (num_nulls(section, row_label, row_rank, place, off_centre, grade) IN (0, 6)),
  ADD CONSTRAINT seats_place_bounds CHECK (row_rank > 0 AND place > 0);

-- One seat, one place.
CREATE UNIQUE INDEX seats_one_place ON seats (concert_id, date, section, row_label, place) WHERE place IS NOT NULL;

ALTER TABLE seat_plans
  ADD CONSTRAINT seat_plans_hash_of_the_plan CHECK (plan_sha256 = sha256(convert_to(plan::text, 'UTF8')));

CREATE TRIGGER seat_plans_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON seat_plans
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('seats were sold by it');

-- free_places: the seats of a date that can be had at a time, and where they are. Without a plan a hall is one section of
-- rows of ten. Each of the two halves finds an index of its own.
CREATE FUNCTION free_places(p_concert_id uuid, p_date date, p_at timestamptz) RETURNS TABLE (
  seat_number integer, section text, row_label text, row_rank integer, place integer, off_centre integer, grade text
) LANGUAGE sql STABLE AS $$
  SELECT seat_number, COALESCE(section, ''), COALESCE(row_label, ((seat_number - 1) / 10 + 1)::text),
    COALESCE(row_rank, (seat_number - 1) / 10 + 1), COALESCE(place, (seat_number - 1) % 10 + 1),
    COALESCE(off_centre, 2 * ((seat_number - 1) % 10 + 1) - 11), grade
  FROM (
    SELECT * FROM seats WHERE concert_id = p_concert_id AND date = p_date AND status = 'AVAILABLE'
    UNION ALL
    SELECT * FROM seats WHERE concert_id = p_concert_id AND date = p_date AND status = 'HELD' AND held_until <= p_at) AS free
$$;
