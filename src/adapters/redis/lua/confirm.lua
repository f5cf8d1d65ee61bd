-- Lets each mark last for ms of its own at least, where it is the one given. Replies how many are.
local confirmed = 0
for i, seat in ipairs(KEYS) do
  local mark, ttl_ms = ARGV[2 * i - 1], ARGV[2 * i]
  if redis.call('GET', seat) == mark then
    redis.call('PEXPIRE', seat, ttl_ms, 'GT')
    confirmed = confirmed + 1
  end
end
return confirmed
