-- Finds the dates at which something is held by stepping from one to the next, however many seats are held there: each instance
-- asks for them once a second. With the deadline in it, holds that are over and not tidied away yet are passed over in the index.
CREATE INDEX seats_held_by_date ON seats (concert_id, date, held_until) WHERE status = 'HELD';
