-- Gives a place up: waiting, registered, passed over, or active. Replies 1 if there was one, 0 if not, -1 where the caller
-- does not know of the draw.
local user, number, sequence, epoch, known_count = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if redis.call('GET', epoch_key) ~= epoch then
  return 0
end
if (draw_count or '') ~= known_count then
  return -1
end

local function give_up()
  for _, place in ipairs({ line, returned }) do
    if redis.call('ZSCORE', place, user) == number then
      return redis.call('ZREM', place, user)
    end
  end
  if redis.call('ZSCORE', registered, user) == sequence then
    return redis.call('ZREM', registered, user)
  end
  if redis.call('HGET', away_numbers, user) == number then
    redis.call('HDEL', away_numbers, user)
    return redis.call('ZREM', away, user)
  end
  return 0
end

if give_up() == 1 then
  note_ended({ number })
  record((draw_count or not waits_for_draw) and 'left' or 'unregistered', { number })
  return 1
end
if redis.call('HGET', sessions, user) == number then
  note_sessions_ended({ number })
  redis.call('HDEL', sessions, user)
  return redis.call('ZREM', active, user)
end
return 0
