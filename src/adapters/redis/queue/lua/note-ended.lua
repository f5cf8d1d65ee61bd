-- Adds ended entries to the log after it was lost. Replies 1, or 0 for another epoch.
local epoch, ended = ARGV[1], ARGV[2]
if current_epoch ~= epoch then
  return 0
end
redis.call('APPEND', ended_log, ended)
return 1
