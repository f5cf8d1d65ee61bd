-- Lets each mark last for ms at least, where it is still the one given: it was released since where it is not, or has run out.
-- Replies how many are.
local mark, ttl_ms = ARGV[1], ARGV[2]
local prolonged = 0
for _, seat in ipairs(KEYS) do
  if redis.call('GET', seat) == mark then
    redis.call('PEXPIRE', seat, ttl_ms, 'GT')
    prolonged = prolonged + 1
  end
end
return prolonged
