-- Ends expired sessions and admits the next entries, as many as both limits leave: first rejoined entries, then waiting ones,
-- each by the smallest number. Entries at the head that are absent are passed over. Publishes that the queue has moved.
-- Replies {'unopened'}, {'unsurveyed'}, or {'admitted', admitted, expired, passed over, active, waiting}.
local active_max, per_window, window_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local session_ms, claim_ms, absent_s = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local grace_ms, poll_ms = tonumber(ARGV[7]), tonumber(ARGV[8])
local paused, batch_max = ARGV[9] == '1', tonumber(ARGV[10])
local channel, concert = ARGV[11], ARGV[12]
-- Nothing is admitted after the concert: from then on its queue is kept for a week. Renewed once a minute, as each renewal
-- goes into the append-only file.
local KEPT_MS, RENEWED_MS = 7 * 86400000, 60000
-- The longest window: a window that is made longer counts earlier admissions.
local REMEMBERED_MS = 3600000
-- Times of admission are rounded up to this: an admission may leave the window this much too late.
local MOMENT_MS = 20
-- The time is noted once a second, as each note goes into the append-only file.
local NOTED_MS = 1000
-- Covers the second in which instances learn of a changed policy, and the time that a poll takes.
local TOLD_MARGIN_MS = 5000
-- Numbers this far apart are read one by one.
local SPREAD_MAX = 4

if not current_epoch then
  return { 'unopened' }
end
if is_unsurveyed(0) then
  return { 'unsurveyed' }
end

-- Only this script adds sessions: those missing since its last run have left or paid.
local before = redis.call('ZCARD', active)
local known, rate, at = unpack(redis.call('HMGET', pace, 'active', 'rate', 'at'))
local left = math.max(0, tonumber(known or 0) - before)

-- With the offset noted, time goes on after a standstill.
if not served or now >= served + NOTED_MS or now - wall ~= tonumber(offset) then
  redis.call('HSET', clock, 'served', string.format('%d', now), 'offset', string.format('%d', now - wall))
end

-- A shorter policy takes full effect once the intervals told under the longer one are over: until then clients are given the
-- time of the longer one to poll.
local told_ms, longer_ms, longer_until = unpack(redis.call('HMGET', clock, 'told', 'longer', 'longer-until'))
told_ms, longer_ms, longer_until = tonumber(told_ms or 0), tonumber(longer_ms or 0), tonumber(longer_until or 0)
if poll_ms < told_ms then
  longer_ms, longer_until = told_ms + TOLD_MARGIN_MS, math.max(longer_until, now + told_ms + TOLD_MARGIN_MS)
end
if poll_ms ~= told_ms then
  redis.call('HSET', clock, 'told', poll_ms, 'longer', longer_ms, 'longer-until', string.format('%d', longer_until))
end

local expired = redis.call('ZRANGEBYSCORE', active, '-inf', now, 'LIMIT', 0, batch_max)
if #expired > 0 then
  note_sessions_ended(redis.call('HMGET', sessions, unpack(expired)))
  redis.call('ZREM', active, unpack(expired))
  redis.call('HDEL', sessions, unpack(expired))
end

-- `admissions` holds running totals: a window's count is the difference between its two ends.
local total, moment = unpack(redis.call('ZREVRANGE', admissions, 0, 0, 'WITHSCORES'))
total, moment = tonumber(total or 0), tonumber(moment or 0)
local before_window = redis.call('ZREVRANGEBYSCORE', admissions, now - window_ms, '-inf', 'LIMIT', 0, 1)[1]
local in_window = total - tonumber(before_window or 0)

local room = (paused or is_reporting or waits_for_draw) and 0 or batch_max
-- Entries behind those that may be missing.
local kept_waiting = is_rebuilding and '(' .. missing_from or '+inf'
if active_max > 0 then
  room = math.min(room, active_max - (before - #expired))
end
if per_window > 0 then
  room = math.min(room, per_window - in_window)
end

-- The last-seen times, in seconds, of entries given as members and numbers by turns; 0 without one.
local function last_seen_of(entries)
  local count, first, last = #entries / 2, tonumber(entries[2]), tonumber(entries[#entries])
  if last - first >= SPREAD_MAX * count then
    local times = {}
    for i = 1, count do
      local number = tonumber(entries[2 * i])
      local bytes = redis.call('GETRANGE', last_seen, (number - 1) * 4, number * 4 - 1)
      times[i] = #bytes == 4 and struct.unpack('>I4', bytes) or 0
    end
    return times
  end
  local width = (last - first + 1) * 4
  local bytes = redis.call('GETRANGE', last_seen, (first - 1) * 4, last * 4 - 1)
  local all = { struct.unpack(pack(last - first + 1), bytes .. string.rep('\0', width - #bytes)) }
  if last - first + 1 == count then
    return all
  end
  local times = {}
  for i = 1, count do
    times[i] = all[entries[2 * i] - first + 1]
  end
  return times
end

-- In whole seconds, rounded so that no entry is absent too early. No last-seen time means present.
local absent_before = now_s - math.max(absent_s, now < longer_until and math.ceil(longer_ms / 1000) or 0)
-- Formatted once: to do it for each of a thousand entries takes a fifth of the script's time.
local passed_at = string.format('%d', now)
local session_ends = math.max(now + session_ms, longer_until)
local claimed_by = string.format('%d', math.max(now + math.min(claim_ms, session_ms), longer_until))

local leaving, leaving_numbers, passed_over = {}, {}, {}
-- Takes absent entries off, from the first of them on. Returns the others.
local function pass_over(entries, times, first)
  local present = { unpack(entries, 1, 2 * first - 2) }
  for i = first, #entries / 2 do
    local user, number = entries[2 * i - 1], entries[2 * i]
    if times[i] > 0 and times[i] < absent_before then
      local n = #passed_over + 1
      passed_over[n] = number
      leaving[2 * n - 1], leaving[2 * n] = passed_at, user
      leaving_numbers[2 * n - 1], leaving_numbers[2 * n] = user, number
    else
      present[#present + 1], present[#present + 2] = user, number
    end
  end
  return present
end

-- Mostly all entries are present, and the list is returned as it is.
local function present_of(entries)
  local times = last_seen_of(entries)
  for i = 1, #entries / 2 do
    if times[i] > 0 and times[i] < absent_before then
      return pass_over(entries, times, i)
    end
  end
  return entries
end

local entered = {}
local function admit(entries)
  local entering, count = {}, #entered
  for i = 1, #entries / 2 do
    entered[count + i] = entries[2 * i]
    entering[2 * i - 1], entering[2 * i] = claimed_by, entries[2 * i - 1]
  end
  redis.call('ZADD', active, unpack(entering))
  redis.call('HSET', sessions, unpack(entries))
  -- Numbers ascend: a run without a gap is granted at once.
  local first = 2
  for i = 2, #entries, 2 do
    if tonumber(entries[i + 2]) ~= entries[i] + 1 then
      grant(entries[first], (i - first) / 2 + 1, session_ends)
      first = i + 2
    end
  end
end

-- One run looks at one batch of entries at most, present or not.
for _, set in ipairs({ rejoined, waiting }) do
  for _ = 1, batch_max do
    local wanted = math.min(room, batch_max - #passed_over) - #entered
    local first = wanted > 0 and redis.call('ZRANGEBYSCORE', set, '-inf', kept_waiting, 'WITHSCORES', 'LIMIT', 0, wanted) or {}
    if #first == 0 then
      break
    end
    -- Removes them in one walk: ZPOPMIN searches for each of them again.
    redis.call('ZREMRANGEBYRANK', set, 0, #first / 2 - 1)
    local present = present_of(first)
    if #present > 0 then
      admit(present)
    end
  end
end
local admitted = #entered
record('admitted', entered)
if #passed_over > 0 then
  redis.call('ZADD', absent, unpack(leaving))
  redis.call('HSET', absent_numbers, unpack(leaving_numbers))
  record('passed-over', passed_over)
end

local forgotten = redis.call('ZRANGEBYSCORE', absent, '-inf', now - grace_ms, 'LIMIT', 0, batch_max)
if #forgotten > 0 then
  local numbers = redis.call('HMGET', absent_numbers, unpack(forgotten))
  note_ended(numbers)
  record('forgotten', numbers)
  redis.call('ZREM', absent, unpack(forgotten))
  redis.call('HDEL', absent_numbers, unpack(forgotten))
end

if admitted > 0 then
  -- The total never falls with time, even if the clock was set back.
  local this_moment = math.max(moment, math.ceil(now / MOMENT_MS) * MOMENT_MS)
  if this_moment == moment then
    redis.call('ZREM', admissions, string.format('%d', total))
  end
  redis.call('ZADD', admissions, this_moment, string.format('%d', total + admitted))
  -- One total older than the longest window stays, as its base.
  local old = redis.call('ZREVRANGEBYSCORE', admissions, now - REMEMBERED_MS, '-inf', 'LIMIT', 1, batch_max)
  if #old > 0 then
    redis.call('ZREM', admissions, unpack(old))
  end
end
if left + #expired + admitted > 0 then
  local kept = math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
  local smoothed = tonumber(rate or 0) * kept + (left + #expired) * 1000 / SMOOTHING_MS
  redis.call('HSET', pace, 'rate', tostring(smoothed), 'at', now, 'active', before - #expired + admitted)
end
for _, key in ipairs(KEYS) do
  local left_ms = redis.call('PTTL', key)
  if left_ms ~= -2 and left_ms < KEPT_MS - RENEWED_MS then
    redis.call('PEXPIRE', key, KEPT_MS)
  end
end
if admitted + #passed_over + #expired > 0 then
  redis.call('PUBLISH', channel, concert)
end
local waiting_count = redis.call('ZCARD', waiting) + redis.call('ZCARD', rejoined)
return { 'admitted', admitted, #expired, #passed_over, before - #expired + admitted, waiting_count }
