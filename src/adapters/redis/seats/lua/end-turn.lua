-- The marks of a date are known to be there for known_ms, if it is this turn that ends. Replies 1 if it is, else 0.
local turn, known_ms = ARGV[1], ARGV[2]

if redis.call('GET', KEYS[1]) ~= turn then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], known_ms)
