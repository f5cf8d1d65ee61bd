-- Where a place stands. With settle_ms, a session that is still running is kept open for that long, at most that much
-- beyond the end it was granted.
-- Replies {'waiting', position, turnover per second as a string} | {'active', end in ms} | {'expired'}.
local epoch_key, line, active, sessions, pace = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local user, sequence, epoch, settle_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
-- As in admit.lua, which measures the turnover only when it changes: until then it fades.
local SMOOTHING_MS = 60000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('GET', epoch_key) ~= epoch then
  return { 'expired' }
end

if tonumber(redis.call('ZSCORE', line, user) or 0) == sequence then
  local rate, at = unpack(redis.call('HMGET', pace, 'rate', 'at'))
  local turnover = tonumber(rate or 0) * math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
  return { 'waiting', redis.call('ZRANK', line, user) + 1, tostring(turnover) }
end

local session = redis.call('HGET', sessions, user)
if not session then
  return { 'expired' }
end
local drawn, granted = string.match(session, '^(%d+):(%d+)$')
if tonumber(drawn) ~= sequence then
  return { 'expired' }
end

local ends = tonumber(redis.call('ZSCORE', active, user))
if ends <= now then
  return { 'expired' }
end
if settle_ms > 0 then
  local settled = math.min(now, tonumber(granted)) + settle_ms
  if settled > ends then
    redis.call('ZADD', active, settled, user)
  end
end
return { 'active', ends }
