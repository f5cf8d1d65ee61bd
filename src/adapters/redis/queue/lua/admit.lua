-- Ends expired sessions and admits the next entries, as many as both limits leave: first rejoined entries, then waiting ones,
-- each by the smallest number. Entries at the head that are absent are passed over. Publishes that the queue has moved.
-- Replies {'unopened'}, {'unsurveyed'}, or {'admitted', admitted, expired, passed over, active, waiting}.
local active_max, sold_out, sold_out_active_max = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
local per_window, window_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local session_ms, claim_ms, absent_s = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local grace_ms, poll_ms = tonumber(ARGV[9]), tonumber(ARGV[10])
local paused, batch_max = ARGV[11] == '1', tonumber(ARGV[12])
local longest_hold_ms, channel, concert = tonumber(ARGV[13]), ARGV[14], ARGV[15]
-- Nothing is admitted after the concert: from then on its queue is kept for a week. Renewed once a minute, as each renewal
-- goes into the append-only file.
local KEPT_MS, RENEWED_MS = 7 * 86400000, 60000
-- The longest window: a window that is made longer counts earlier admissions.
local REMEMBERED_MS = 3600000
-- Times of admission are rounded up to this: an admission may leave the window this much too late.
local MOMENT_MS = 20

if not current_epoch then
  return { 'unopened' }
end
if is_unsurveyed(0) then
  return { 'unsurveyed' }
end

-- Only this script adds sessions: those missing since its last run have left or paid.
local before = redis.call('ZCARD', active)
local known, rate, at, was_sold_out = unpack(redis.call('HMGET', pace, 'active', 'rate', 'at', 'sold-out'))
local left = math.max(0, tonumber(known or 0) - before)

-- The ceiling of a session depends on it (extend.lua).
if tonumber(redis.call('HGET', clock, 'longest-hold')) ~= longest_hold_ms then
  redis.call('HSET', clock, 'longest-hold', longest_hold_ms)
end
local silence_ms, ended_per_s = longest_silence_ms(poll_ms), tonumber(rate or 0)
local is_outage = keep_time(silence_ms, absent_s, ended_per_s)

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
-- Once a concert was sold out, seats return one by one.
if sold_out and not was_sold_out then
  redis.call('HSET', pace, 'sold-out', 1)
elseif was_sold_out and sold_out_active_max then
  room = math.min(room, sold_out_active_max - (before - #expired))
end
if per_window > 0 then
  room = math.min(room, per_window - in_window)
end

-- In whole seconds, rounded so that no entry is absent too early. No last-seen time means present.
local absence_s = math.max(absent_s, now < longer_until and math.ceil(longer_ms / 1000) or 0)
local absent_before = now_s - absence_s
-- Silence counts as absence until the time at which the crowd was heard. Sampled only if an entry seems absent.
local heard_s
local function silence_counted_s()
  if not heard_s then
    heard_s = (is_outage or not silent_since) and math.min(now_s, (sample_crowd(silence_ms, absent_s, ended_per_s))) or now_s
    absent_before = heard_s - absence_s
  end
  return heard_s
end
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

local function first_absent(times)
  for i, seen_s in ipairs(times) do
    if seen_s > 0 and seen_s < absent_before then
      return i
    end
  end
end

-- Mostly all entries are present, and the list is returned as it is.
local function present_of(entries)
  local times = values_of(last_seen, 4, entries)
  local first = first_absent(times) and silence_counted_s() and first_absent(times)
  return first and pass_over(entries, times, first) or entries
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

local kept_ms = grace_ms + (now < longer_until and longer_ms or 0)
local function passed_before(ms)
  return redis.call('ZRANGEBYSCORE', absent, '-inf', string.format('%d', ms), 'LIMIT', 0, batch_max)
end
local forgotten = passed_before(now - kept_ms)
if #forgotten > 0 and silence_counted_s() < now_s then
  forgotten = passed_before(heard_s * 1000 - kept_ms)
end
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
  redis.call('HSETNX', pace, 'since', now)
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
