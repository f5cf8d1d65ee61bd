-- These numbers have asked. Replies 1, or 0 where no such line is, or lots were drawn of which the caller does not know.
local epoch, known_count = ARGV[1], ARGV[2]
if redis.call('GET', epoch_key) ~= epoch or (draw_count or '') ~= known_count then
  return 0
end
local stamp = struct.pack('>I4', tonumber(time[1]))
for i = 3, #ARGV do
  redis.call('SETRANGE', seen, (ARGV[i] - 1) * 4, stamp)
end
return 1
