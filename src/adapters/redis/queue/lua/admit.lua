-- Ends the sessions that have run out and lets the next ones in, as many as both limits leave: first those who were
-- passed over and are back, then the line, each by the smallest number. Whoever has stopped asking is passed over.
-- Whoever listens is told that the line has moved.
-- Replies {'unopened'} where there is no line, or {'admitted', admitted, expired, passed over, active, waiting}.
local active_max, per_window, window_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local session_ms, claim_ms, absent_s = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local grace_ms, paused, batch_max = tonumber(ARGV[7]), ARGV[8] == '1', tonumber(ARGV[9])
local channel, concert = ARGV[10], ARGV[11]
-- Nobody admits at a concert that is over: from then on its line is kept for a week. Renewed once a minute, for each
-- renewal goes into the append-only file.
local KEPT_MS, RENEWED_MS = 7 * 86400000, 60000
-- As long as the longest window: one that is made longer counts what was before.
local REMEMBERED_MS = 3600000
-- Admissions this close together are remembered as one, at the end of it: never too many, at most so much too late.
local MOMENT_MS = 20
-- A line that nobody has looked after for so long was out of reach for those who ask as well; that somebody does is noted
-- once a second, for each note goes into the append-only file.
local UNSERVED_MS, SERVED_MS = 5000, 1000
-- Numbers of which so many times as many lie between them are read one by one.
local SPREAD_MAX = 4

if redis.call('EXISTS', epoch_key) == 0 then
  return { 'unopened' }
end

-- Only this script adds sessions: whoever is missing since its last run has left or paid.
local before = redis.call('ZCARD', active)
local known, rate, at, served, resumed, unserved =
  unpack(redis.call('HMGET', pace, 'active', 'rate', 'at', 'served', 'resumed', 'unserved'))
local left = math.max(0, tonumber(known or 0) - before)

-- So much of a silence is forgiven, until everybody has had the time to ask again: as much as nobody could ask in.
served = tonumber(served or now)
local forgiven_ms = served < tonumber(resumed or 0) + absent_s * 1000 and tonumber(unserved) or 0
local since_served = now - served
if since_served > UNSERVED_MS then
  forgiven_ms = forgiven_ms + since_served
  redis.call('HSET', pace, 'resumed', now, 'unserved', forgiven_ms)
  -- Sessions that ran out while nobody could use them go on for as long as that has lasted.
  local lapsed = redis.call('ZRANGEBYSCORE', active, '(' .. string.format('%d', served), now, 'WITHSCORES', 'LIMIT', 0, batch_max)
  for i = 1, #lapsed, 2 do
    local number = redis.call('HGET', sessions, lapsed[i])
    redis.call('ZADD', active, string.format('%d', lapsed[i + 1] + since_served), lapsed[i])
    grant(number, 1, granted_end(number) + since_served)
  end
end
if since_served == 0 or since_served >= SERVED_MS then
  redis.call('HSET', pace, 'served', now)
end

local ended = redis.call('ZRANGEBYSCORE', active, '-inf', now, 'LIMIT', 0, batch_max)
if #ended > 0 then
  note_sessions_ended(redis.call('HMGET', sessions, unpack(ended)))
  redis.call('ZREM', active, unpack(ended))
  redis.call('HDEL', sessions, unpack(ended))
end

-- `recent` counts from the beginning: what the window covers is the difference between its two ends.
local total, moment = unpack(redis.call('ZREVRANGE', recent, 0, 0, 'WITHSCORES'))
total, moment = tonumber(total or 0), tonumber(moment or 0)
local before_window = redis.call('ZREVRANGEBYSCORE', recent, now - window_ms, '-inf', 'LIMIT', 0, 1)[1]
local in_window = total - tonumber(before_window or 0)

local room = (paused or is_rebuilding or waits_for_draw) and 0 or batch_max
if active_max > 0 then
  room = math.min(room, active_max - (before - #ended))
end
if per_window > 0 then
  room = math.min(room, per_window - in_window)
end

-- When each of these people, members and numbers by turns, last asked, in seconds; 0 where nothing is written.
local function last_asked(head)
  local count, first, last = #head / 2, tonumber(head[2]), tonumber(head[#head])
  if last - first >= SPREAD_MAX * count then
    local times = {}
    for i = 1, count do
      local number = tonumber(head[2 * i])
      local bytes = redis.call('GETRANGE', seen, (number - 1) * 4, number * 4 - 1)
      times[i] = #bytes == 4 and struct.unpack('>I4', bytes) or 0
    end
    return times
  end
  local width = (last - first + 1) * 4
  local bytes = redis.call('GETRANGE', seen, (first - 1) * 4, last * 4 - 1)
  local all = { struct.unpack(pack(last - first + 1), bytes .. string.rep('\0', width - #bytes)) }
  if last - first + 1 == count then
    return all
  end
  local times = {}
  for i = 1, count do
    times[i] = all[head[2 * i] - first + 1]
  end
  return times
end

-- In whole seconds, counted so that nobody is absent too early. Of some there is nothing written: they are not absent.
local absent_before = time[1] - absent_s - math.ceil(forgiven_ms / 1000)
-- Written once: a thousand times over, that would be a fifth of the whole.
local passed_at = string.format('%d', now)
local claimed_by = string.format('%d', now + math.min(claim_ms, session_ms))

local leaving, leaving_numbers, passed_over = {}, {}, {}
-- Takes off those who have stopped asking, from the first one of them on. Gives back the others.
local function pass_over(head, asked, first)
  local there = { unpack(head, 1, 2 * first - 2) }
  for i = first, #head / 2 do
    local user, number = head[2 * i - 1], head[2 * i]
    if asked[i] > 0 and asked[i] < absent_before then
      local n = #passed_over + 1
      passed_over[n] = number
      leaving[2 * n - 1], leaving[2 * n] = passed_at, user
      leaving_numbers[2 * n - 1], leaving_numbers[2 * n] = user, number
    else
      there[#there + 1], there[#there + 2] = user, number
    end
  end
  return there
end

-- Those of the head who are there: mostly everybody, and then the head as it is.
local function those_there(head)
  local asked = last_asked(head)
  for i = 1, #head / 2 do
    if asked[i] > 0 and asked[i] < absent_before then
      return pass_over(head, asked, i)
    end
  end
  return head
end

local entered = {}
local function let_in(people)
  local entering, before = {}, #entered
  for i = 1, #people / 2 do
    entered[before + i] = people[2 * i]
    entering[2 * i - 1], entering[2 * i] = claimed_by, people[2 * i - 1]
  end
  redis.call('ZADD', active, unpack(entering))
  redis.call('HSET', sessions, unpack(people))
  -- The numbers ascend: those without a gap between them at once.
  local ends, first = now + session_ms, 2
  for i = 2, #people, 2 do
    if tonumber(people[i + 2]) ~= people[i] + 1 then
      grant(people[first], (i - first) / 2 + 1, ends)
      first = i + 2
    end
  end
end

-- One run looks at one batch of people at most, whoever of them is there.
for _, waiting in ipairs({ returned, line }) do
  for _ = 1, batch_max do
    local wanted = math.min(room, batch_max - #passed_over) - #entered
    local head = wanted > 0 and redis.call('ZRANGE', waiting, 0, wanted - 1, 'WITHSCORES') or {}
    if #head == 0 then
      break
    end
    -- One walk along the head: ZPOPMIN searches for each of them again.
    redis.call('ZREMRANGEBYRANK', waiting, 0, #head / 2 - 1)
    local there = those_there(head)
    if #there > 0 then
      let_in(there)
    end
  end
end
local admitted = #entered
record('admitted', entered)
if #passed_over > 0 then
  redis.call('ZADD', away, unpack(leaving))
  redis.call('HSET', away_numbers, unpack(leaving_numbers))
  record('passed-over', passed_over)
end

local forgotten = redis.call('ZRANGEBYSCORE', away, '-inf', now - grace_ms - forgiven_ms, 'LIMIT', 0, batch_max)
if #forgotten > 0 then
  local over = redis.call('HMGET', away_numbers, unpack(forgotten))
  note_ended(over)
  record('forgotten', over)
  redis.call('ZREM', away, unpack(forgotten))
  redis.call('HDEL', away_numbers, unpack(forgotten))
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
if admitted + #passed_over + #ended > 0 then
  redis.call('PUBLISH', channel, concert)
end
local waiting = redis.call('ZCARD', line) + redis.call('ZCARD', returned)
return { 'admitted', admitted, #ended, #passed_over, before - #ended + admitted, waiting }
