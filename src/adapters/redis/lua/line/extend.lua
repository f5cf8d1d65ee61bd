-- Lets a session last at least extend_ms from now, and claims it. Never shortens it. Replies 1 if the place is in, else 0.
local user, number, epoch, extend_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local session = redis.call('HGET', sessions, user)
if not session or redis.call('GET', epoch_key) ~= epoch then
  return 0
end
local own, granted = string.match(session, '^(%d+):(%d+)$')
-- Over, even if no admission has tidied it away yet: nothing brings it back.
if own ~= number or tonumber(redis.call('ZSCORE', active, user)) <= now then
  return 0
end
local ends = now + extend_ms
if ends > tonumber(granted) then
  redis.call('HSET', sessions, user, own .. ':' .. string.format('%d', ends))
end
redis.call('ZADD', active, 'GT', math.max(ends, tonumber(granted)), user)
return 1
