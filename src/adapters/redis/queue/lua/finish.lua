-- All who registered have their places, and the numbers of those who had left are known to be over: the line may move.
-- Replies 1 if this call has finished the draw, else 0.
local ended, channel, concert = ARGV[1], ARGV[2], ARGV[3]
if draw_state ~= 'placing' or redis.call('ZCARD', registered) > 0 then
  return 0
end
if #ended > 0 then
  redis.call('APPEND', ended_log, ended)
end
redis.call('UNLINK', ticks, registered_joined, registered_seen, registered_ended)
redis.call('HSET', draw, 'state', 'drawn')
redis.call('PUBLISH', channel, concert)
return 1
