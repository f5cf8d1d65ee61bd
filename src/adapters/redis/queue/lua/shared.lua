-- Stands before every script of a queue: the names of its keys, in the order of keys.ts, and the functions that scripts share.
-- The script that follows is a function (redis/scripts.ts), after which `note_parts` is called. Replies nothing itself.
-- An entry is known by its number: its sequence or, where lots were drawn, the lot that it drew.
local epoch_key, sequence_key, waiting, joined, last_seen, absent, absent_numbers, rejoined, active, sessions, granted,
  admissions, pace, clock, ended_log, log, rebuild, draw, registered, registered_joined, registered_last_seen, registered_ended =
  unpack(KEYS)
-- Half of the weight of the measured turnover is younger than 40 s: quick enough to follow a sale, slow enough not to jump.
local SMOOTHING_MS = 60000
-- What was measured for less says too little to be scaled up.
local MEASURED_MS_MIN = 10000
-- After a loss, an entry that the head has passed may be restored for this long.
local LATE_MS = 600000
-- Exceeds the time for reports.
local REPORT_MS_MAX = 10000
-- A queue that no instance has served for this long was out of reach for its clients, too.
local STANDSTILL_MS = 3000

-- The number of keys is noted after each script. A smaller one means that a part of the queue is lost: then all of it is, but
-- for the log of what is not on record yet, and the queue is rebuilt.
local parts = redis.call('EXISTS', unpack(KEYS))
local current_epoch = redis.call('GET', epoch_key)
local served, offset, server_noted, parts_noted, present_share =
  unpack(redis.call('HMGET', clock, 'served', 'offset', 'server', 'parts', 'present'))
if parts > 0 and not (current_epoch and parts_noted and parts >= tonumber(parts_noted)) then
  for _, key in ipairs(KEYS) do
    if key ~= log then
      redis.call('UNLINK', key)
    end
  end
  current_epoch, served, offset, server_noted, parts_noted, present_share = false, false, false, false, false, false
end

local function note_parts()
  local parts_now = redis.call('EXISTS', unpack(KEYS))
  if current_epoch and parts_now ~= tonumber(parts_noted or 0) then
    redis.call('HSET', clock, 'parts', parts_now)
  end
end

local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
-- Time as the queue counts it: Redis's clock plus an offset. It stands still while no instance serves the queue, and when
-- Redis's clock steps: neither an outage nor a step ends a session, or counts as absence. silence.lua keeps it.
local now = wall + tonumber(offset or 0)
if served and (now < tonumber(served) or now > served + STANDSTILL_MS) then
  now = tonumber(served)
end
local now_s = math.floor(now / 1000)

-- A time of the queue, by the clock of Redis, as clients are told it.
local function wall_time(ms)
  return ms - now + wall
end

-- After a loss: until when instances report what they know, until when the queue is rebuilt, the first number that may be
-- missing, the head before the loss, until when passed entries are restored.
local known_at, rebuilt_at, missing_from, head_before, late_until =
  unpack(redis.call('HMGET', rebuild, 'known', 'until', 'from', 'head', 'late'))
local is_rebuilding = tonumber(rebuilt_at or 0) > now
-- By Redis's clock, as reports come while nobody is served, too. A time further off was set before the clock stepped back.
local reports_end_in = tonumber(known_at or 0) - wall
local is_reporting = reports_end_in > 0 and reports_end_in <= REPORT_MS_MAX
missing_from = tonumber(missing_from or 1)

-- 'registering' until the opening, 'closed' once the number of lots is fixed, 'placing' while entries get their lots,
-- 'drawn'; false without a lottery.
local draw_state, draw_count = unpack(redis.call('HMGET', draw, 'state', 'count'))
local waits_for_draw = draw_state and draw_state ~= 'drawn'

-- The last sequence drawn.
local function last_drawn()
  return tonumber(redis.call('GET', sequence_key) or 0)
end

-- The smallest number that waits or may be missing, or the head before the loss. Entries below it were admitted or passed over.
local function head()
  if waits_for_draw then
    return 1
  end
  local first = tonumber(redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')[2]) or last_drawn() + 1
  return math.max(tonumber(head_before or 0), is_rebuilding and math.min(first, missing_from) or first)
end

-- A head that fell behind what an instance has told is raised again: no position rises.
local function raise_head(known)
  if known > head() then
    head_before = string.format('%d', known)
    redis.call('HSET', rebuild, 'head', head_before)
  end
  return head()
end

-- Names the server of Redis. Another one, also the same one restarted, may lack the last moments. A server that has no name
-- for itself is taken for the same one.
local function server()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
end

-- Instances that knew the memory of this queue by another name find all entries anew.
local function rename_memory()
  redis.call('HSET', rebuild, 'name', server() .. ' ' .. wall)
end

-- Begins to wait for entries from this number on. Until the end nobody behind them is admitted.
local function begin_rebuild(from, rebuild_ms)
  is_rebuilding, missing_from, rebuilt_at = true, from, string.format('%d', now + rebuild_ms)
  redis.call('HSET', rebuild, 'from', from, 'until', rebuilt_at, 'late', string.format('%d', now + rebuild_ms + LATE_MS))
  rename_memory()
end

local function are_all_missing()
  return is_rebuilding and missing_from == 1
end

-- Until then instances report what they know; nobody joins or is admitted.
local function begin_reports(report_ms)
  is_reporting = true
  redis.call('HSET', rebuild, 'known', string.format('%d', wall + report_ms))
end

-- No sequence is drawn and nobody is admitted before a survey has taken in a new server, and what an instance knows.
local function is_unsurveyed(drawn_known)
  return server_noted ~= server() or drawn_known > last_drawn()
end

-- Sessions ended per second, and the share of the waiting entries that will be present at the head; as strings. The turnover is measured only when
-- it changes and fades in between. In its first minute it is an average since its start.
local function measured_pace()
  local rate, at, since = unpack(redis.call('HMGET', pace, 'rate', 'at', 'since'))
  local faded = tonumber(rate or 0) * math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
  local measured_ms = math.max(MEASURED_MS_MIN, now - tonumber(since or 0))
  return tostring(faded / (1 - math.exp(-measured_ms / SMOOTHING_MS))), present_share or '1'
end

local function pack(count)
  return '>' .. string.rep('I4', count)
end

local function touch(number)
  redis.call('SETRANGE', last_seen, (number - 1) * 4, struct.pack('>I4', now_s))
end

-- While lots are placed, the draw takes last-seen times from a copy.
local function touch_registered(sequence)
  local times = draw_state == 'placing' and registered_last_seen or last_seen
  redis.call('SETRANGE', times, (sequence - 1) * 4, struct.pack('>I4', now_s))
end

-- When the session of this entry ends as granted.
local function granted_end(number)
  return struct.unpack('>I6', redis.call('GETRANGE', granted, (number - 1) * 6, number * 6 - 1))
end

-- Sets the granted end of `count` entries with successive numbers.
local function grant(first, count, ends)
  redis.call('SETRANGE', granted, (first - 1) * 6, string.rep(struct.pack('>I6', ends), count))
end

-- Instances read this log to count the entries that no longer stand before another.
local function note_ended(numbers)
  if #numbers > 0 then
    redis.call('APPEND', ended_log, struct.pack(pack(#numbers), unpack(numbers)))
  end
end

-- Events of entries, until they are on record in Postgres.
local function record(kind, numbers)
  if #numbers > 0 then
    redis.call('XADD', log, '*', kind, table.concat(numbers, ' '))
  end
end

local function note_sessions_ended(numbers)
  note_ended(numbers)
  record('ended', numbers)
end

-- Each returns whether there was such an entry.
local function remove_waiting(user, number, sequence)
  for _, set in ipairs({ waiting, rejoined }) do
    if redis.call('ZSCORE', set, user) == number then
      return redis.call('ZREM', set, user) == 1
    end
  end
  if redis.call('ZSCORE', registered, user) == sequence then
    return redis.call('ZREM', registered, user) == 1
  end
  if redis.call('HGET', absent_numbers, user) == number then
    redis.call('HDEL', absent_numbers, user)
    return redis.call('ZREM', absent, user) == 1
  end
  return false
end

local function remove_session(user, number)
  if redis.call('HGET', sessions, user) ~= number then
    return false
  end
  redis.call('HDEL', sessions, user)
  redis.call('ZREM', active, user)
  return true
end
