-- Sets the last-seen time of these numbers. Replies 1, or 0 for another epoch or a draw that the caller does not know.
local epoch, draw_count_known, first_number = ARGV[1], ARGV[2], 3
if current_epoch ~= epoch or (draw_count or '') ~= draw_count_known then
  return 0
end
local stamp = struct.pack('>I4', now_s)
for i = first_number, #ARGV do
  redis.call('SETRANGE', last_seen, (ARGV[i] - 1) * 4, stamp)
end
return 1
