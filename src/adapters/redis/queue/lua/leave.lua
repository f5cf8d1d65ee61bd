-- Removes an entry: waiting, registered, absent or active. Replies 1 if there was one, 0 if not, -1 if the caller does not
-- know the draw.
local user, number, sequence, epoch, draw_count_known = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if redis.call('GET', epoch_key) ~= epoch then
  return 0
end
if (draw_count or '') ~= draw_count_known then
  return -1
end

local function remove()
  for _, set in ipairs({ waiting, rejoined }) do
    if redis.call('ZSCORE', set, user) == number then
      return redis.call('ZREM', set, user)
    end
  end
  if redis.call('ZSCORE', registered, user) == sequence then
    return redis.call('ZREM', registered, user)
  end
  if redis.call('HGET', absent_numbers, user) == number then
    redis.call('HDEL', absent_numbers, user)
    return redis.call('ZREM', absent, user)
  end
  return 0
end

if remove() == 1 then
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
