-- Stands before admit.lua: for how long a client may be silent, and whether nearly all clients are silent at once, which an outage
-- in front of the instances causes. Keeps the time of the queue. Replies nothing itself.

-- The time is noted once a second, as each note goes into the append-only file.
local NOTED_MS = 1000
-- Covers the second in which instances learn of a changed policy, and the time that a poll takes.
local TOLD_MARGIN_MS = 5000
-- Numbers this far apart are read one by one.
local SPREAD_MAX = 4
-- A sample of the waiting entries has this many runs of neighbours, of this length each.
local SAMPLE_RUNS, SAMPLE_RUN = 16, 16
-- Below this many sampled entries that keep polling, a silence of all is absence.
local CROWD_MIN = 100
-- The crowd counts as heard as long as this share of it is.
local CROWD_HEARD = 0.02
-- Covers the second between two writes of heartbeats, and the second to which last-seen times are rounded.
local HEARD_MARGIN_MS = 2000
-- A crowd that is silent for longer has left.
local OUTAGE_MS_MAX = 600000

local told_ms, longer_ms, longer_until, silent_since =
  unpack(redis.call('HMGET', clock, 'told', 'longer', 'longer-until', 'silent'))
told_ms, longer_ms, longer_until = tonumber(told_ms or 0), tonumber(longer_ms or 0), tonumber(longer_until or 0)
silent_since = tonumber(silent_since)

-- Clients are given this interval to poll until a time: a shorter policy takes full effect once the intervals told are over.
local function give_longer(interval_ms, until_ms)
  longer_ms, longer_until = interval_ms, math.max(longer_until, until_ms)
  redis.call('HSET', clock, 'longer', longer_ms, 'longer-until', string.format('%d', longer_until))
end

-- Notes the longest interval told now. Returns how long a client is silent at most if it polls as told.
local function longest_silence_ms(poll_ms)
  if poll_ms < told_ms then
    give_longer(told_ms + TOLD_MARGIN_MS, now + told_ms + TOLD_MARGIN_MS)
  end
  if poll_ms ~= told_ms then
    redis.call('HSET', clock, 'told', poll_ms)
  end
  return math.max(poll_ms, now < longer_until and longer_ms or 0)
end

-- The values in `key`, an array of unsigned integers of `width` bytes, of entries given as members and numbers by turns; 0 without one.
local function values_of(key, width, entries)
  local count, first, last = #entries / 2, tonumber(entries[2]), tonumber(entries[#entries])
  local format = 'I' .. width
  if last - first >= SPREAD_MAX * count then
    local values = {}
    for i = 1, count do
      local number = tonumber(entries[2 * i])
      local bytes = redis.call('GETRANGE', key, (number - 1) * width, number * width - 1)
      values[i] = #bytes == width and struct.unpack('>' .. format, bytes) or 0
    end
    return values
  end
  local length = (last - first + 1) * width
  local bytes = redis.call('GETRANGE', key, (first - 1) * width, last * width - 1)
  local all = { struct.unpack('>' .. string.rep(format, last - first + 1), bytes .. string.rep('\0', length - #bytes)) }
  if last - first + 1 == count then
    return all
  end
  local values = {}
  for i = 1, count do
    values[i] = all[entries[2 * i] - first + 1]
  end
  return values
end

-- Samples the waiting entries. Returns when the crowd was last heard, in seconds, and the share that will be present at the head.
-- The crowd are the entries that kept polling after they had joined. It was heard at their newest last-seen time but for a few; now
-- if they are few. An entry that does not poll as told will be absent, unless the head is there before absent_s are over.
local function sample_crowd(silence_ms, absent_s, ended_per_s)
  local count, times, present, silent = redis.call('ZCARD', waiting), {}, 0, 0
  local silent_s = math.ceil((silence_ms + HEARD_MARGIN_MS) / 1000)
  for first = 0, count - 1, math.max(SAMPLE_RUN, math.ceil(count / SAMPLE_RUNS)) do
    local entries = redis.call('ZRANGE', waiting, first, first + SAMPLE_RUN - 1, 'WITHSCORES')
    local joined_ms = values_of(joined, 6, entries)
    local reached_s = ended_per_s > 0 and first / ended_per_s or math.huge
    for i, seen_s in ipairs(values_of(last_seen, 4, entries)) do
      local age_s = now_s - seen_s
      if seen_s == 0 or age_s <= silent_s or age_s + reached_s < absent_s then
        present = present + 1
      else
        silent = silent + 1
      end
      if seen_s * 1000 >= joined_ms[i] + now - wall + silence_ms then
        times[#times + 1] = seen_s
      end
    end
  end
  local share = count > 0 and present / (present + silent) or 1
  if #times < CROWD_MIN then
    return now_s, share
  end
  table.sort(times)
  return times[#times - math.floor(#times * CROWD_HEARD)], share
end

-- After an outage all clients have another interval to poll, and no session ends before.
local function end_outage(silence_ms, absent_s)
  local told_again = now + silence_ms + TOLD_MARGIN_MS
  give_longer(absent_s * 1000 + 2 * (silence_ms + TOLD_MARGIN_MS), told_again)
  local ends = string.format('%d', told_again)
  for _, user in ipairs(redis.call('ZRANGEBYSCORE', active, '(' .. string.format('%d', now), ends)) do
    redis.call('ZADD', active, ends, user)
  end
  redis.call('HDEL', clock, 'silent')
  silent_since = nil
end

-- Notes the time of the queue once a second; with its offset it goes on after a standstill. During an outage it stands still.
-- Returns whether it does.
local function keep_time(silence_ms, absent_s, ended_per_s)
  local is_due = not served or now >= served + NOTED_MS or now - wall ~= tonumber(offset)
  if is_due then
    -- An outage ends when the crowd is heard at the time at which the queue stands still.
    local longest_ms = silent_since and silence_ms / 2 or silence_ms + HEARD_MARGIN_MS
    local heard_s, share = sample_crowd(silence_ms, absent_s, ended_per_s)
    present_share = string.format('%.3f', share)
    local is_silent = served and (now_s - heard_s) * 1000 > longest_ms
    if is_silent and not silent_since then
      silent_since = wall
      redis.call('HSET', clock, 'silent', string.format('%d', wall))
    elseif silent_since and not is_silent then
      end_outage(silence_ms, absent_s)
    end
  end
  if silent_since and math.abs(wall - silent_since) <= OUTAGE_MS_MAX then
    now = math.min(now, tonumber(served))
    now_s = math.floor(now / 1000)
    return true
  end
  if is_due then
    redis.call('HSET', clock, 'served', string.format('%d', now), 'offset', string.format('%d', now - wall), 'present', present_share)
  end
  return false
end
