-- Removes an entry: waiting, registered, absent or active. Replies 1 if there was one, 0 if not, -1 if the caller does not
-- know the draw.
local user, number, sequence, epoch, draw_count_known = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if current_epoch ~= epoch then
  return 0
end
if (draw_count or '') ~= draw_count_known then
  return -1
end

if remove_waiting(user, number, sequence) then
  note_ended({ number })
  record((draw_count or not waits_for_draw) and 'left' or 'unregistered', { number })
  return 1
end
if remove_session(user, number) then
  note_sessions_ended({ number })
  return 1
end
return 0
