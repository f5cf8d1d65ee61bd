-- Where a place stands. Asking counts as being there: whoever waits is not passed over, whoever was passed over is back and
-- next, whoever was let in has claimed the session. With settle_ms, a running session is kept open for that long, at most
-- that much beyond the end it was granted.
-- Replies {'waiting', position, turnover per second as a string} | {'active', end in ms} | {'expired'}.
local epoch_key, line, returned, away, away_sequences = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local active, sessions, seen, pace = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local user, sequence, epoch = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local settle_ms = tonumber(ARGV[4])
-- As in admit.lua, which measures the turnover only when it changes: until then it fades.
local SMOOTHING_MS = 60000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function waiting_at(position)
  redis.call('SETRANGE', seen, (sequence - 1) * 4, struct.pack('>I4', tonumber(time[1])))
  local rate, at = unpack(redis.call('HMGET', pace, 'rate', 'at'))
  local turnover = tonumber(rate or 0) * math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
  return { 'waiting', position, tostring(turnover) }
end

if redis.call('GET', epoch_key) ~= epoch then
  return { 'expired' }
end

if tonumber(redis.call('ZSCORE', line, user) or 0) == sequence then
  return waiting_at(redis.call('ZRANK', line, user) + 1)
end

if tonumber(redis.call('HGET', away_sequences, user) or 0) == sequence then
  redis.call('ZREM', away, user)
  redis.call('HDEL', away_sequences, user)
  redis.call('ZADD', returned, sequence, user)
end
-- All who are back are next, so that none of their positions rises when one with a smaller number comes back as well.
if tonumber(redis.call('ZSCORE', returned, user) or 0) == sequence then
  return waiting_at(1)
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
granted = tonumber(granted)
local kept = math.max(ends, granted)
if settle_ms > 0 then
  kept = math.max(kept, math.min(now, granted) + settle_ms)
end
if kept > ends then
  redis.call('ZADD', active, kept, user)
end
return { 'active', math.max(ends, granted) }
