-- Adds events to the stream, in order, unless somebody with a larger term has: then they are old by now.
-- Replies 1 if they were added, 0 if not.
local stream, largest, term, length_max = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if tonumber(redis.call('GET', largest) or 0) > tonumber(term) then
  return 0
end
redis.call('SET', largest, term)
for i = 3, #ARGV, 5 do
  redis.call('XADD', stream, 'MAXLEN', '~', length_max, '*',
    'id', ARGV[i], 'type', ARGV[i + 1], 'aggregate', ARGV[i + 2], 'timestamp', ARGV[i + 3], 'data', ARGV[i + 4])
end
return 1
