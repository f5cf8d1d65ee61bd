-- Adds entries at the end of the queue for users without one, in the order given, and finds the entries of the others.
-- Asking counts as a heartbeat, as in find.lua.
-- Replies {'unopened'}; {'unsurveyed'}; {'reporting'} while it is not known what was lost; or {'joined', epoch, head, length of the log of ended
-- entries, number of lots drawn or -1, turnover, present share}, then for each user {outcome, number, joined in ms, detail}:
-- 'drawn' | 'waiting' | 'rejoined' | 'active' with the session's end in ms | 'full' | 'closed' with the ms until the queue is
-- rebuilt; until lots are drawn 'enrolled', and again 'registered' by sequence or 'placed' by lot.
local waiting_max, holds_lottery = tonumber(ARGV[1]), ARGV[2] == '1'
local epoch_known, drawn_known, first_user = ARGV[3], tonumber(ARGV[4]), 5
-- As many join times as fit into the longest string of Redis, 512 MB.
local NUMBER_MAX = 89000000

if not current_epoch then
  return { 'unopened' }
end
if is_unsurveyed(current_epoch == epoch_known and drawn_known or 0) then
  return { 'unsurveyed' }
end
if is_reporting then
  return { 'reporting' }
end
if holds_lottery and not draw_state then
  redis.call('HSET', draw, 'state', 'registering')
  draw_state, waits_for_draw = 'registering', true
end

local users = { unpack(ARGV, first_user) }
local waiting_numbers = redis.call('ZMSCORE', waiting, unpack(users))
local absent_of = redis.call('HMGET', absent_numbers, unpack(users))
local rejoined_numbers = redis.call('ZMSCORE', rejoined, unpack(users))
local session_ends = redis.call('ZMSCORE', active, unpack(users))
local sequences = redis.call('ZMSCORE', registered, unpack(users))

local function joined_at(times, number)
  local bytes = redis.call('GETRANGE', times, (number - 1) * 6, number * 6 - 1)
  local time = #bytes == 6 and struct.unpack('>I6', bytes) or 0
  return time > 0 and time or wall
end

local function find(i, user)
  if waiting_numbers[i] then
    local number = tonumber(waiting_numbers[i])
    touch(number)
    return { waits_for_draw and 'placed' or 'waiting', number, joined_at(joined, number), 0 }
  end
  if sequences[i] then
    local sequence = tonumber(sequences[i])
    touch_registered(sequence)
    return { 'registered', sequence, joined_at(draw_state == 'placing' and registered_joined or joined, sequence), 0 }
  end
  if absent_of[i] then
    redis.call('ZREM', absent, user)
    redis.call('HDEL', absent_numbers, user)
    redis.call('ZADD', rejoined, absent_of[i], user)
    record('returned', { absent_of[i] })
    rejoined_numbers[i] = absent_of[i]
  end
  if rejoined_numbers[i] then
    local number = tonumber(rejoined_numbers[i])
    touch(number)
    return { 'rejoined', number, joined_at(joined, number), 0 }
  end
  local ends = tonumber(session_ends[i] or 0)
  if ends > now then
    local number = tonumber(redis.call('HGET', sessions, user))
    local own_end = granted_end(number)
    redis.call('ZADD', active, 'GT', own_end, user)
    return { 'active', number, joined_at(joined, number), wall_time(math.max(ends, own_end)) }
  end
  return nil
end

-- While all entries may be missing, any user may have one. While only the last ones are, nearly all users have theirs.
local answers, newcomers, first_of = {}, {}, {}
local waiting_count = redis.call('ZCARD', waiting) + redis.call('ZCARD', rejoined) + redis.call('ZCARD', registered)
local drawn = last_drawn()
local room = math.min(waiting_max - waiting_count, NUMBER_MAX - drawn)
for i, user in ipairs(users) do
  answers[i] = find(i, user)
  if not answers[i] and first_of[user] then
    local first = answers[first_of[user]]
    answers[i] = { waits_for_draw and 'registered' or 'waiting', first[2], wall, 0 }
  elseif not answers[i] and are_all_missing() then
    answers[i] = { 'closed', 0, 0, rebuilt_at - now }
  elseif not answers[i] and #newcomers >= room then
    answers[i] = { 'full', 0, 0, 0 }
  elseif not answers[i] then
    newcomers[#newcomers + 1] = user
    first_of[user] = i
    answers[i] = { waits_for_draw and 'enrolled' or 'drawn', drawn + #newcomers, wall, 0 }
  end
end

if #newcomers > 0 then
  redis.call('INCRBY', sequence_key, #newcomers)
  redis.call('SETRANGE', joined, drawn * 6, string.rep(struct.pack('>I6', wall), #newcomers))
  redis.call('SETRANGE', last_seen, drawn * 4, string.rep(struct.pack('>I4', now_s), #newcomers))
  -- An ended session that no admission has removed yet gives way to the new entry.
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
  redis.call('ZADD', draw_state == 'registering' and registered or waiting, unpack(entries))
end

local reply = { 'joined', current_epoch, head(), redis.call('STRLEN', ended_log), tonumber(draw_count or -1), measured_pace() }
for _, answer in ipairs(answers) do
  for _, value in ipairs(answer) do
    reply[#reply + 1] = value
  end
end
return reply
