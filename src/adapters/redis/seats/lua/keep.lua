-- Sets the hold keys for ttl_ms, whatever they were. Replies how many.
local holder, ttl_ms = ARGV[1], ARGV[2]
for _, key in ipairs(KEYS) do
  redis.call('SET', key, holder, 'PX', ttl_ms)
end
return #KEYS
