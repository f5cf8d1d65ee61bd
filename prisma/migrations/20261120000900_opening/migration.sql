-- When and in which order a line first lets people in: as they came, or by lot.

ALTER TABLE "concerts"
    ADD COLUMN "opening" TEXT,
    ADD COLUMN "opens_at" TIMESTAMPTZ(3);

ALTER TABLE concerts
  ADD CONSTRAINT concerts_opening_known CHECK (opening IN ('fifo', 'lottery'));

CREATE TABLE "lotteries" (
    "concert_id" UUID NOT NULL,
    "seed" BYTEA NOT NULL,
    "seed_sha256" BYTEA NOT NULL,
    "drawn_count" BIGINT,
    "drawn_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "lotteries_pkey" PRIMARY KEY ("concert_id")
);

ALTER TABLE "lotteries" ADD CONSTRAINT "lotteries_concert_id_fkey" FOREIGN KEY ("concert_id") REFERENCES "concerts"("concert_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE lotteries
  ADD CONSTRAINT lotteries_seed_length CHECK (octet_length(seed) = 32),
  ADD CONSTRAINT lotteries_hash_of_the_seed CHECK (seed_sha256 = sha256(seed)),
  -- The draw numbers people in 32 bits.
  ADD CONSTRAINT lotteries_count_bounds CHECK (drawn_count BETWEEN 0 AND 4294967295),
  ADD CONSTRAINT lotteries_drawn_at_once CHECK ((drawn_count IS NULL) = (drawn_at IS NULL));

-- What was published stays true: nobody picks another seed, or counts again, once they have seen what would come of it.
CREATE TRIGGER lotteries_keep_their_seed BEFORE UPDATE ON lotteries FOR EACH ROW
  WHEN ((NEW.concert_id, NEW.seed, NEW.seed_sha256) IS DISTINCT FROM (OLD.concert_id, OLD.seed, OLD.seed_sha256))
  EXECUTE FUNCTION refuse_change('the hash of the seed has been published');
CREATE TRIGGER lotteries_are_drawn_once BEFORE UPDATE ON lotteries FOR EACH ROW
  WHEN (OLD.drawn_count IS NOT NULL) EXECUTE FUNCTION refuse_change('the lots are drawn');
CREATE TRIGGER lotteries_stay BEFORE DELETE OR TRUNCATE ON lotteries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the hash of the seed has been published');

-- draw_lots: closes the registration at p_count people, unless it is closed. Replies the draw as it is on record then, or
-- no row where there is no lottery.
CREATE FUNCTION draw_lots(p_concert_id uuid, p_count bigint) RETURNS TABLE (seed text, count bigint) LANGUAGE sql AS $$
  UPDATE lotteries SET drawn_count = p_count, drawn_at = clock_timestamp()
  WHERE concert_id = p_concert_id AND drawn_count IS NULL;
  SELECT encode(seed, 'hex'), drawn_count FROM lotteries WHERE concert_id = p_concert_id;
$$;
