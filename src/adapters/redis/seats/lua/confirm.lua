-- Lets each mark last for ms of its own at least, where it is the one given and if it is this turn that is on.
-- Replies how many are, -1 if the turn is over.
local turn_key, turn, first_mark = KEYS[1], ARGV[1], 2

if redis.call('GET', turn_key) ~= turn then
  return -1
end
local confirmed = 0
for i = 2, #KEYS do
  local mark, ttl_ms = ARGV[first_mark + 2 * (i - 2)], ARGV[first_mark + 2 * (i - 2) + 1]
  if redis.call('GET', KEYS[i]) == mark then
    redis.call('PEXPIRE', KEYS[i], ttl_ms, 'GT')
    confirmed = confirmed + 1
  end
end
return confirmed
