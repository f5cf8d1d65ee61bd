-- Counts a command of each of these clients, the same one several times if it is named several times. A window begins with a
-- client's first command. Replies for each client how many it has sent in its window and, of those that are more than the
-- limit, for how many milliseconds the window goes on.
local window, max = ARGV[1], tonumber(ARGV[2])
local replies = {}
for i = 1, #KEYS do
  local count = redis.call('INCR', KEYS[i])
  if count == 1 then
    redis.call('PEXPIRE', KEYS[i], window)
  end
  replies[i] = { count, count > max and redis.call('PTTL', KEYS[i]) or 0 }
end
return replies
