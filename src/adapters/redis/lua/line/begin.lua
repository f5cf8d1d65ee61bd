-- Begins to give those who registered the places that the lots gave them. What was kept by the number of the registration
-- makes way for what is kept by the number of the place. Replies 1 if places are to be given, 0 if they have been.
local count, seed = ARGV[1], ARGV[2]
if draw_state == 'closed' then
  for from, to in pairs({ [joined] = registered_joined, [seen] = registered_seen, [ended_log] = registered_ended }) do
    if redis.call('EXISTS', from) == 1 then
      redis.call('RENAME', from, to)
    end
  end
  redis.call('HSET', draw, 'state', 'placing', 'count', count, 'seed', seed)
  -- Those who came after the registration was closed have kept their numbers, and their times with them.
  for from, to in pairs({ [registered_joined] = { joined, 6 }, [registered_seen] = { seen, 4 } }) do
    local times, width = unpack(to)
    local late = redis.call('GETRANGE', from, count * width, -1)
    if #late > 0 then
      redis.call('SETRANGE', times, count * width, late)
    end
  end
  return 1
end
return draw_state == 'placing' and 1 or 0
