-- Begins to place registered entries by lot. Times kept by sequence are set aside, for times kept by lot. Entries that joined
-- after the registration keep their sequences as numbers, and their times. Replies 1 if entries are to be placed, else 0.
local count, seed = ARGV[1], ARGV[2]
if draw_state == 'closed' then
  -- Copies have their final length: to grow these strings one entry at a time takes Redis far longer.
  redis.call('COPY', joined, registered_joined)
  redis.call('COPY', last_seen, registered_last_seen)
  if redis.call('EXISTS', ended_log) == 1 then
    redis.call('RENAME', ended_log, registered_ended)
  end
  redis.call('HSET', draw, 'state', 'placing', 'count', count, 'seed', seed)
  return 1
end
return draw_state == 'placing' and 1 or 0
