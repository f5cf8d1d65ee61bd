-- Ends the sessions that have run out and lets the next ones in, as many as both limits leave: first those who were
-- passed over and are back, then the line, each by the smallest sequence. Whoever has stopped asking is passed over.
-- Replies {admitted, expired, passed over, active, waiting}.
local line, returned, away, away_sequences = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local active, sessions, seen, recent, pace = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9] -- KEYS[10] and on are only kept alive
local active_max, per_window, window_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local session_ms, claim_ms, absent_s = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local grace_ms, paused, batch_max = tonumber(ARGV[7]), ARGV[8] == '1', tonumber(ARGV[9])
-- Half of what is remembered of the turnover is younger than 40 s: quick enough to follow a sale, slow enough not to jump.
local SMOOTHING_MS = 60000
-- Nobody admits at a concert that is over: from then on its line is kept for a week. Renewed once a minute, for each
-- renewal goes into the append-only file.
local KEPT_MS, RENEWED_MS = 7 * 86400000, 60000
-- As long as the longest window: one that is made longer counts what was before.
local REMEMBERED_MS = 3600000
-- Admissions this close together are remembered as one, at the end of it: never too many, at most so much too late.
local MOMENT_MS = 20

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Only this script adds sessions: whoever is missing since its last run has left or paid.
local before = redis.call('ZCARD', active)
local known, rate, at = unpack(redis.call('HMGET', pace, 'active', 'rate', 'at'))
local left = math.max(0, tonumber(known or 0) - before)

local ended = redis.call('ZRANGEBYSCORE', active, '-inf', now, 'LIMIT', 0, batch_max)
if #ended > 0 then
  redis.call('ZREM', active, unpack(ended))
  redis.call('HDEL', sessions, unpack(ended))
end

-- `recent` counts from the beginning: what the window covers is the difference between its two ends.
local total, moment = unpack(redis.call('ZREVRANGE', recent, 0, 0, 'WITHSCORES'))
total, moment = tonumber(total or 0), tonumber(moment or 0)
local before_window = redis.call('ZREVRANGEBYSCORE', recent, now - window_ms, '-inf', 'LIMIT', 0, 1)[1]
local in_window = total - tonumber(before_window or 0)

local room = paused and 0 or batch_max
if active_max > 0 then
  room = math.min(room, active_max - (before - #ended))
end
if per_window > 0 then
  room = math.min(room, per_window - in_window)
end

local admitted, passed_over = 0, 0
local entering, leaving, leaving_numbers = {}, {}, {}
local ends, claimed_by = string.format('%d', now + session_ms), now + math.min(claim_ms, session_ms)

-- In whole seconds, counted so that nobody is absent too early. Of some there is nothing written: they are not absent.
local function is_absent(sequence)
  local bytes = redis.call('GETRANGE', seen, (sequence - 1) * 4, sequence * 4 - 1)
  local asked = #bytes == 4 and struct.unpack('>I4', bytes) or 0
  return asked > 0 and time[1] - asked > absent_s
end

-- One run looks at one batch of people at most, whoever of them is there.
for _, waiting in ipairs({ returned, line }) do
  for _ = 1, batch_max do
    local wanted = math.min(room, batch_max - passed_over) - admitted
    local head = wanted > 0 and redis.call('ZPOPMIN', waiting, wanted) or {}
    if #head == 0 then
      break
    end
    for i = 1, #head, 2 do
      local user, sequence = head[i], head[i + 1]
      if is_absent(sequence) then
        passed_over = passed_over + 1
        leaving[2 * passed_over - 1], leaving[2 * passed_over] = now, user
        leaving_numbers[2 * passed_over - 1], leaving_numbers[2 * passed_over] = user, sequence
      else
        admitted = admitted + 1
        entering[2 * admitted - 1], entering[2 * admitted] = claimed_by, user
        redis.call('HSET', sessions, user, sequence .. ':' .. ends)
      end
    end
  end
end
if admitted > 0 then
  redis.call('ZADD', active, unpack(entering))
end
if passed_over > 0 then
  redis.call('ZADD', away, unpack(leaving))
  redis.call('HSET', away_sequences, unpack(leaving_numbers))
end

local forgotten = redis.call('ZRANGEBYSCORE', away, '-inf', now - grace_ms, 'LIMIT', 0, batch_max)
if #forgotten > 0 then
  redis.call('ZREM', away, unpack(forgotten))
  redis.call('HDEL', away_sequences, unpack(forgotten))
end

if admitted > 0 then
  -- Also if the clock was set back: the total must not fall with time.
  local this_moment = math.max(moment, math.ceil(now / MOMENT_MS) * MOMENT_MS)
  if this_moment == moment then
    redis.call('ZREM', recent, string.format('%d', total))
  end
  redis.call('ZADD', recent, this_moment, string.format('%d', total + admitted))
  -- The newest that is older than any window stays: it is where counting begins.
  local old = redis.call('ZREVRANGEBYSCORE', recent, now - REMEMBERED_MS, '-inf', 'LIMIT', 1, batch_max)
  if #old > 0 then
    redis.call('ZREM', recent, unpack(old))
  end
end
if left + #ended + admitted > 0 then
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
local waiting = redis.call('ZCARD', line) + redis.call('ZCARD', returned)
return { admitted, #ended, passed_over, before - #ended + admitted, waiting }
