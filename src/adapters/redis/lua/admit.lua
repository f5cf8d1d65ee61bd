-- Ends the sessions that have run out and lets the next ones in: the smallest sequences, as many as the limit leaves.
-- Replies {admitted, expired, active, waiting}.
local line, active, sessions, pace = KEYS[1], KEYS[2], KEYS[3], KEYS[4] -- KEYS[5] and on are only kept alive
local active_max, session_ms, batch_max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
-- Half of what is remembered of the turnover is younger than 40 s: quick enough to follow a sale, slow enough not to jump.
local SMOOTHING_MS = 60000
-- Nobody admits at a concert that is over: from then on its line is kept for a week. Renewed once a minute, for each
-- renewal goes into the append-only file.
local KEPT_MS, RENEWED_MS = 7 * 86400000, 60000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Only this script adds sessions: whoever is missing since its last run has left or paid.
local before = redis.call('ZCARD', active)
local left = math.max(0, tonumber(redis.call('HGET', pace, 'active') or 0) - before)

local ended = redis.call('ZRANGEBYSCORE', active, '-inf', now, 'LIMIT', 0, batch_max)
for _, user in ipairs(ended) do
  redis.call('ZREM', active, user)
  redis.call('HDEL', sessions, user)
end

local room = math.min(active_max - (before - #ended), batch_max)
local admitted = 0
if room > 0 then
  local ends = string.format('%d', now + session_ms)
  local next_in_line = redis.call('ZPOPMIN', line, room)
  for i = 1, #next_in_line, 2 do
    local user, sequence = next_in_line[i], next_in_line[i + 1]
    redis.call('ZADD', active, ends, user)
    redis.call('HSET', sessions, user, sequence .. ':' .. ends)
  end
  admitted = #next_in_line / 2
end

if left + #ended + admitted > 0 then
  local rate, at = unpack(redis.call('HMGET', pace, 'rate', 'at'))
  local kept = math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
  local smoothed = tonumber(rate or 0) * kept + (left + #ended) * 1000 / SMOOTHING_MS
  redis.call('HSET', pace, 'rate', tostring(smoothed), 'at', now, 'active', before - #ended + admitted)
end
for _, key in ipairs(KEYS) do
  local left_ms = redis.call('PTTL', key)
  if left_ms ~= -2 and left_ms < KEPT_MS - RENEWED_MS then
    redis.call('PEXPIRE', key, KEPT_MS)
  end
end
return { admitted, #ended, before - #ended + admitted, redis.call('ZCARD', line) }
