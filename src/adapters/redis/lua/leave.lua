-- Gives a place up, waiting or active. Replies 1 if there was one, else 0.
local epoch_key, line, active, sessions = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local user, sequence, epoch = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', epoch_key) ~= epoch then
  return 0
end
if redis.call('ZSCORE', line, user) == sequence then
  return redis.call('ZREM', line, user)
end
local session = redis.call('HGET', sessions, user)
if session and string.match(session, '^%d+') == sequence then
  redis.call('HDEL', sessions, user)
  return redis.call('ZREM', active, user)
end
return 0
