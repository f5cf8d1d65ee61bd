-- Counts the seats left of a date without reading those that are gone. Only seats that are put on sale or given back enter
-- it, so holding one and paying for it cost no more than before.
CREATE INDEX seats_available ON seats (concert_id, date) WHERE status = 'AVAILABLE';
