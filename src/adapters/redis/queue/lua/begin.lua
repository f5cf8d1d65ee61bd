-- Begins to give those who registered the places that the lots gave them. What was kept by the number of the registration
-- is set aside, for what is kept by the number of the place. Those who came after the registration was closed have kept
-- their numbers, and their times with them. Replies 1 if places are to be given, 0 if they have been.
local count, seed = ARGV[1], ARGV[2]
if draw_state == 'closed' then
  -- Copies, so that the arrays are as long as they will be: to grow them one place at a time takes Redis far longer.
  redis.call('COPY', joined, registered_joined)
  redis.call('COPY', seen, registered_seen)
  if redis.call('EXISTS', ended_log) == 1 then
    redis.call('RENAME', ended_log, registered_ended)
  end
  redis.call('HSET', draw, 'state', 'placing', 'count', count, 'seed', seed)
  return 1
end
return draw_state == 'placing' and 1 or 0
