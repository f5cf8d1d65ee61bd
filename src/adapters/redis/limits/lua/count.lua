-- Counts a command of each of these clients; a client named twice counts twice. A window begins with a client's first command.
-- Replies for each client how many commands it has sent in its window, and for how many ms the window lasts.
local window_ms = tonumber(ARGV[1])
local replies = {}
for i = 1, #KEYS do
  local count = redis.call('INCR', KEYS[i])
  if count == 1 then
    redis.call('PEXPIRE', KEYS[i], window_ms)
  end
  replies[2 * i - 1] = count
  replies[2 * i] = count == 1 and window_ms or redis.call('PTTL', KEYS[i])
end
return replies
