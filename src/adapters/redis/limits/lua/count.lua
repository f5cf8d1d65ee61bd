-- Counts a command of each of these clients, the same one several times if it is named several times. A window begins with a
-- client's first command. Replies for each client, one after the other, how many it has sent in its window and
-- for how many milliseconds that goes on.
local window = tonumber(ARGV[1])
local replies = {}
for i = 1, #KEYS do
  local count = redis.call('INCR', KEYS[i])
  if count == 1 then
    redis.call('PEXPIRE', KEYS[i], window)
  end
  replies[2 * i - 1] = count
  replies[2 * i] = count == 1 and window or redis.call('PTTL', KEYS[i])
end
return replies
