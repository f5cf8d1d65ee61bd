-- Marks the seats for ttl_ms, whoever had them marked. Replies how many.
local mark, ttl_ms = ARGV[1], ARGV[2]
for _, seat in ipairs(KEYS) do
  redis.call('SET', seat, mark, 'PX', ttl_ms)
end
return #KEYS
