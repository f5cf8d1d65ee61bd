-- Draws places at the end of the line for those who have none, in the order given, and finds the places of the others.
-- Asking counts as being there, as in find.lua.
-- Replies {'unopened'} where there is no line, {'settling'} where it is not known yet what there was, or
-- {'joined', epoch, frontier, length of the log of ended places, turnover, among how many lots were drawn or -1}, then for each
-- user {outcome, number, joined in ms, detail}: 'drawn' | 'waiting' | 'back' | 'active' with the session's end in ms | 'full' |
-- 'closed' with the ms until the line is rebuilt; until lots are drawn 'enrolled', and again 'registered' by the number of the
-- registration or 'placed' by that of the place.
local waiting_max, holds_lottery = tonumber(ARGV[1]), ARGV[2] == '1'
local known_epoch, known_drawn, late_ms, first_user = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), 6
-- As many join times as fit into the longest string of Redis, 512 MB.
local NUMBER_MAX = 89000000

local epoch = redis.call('GET', epoch_key)
if not epoch then
  return { 'unopened' }
end
if is_settling then
  return { 'settling' }
end
if holds_lottery and not draw_state then
  redis.call('HSET', draw, 'state', 'registering')
  draw_state, waits_for_draw = 'registering', true
end

local users = { unpack(ARGV, first_user) }
local in_line = redis.call('ZMSCORE', line, unpack(users))
local passed_over = redis.call('HMGET', away_numbers, unpack(users))
local back = redis.call('ZMSCORE', returned, unpack(users))
local session_ends = redis.call('ZMSCORE', active, unpack(users))
local enrolled = redis.call('ZMSCORE', registered, unpack(users))

local function joined_at(times, number)
  local bytes = redis.call('GETRANGE', times, (number - 1) * 6, number * 6 - 1)
  return #bytes == 6 and struct.unpack('>I6', bytes) or now
end

local function find(i, user)
  if in_line[i] then
    local number = tonumber(in_line[i])
    see(number)
    return { waits_for_draw and 'placed' or 'waiting', number, joined_at(joined, number), 0 }
  end
  if enrolled[i] then
    local number = tonumber(enrolled[i])
    see_registered(number)
    return { 'registered', number, joined_at(draw_state == 'placing' and registered_joined or joined, number), 0 }
  end
  if passed_over[i] then
    redis.call('ZREM', away, user)
    redis.call('HDEL', away_numbers, user)
    redis.call('ZADD', returned, passed_over[i], user)
    record('returned', { passed_over[i] })
    back[i] = passed_over[i]
  end
  if back[i] then
    local number = tonumber(back[i])
    see(number)
    return { 'back', number, joined_at(joined, number), 0 }
  end
  local ends = tonumber(session_ends[i] or 0)
  if ends > now then
    local number = tonumber(redis.call('HGET', sessions, user))
    local own_end = granted_end(number)
    redis.call('ZADD', active, 'GT', own_end, user)
    return { 'active', number, joined_at(joined, number), math.max(ends, own_end) }
  end
  return nil
end

local answers, newcomers, first_of = {}, {}, {}
local waits = redis.call('ZCARD', line) + redis.call('ZCARD', returned) + redis.call('ZCARD', registered)
local drawn = drawn_at_least(epoch == known_epoch and known_drawn or 0, late_ms)
local room = math.min(waiting_max - waits, NUMBER_MAX - drawn)
for i, user in ipairs(users) do
  answers[i] = find(i, user)
  if not answers[i] and first_of[user] then
    local first = answers[first_of[user]]
    answers[i] = { waits_for_draw and 'registered' or 'waiting', first[2], now, 0 }
  elseif not answers[i] and is_rebuilding then
    answers[i] = { 'closed', 0, 0, rebuilt_at - now }
  elseif not answers[i] and #newcomers >= room then
    answers[i] = { 'full', 0, 0, 0 }
  elseif not answers[i] then
    newcomers[#newcomers + 1] = user
    first_of[user] = i
    answers[i] = { waits_for_draw and 'enrolled' or 'drawn', drawn + #newcomers, now, 0 }
  end
end

if #newcomers > 0 then
  redis.call('INCRBY', sequence_key, #newcomers)
  redis.call('SETRANGE', joined, drawn * 6, string.rep(struct.pack('>I6', now), #newcomers))
  redis.call('SETRANGE', seen, drawn * 4, string.rep(struct.pack('>I4', tonumber(time[1])), #newcomers))
  -- A session that has run out but was not tidied yet gives way to the new place.
  local over = {}
  for _, number in ipairs(redis.call('HMGET', sessions, unpack(newcomers))) do
    over[#over + 1] = number or nil
  end
  if #over > 0 then
    note_sessions_ended(over)
    redis.call('ZREM', active, unpack(newcomers))
    redis.call('HDEL', sessions, unpack(newcomers))
  end
  local entries = {}
  for i, user in ipairs(newcomers) do
    entries[2 * i - 1], entries[2 * i] = drawn + i, user
  end
  redis.call('ZADD', draw_state == 'registering' and registered or line, unpack(entries))
end

local reply = { 'joined', epoch, frontier(), redis.call('STRLEN', ended_log), tostring(turnover()), tonumber(draw_count or -1) }
for _, answer in ipairs(answers) do
  for _, value in ipairs(answer) do
    reply[#reply + 1] = value
  end
end
return reply
