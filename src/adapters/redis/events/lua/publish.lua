-- Adds events to the stream, in order, unless a worker with a larger fencing token has published: then these are old.
-- Replies 1 if they were added, else 0.
local stream, largest, fence, length_max, first_event = KEYS[1], KEYS[2], ARGV[1], ARGV[2], 3
if tonumber(redis.call('GET', largest) or 0) > tonumber(fence) then
  return 0
end
redis.call('SET', largest, fence)
for i = first_event, #ARGV, 6 do
  redis.call('XADD', stream, 'MAXLEN', '~', length_max, '*',
    'id', ARGV[i], 'type', ARGV[i + 1], 'aggregate', ARGV[i + 2], 'aggregateSequence', ARGV[i + 3],
    'timestamp', ARGV[i + 4], 'data', ARGV[i + 5])
end
return 1
