-- Lets a session last at least extend_ms from now, and claims it. Never shortens it. Replies 1 if the place is in, else 0.
local epoch_key, active, sessions = KEYS[1], KEYS[2], KEYS[3]
local user, sequence, epoch, extend_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local session = redis.call('HGET', sessions, user)
if not session or redis.call('GET', epoch_key) ~= epoch then
  return 0
end
local drawn, granted = string.match(session, '^(%d+):(%d+)$')
if drawn ~= sequence then
  return 0
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Over, even if no admission has tidied it away yet: nothing brings it back.
if tonumber(redis.call('ZSCORE', active, user)) <= now then
  return 0
end
local ends = now + extend_ms
if ends > tonumber(granted) then
  redis.call('HSET', sessions, user, drawn .. ':' .. string.format('%d', ends))
end
redis.call('ZADD', active, 'GT', math.max(ends, tonumber(granted)), user)
return 1
