-- How a concert's line is let in, changed while it runs. Null takes the setting of the same name; 0 switches a limit off.

ALTER TABLE "concerts"
    ADD COLUMN "admit_per_window" INTEGER,
    ADD COLUMN "window_seconds" INTEGER,
    ADD COLUMN "claim_seconds" INTEGER,
    ADD COLUMN "absent_seconds" INTEGER,
    ADD COLUMN "grace_seconds" INTEGER,
    ADD COLUMN "paused" BOOLEAN NOT NULL DEFAULT false;

ALTER TABLE concerts
  DROP CONSTRAINT concerts_active_max_bounds,
  ADD CONSTRAINT concerts_active_max_bounds CHECK (active_max BETWEEN 0 AND 1000000),
  ADD CONSTRAINT concerts_admit_per_window_bounds CHECK (admit_per_window BETWEEN 0 AND 1000000),
  ADD CONSTRAINT concerts_some_limit CHECK (active_max > 0 OR admit_per_window > 0 OR active_max IS NULL OR admit_per_window IS NULL),
  ADD CONSTRAINT concerts_window_seconds_bounds CHECK (window_seconds BETWEEN 1 AND 3600),
  ADD CONSTRAINT concerts_claim_seconds_bounds CHECK (claim_seconds BETWEEN 5 AND 3600),
  ADD CONSTRAINT concerts_absent_seconds_bounds CHECK (absent_seconds BETWEEN 5 AND 86400),
  ADD CONSTRAINT concerts_grace_seconds_bounds CHECK (grace_seconds BETWEEN 0 AND 86400);
