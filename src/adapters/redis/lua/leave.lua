-- Gives a place up: waiting, passed over, or active. Replies 1 if there was one, else 0.
local epoch_key, line, returned, away, away_sequences = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local active, sessions = KEYS[6], KEYS[7]
local user, sequence, epoch = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', epoch_key) ~= epoch then
  return 0
end
for _, place in ipairs({ line, returned }) do
  if redis.call('ZSCORE', place, user) == sequence then
    return redis.call('ZREM', place, user)
  end
end
if redis.call('HGET', away_sequences, user) == sequence then
  redis.call('HDEL', away_sequences, user)
  return redis.call('ZREM', away, user)
end
local session = redis.call('HGET', sessions, user)
if session and string.match(session, '^%d+') == sequence then
  redis.call('HDEL', sessions, user)
  return redis.call('ZREM', active, user)
end
return 0
