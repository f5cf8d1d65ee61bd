-- Replies {waiting, active, absent, numbers drawn, turnover per second as a string}, all of one moment.
local line, returned, away, active, sequence, pace = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
-- As in find.lua.
local SMOOTHING_MS = 60000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rate, at = unpack(redis.call('HMGET', pace, 'rate', 'at'))
local turnover = tonumber(rate or 0) * math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
return {
  redis.call('ZCARD', line) + redis.call('ZCARD', returned),
  redis.call('ZCOUNT', active, '(' .. string.format('%d', now), '+inf'),
  redis.call('ZCARD', away),
  tonumber(redis.call('GET', sequence) or 0),
  tostring(turnover),
}
