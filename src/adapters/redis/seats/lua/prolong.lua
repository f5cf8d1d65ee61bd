-- Lets the hold keys of this holder last for ttl_ms at least. Keys of others, and missing ones, stay as they are.
-- Replies how many are the holder's.
local holder, ttl_ms = ARGV[1], ARGV[2]
local prolonged = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == holder then
    redis.call('PEXPIRE', key, ttl_ms, 'GT')
    prolonged = prolonged + 1
  end
end
return prolonged
