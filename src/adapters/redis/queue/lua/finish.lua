-- Finishes the draw once all registered entries are placed: the lots of entries that had left count as ended, and the queue may move.
-- Replies 1 if this call did, else 0.
local ended, channel, concert = ARGV[1], ARGV[2], ARGV[3]
if draw_state ~= 'placing' or redis.call('ZCARD', registered) > 0 then
  return 0
end
if #ended > 0 then
  redis.call('APPEND', ended_log, ended)
end
redis.call('UNLINK', registered_joined, registered_last_seen, registered_ended)
redis.call('HSET', draw, 'state', 'drawn')
redis.call('PUBLISH', channel, concert)
return 1
