-- Stands before every script of a queue: the names of its keys, in the order of keys.ts, and the functions that scripts share.
-- Replies nothing itself.
-- An entry is known by its number: its sequence or, where lots were drawn, the lot that it drew.
local epoch_key, sequence_key, waiting, joined, last_seen, absent, absent_numbers, rejoined, active, sessions, granted,
  admissions, pace, clock, ended_log, log, rebuild, draw, registered, registered_joined, registered_last_seen, registered_ended =
  unpack(KEYS)
-- Half of the weight of the measured turnover is younger than 40 s: quick enough to follow a sale, slow enough not to jump.
local SMOOTHING_MS = 60000
-- After a loss, an entry that the head has passed may be restored for this long.
local LATE_MS = 600000

-- A queue that no instance has served for this long was out of reach for its clients, too.
local STANDSTILL_MS = 3000

local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
-- Time as the queue counts it: Redis's clock plus an offset. It stands still while no instance serves the queue, and when
-- Redis's clock steps: neither an outage nor a step ends a session, or counts as absence. admit.lua keeps it.
local served, offset = unpack(redis.call('HMGET', clock, 'served', 'offset'))
local now = wall + tonumber(offset or 0)
if served and (now < tonumber(served) or now > served + STANDSTILL_MS) then
  now = tonumber(served)
end
local now_s = math.floor(now / 1000)

-- A time of the queue, by the clock of Redis, as clients are told it.
local function wall_time(ms)
  return ms - now + wall
end

-- After a loss: until when instances report what they know, until when the queue is rebuilt, the head before the loss,
-- until when passed entries are restored.
local known_at, rebuilt_at, head_before, late_until =
  unpack(redis.call('HMGET', rebuild, 'known', 'until', 'head', 'late'))
local is_reporting, is_rebuilding = tonumber(known_at or 0) > now, tonumber(rebuilt_at or 0) > now

-- 'registering' until the opening, 'closed' once the number of lots is fixed, 'placing' while entries get their lots,
-- 'drawn'; false without a lottery.
local draw_state, draw_count = unpack(redis.call('HMGET', draw, 'state', 'count'))
local waits_for_draw = draw_state and draw_state ~= 'drawn'

-- The smallest number that waits, or the head before the loss. Entries below it were admitted or passed over.
local function head()
  local before = tonumber(head_before or 0)
  if waits_for_draw then
    return 1
  end
  if is_rebuilding then
    return before
  end
  local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')[2]
  return math.max(before, tonumber(first) or tonumber(redis.call('GET', sequence_key) or 0) + 1)
end

-- A head that fell behind what an instance has told is raised again: no position rises.
local function raise_head(known)
  if known > head() then
    head_before = string.format('%d', known)
    redis.call('HSET', rebuild, 'head', head_before)
  end
  return head()
end

-- The last sequence drawn. A counter behind what an instance knows belongs to a replica that missed the last moments: it is
-- raised, and entries that the queue lacks may be restored.
local function raise_sequence(known)
  local drawn = tonumber(redis.call('GET', sequence_key) or 0)
  if known <= drawn then
    return drawn
  end
  redis.call('SET', sequence_key, known)
  if is_rebuilding then
    return known
  end
  rebuilt_at, late_until = string.format('%d', now), string.format('%d', now + LATE_MS)
  redis.call('HSET', rebuild, 'until', rebuilt_at, 'late', late_until)
  return known
end

-- Sessions ended per second. Measured only when it changes; it fades in between.
local function turnover()
  local rate, at = unpack(redis.call('HMGET', pace, 'rate', 'at'))
  return tonumber(rate or 0) * math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
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
