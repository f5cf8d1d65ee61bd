-- Draws a place at the end of the line, or finds the one that the user has. Asking counts as being there, as in find.lua.
-- Replies {outcome, epoch, sequence, joined, detail}: 'full' alone, or
-- 'drawn' | 'waiting' with the position, or 'active' with the session's end in ms.
local epoch_key, sequence_key, joined, seen, line = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local returned, away, away_sequences, active, sessions = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local user, candidate_epoch, waiting_max = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- As many join times as fit into the longest string of Redis, 512 MB.
local SEQUENCE_MAX = 89000000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('SET', epoch_key, candidate_epoch, 'NX')
local epoch = redis.call('GET', epoch_key)

local function joined_at(sequence)
  local offset = (sequence - 1) * 6
  return struct.unpack('>I6', redis.call('GETRANGE', joined, offset, offset + 5))
end

local function see(sequence)
  redis.call('SETRANGE', seen, (sequence - 1) * 4, struct.pack('>I4', tonumber(time[1])))
end

local function waiting_at(sequence, position)
  see(sequence)
  return { 'waiting', epoch, sequence, joined_at(sequence), position }
end

local waiting = redis.call('ZSCORE', line, user)
if waiting then
  return waiting_at(tonumber(waiting), redis.call('ZRANK', line, user) + 1)
end

local passed_over = redis.call('HGET', away_sequences, user)
if passed_over then
  redis.call('ZREM', away, user)
  redis.call('HDEL', away_sequences, user)
  redis.call('ZADD', returned, passed_over, user)
end
local back = redis.call('ZSCORE', returned, user)
if back then
  return waiting_at(tonumber(back), 1)
end

local ends = tonumber(redis.call('ZSCORE', active, user) or 0)
if ends > now then
  local drawn, granted = string.match(redis.call('HGET', sessions, user), '^(%d+):(%d+)$')
  local sequence = tonumber(drawn)
  redis.call('ZADD', active, 'GT', granted, user)
  return { 'active', epoch, sequence, joined_at(sequence), math.max(ends, tonumber(granted)) }
end

local waits = redis.call('ZCARD', line) + redis.call('ZCARD', returned)
if waits >= waiting_max or tonumber(redis.call('GET', sequence_key) or 0) >= SEQUENCE_MAX then
  return { 'full' }
end

-- A session that has run out but was not tidied yet gives way to the new place.
redis.call('ZREM', active, user)
redis.call('HDEL', sessions, user)
local sequence = redis.call('INCR', sequence_key)
redis.call('SETRANGE', joined, (sequence - 1) * 6, struct.pack('>I6', now))
see(sequence)
redis.call('ZADD', line, sequence, user)
return { 'drawn', epoch, sequence, now, redis.call('ZRANK', line, user) + 1 }
