-- Stands before every script of a line: the names of its keys, in the order of keys.ts, and what several scripts do.
-- Replies nothing itself.
-- A place is known by its number: the one drawn on joining or, where lots were drawn, the one that they gave.
local epoch_key, sequence_key, line, joined, seen, away, away_numbers, returned, active, sessions, granted, recent, pace,
  ended_log, log, ticks, rebuild, draw, registered, registered_joined, registered_seen, registered_ended = unpack(KEYS)
-- Half of what is remembered of the turnover is younger than 40 s: quick enough to follow a sale, slow enough not to jump.
local SMOOTHING_MS = 60000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Of a line that was lost: until when the instances put together what they know of it, until when it is being rebuilt, where
-- its front had come, until when who comes late is still let back.
local known_at, rebuilt_at, front_before, late_until =
  unpack(redis.call('HMGET', rebuild, 'known', 'until', 'frontier', 'late'))
local is_settling, is_rebuilding = tonumber(known_at or 0) > now, tonumber(rebuilt_at or 0) > now

-- 'registering' until the opening, 'closed' when it is known among how many lots are drawn, 'placing' while the places
-- are moved, 'drawn'; false where no lots are drawn.
local draw_state, draw_count = unpack(redis.call('HMGET', draw, 'state', 'count'))
local waits_for_draw = draw_state and draw_state ~= 'drawn'

-- The smallest number that waits, or where the front had come before the line was lost. Whoever has a smaller number was let
-- in or passed over.
local function frontier()
  local before = tonumber(front_before or 0)
  if waits_for_draw then
    return 1
  end
  if is_rebuilding then
    return before
  end
  local first = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')[2]
  return math.max(before, tonumber(first) or tonumber(redis.call('GET', sequence_key) or 0) + 1)
end

-- The same. Where it has fallen back behind what an instance has told, it stays there: nobody's position rises.
local function frontier_at_least(known)
  if known > frontier() then
    front_before = string.format('%d', known)
    redis.call('HSET', rebuild, 'frontier', front_before)
  end
  return frontier()
end

-- The last number drawn. Where it has fallen behind what an instance knows, a replica has taken over that had missed the last
-- moments: the counter is raised, and whoever the line lacks is let back in.
local function drawn_at_least(known, late_ms)
  local drawn = tonumber(redis.call('GET', sequence_key) or 0)
  if known <= drawn then
    return drawn
  end
  redis.call('SET', sequence_key, known)
  if is_rebuilding then
    return known
  end
  rebuilt_at, late_until = string.format('%d', now), string.format('%d', now + late_ms)
  redis.call('HSET', rebuild, 'until', rebuilt_at, 'late', late_until)
  return known
end

-- Sessions ended per second. Measured only when it changes: until then it fades.
local function turnover()
  local rate, at = unpack(redis.call('HMGET', pace, 'rate', 'at'))
  return tonumber(rate or 0) * math.exp(-(now - tonumber(at or now)) / SMOOTHING_MS)
end

local function pack(count)
  return '>' .. string.rep('I4', count)
end

local function see(number)
  redis.call('SETRANGE', seen, (number - 1) * 4, struct.pack('>I4', tonumber(time[1])))
end

-- Who registered has asked: noted where the draw, once it moves them, takes it from.
local function see_registered(sequence)
  local times = draw_state == 'placing' and registered_seen or seen
  redis.call('SETRANGE', times, (sequence - 1) * 4, struct.pack('>I4', tonumber(time[1])))
end

-- When the session of this place ends as it was granted.
local function granted_end(number)
  return struct.unpack('>I6', redis.call('GETRANGE', granted, (number - 1) * 6, number * 6 - 1))
end

-- The sessions of these places, as many as they are from this one on, end then.
local function grant(first, count, ends)
  redis.call('SETRANGE', granted, (first - 1) * 6, string.rep(struct.pack('>I6', ends), count))
end

-- These places are over: their numbers are known to everybody from the log of those that ended.
local function note_ended(ended)
  if #ended > 0 then
    redis.call('APPEND', ended_log, struct.pack(pack(#ended), unpack(ended)))
  end
end

-- The record of what happened to places: relayed to where it is kept.
local function record(kind, list)
  if #list > 0 then
    redis.call('XADD', log, '*', kind, table.concat(list, ' '))
  end
end

-- The sessions of these places are over.
local function note_sessions_ended(ended)
  note_ended(ended)
  record('ended', ended)
end
