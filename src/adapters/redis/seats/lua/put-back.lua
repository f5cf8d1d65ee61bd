-- Marks the seats that nobody has marked, each by a mark and for ms of its own, if it is this turn that is on, which goes on
-- for turn_ms then. Else whoever has taken over looks after the marks, and what this one knows of the seats may be old.
-- Replies how many were marked, -1 if the turn is over.
local turn_key, turn, turn_ms, first_mark = KEYS[1], ARGV[1], ARGV[2], 3

if redis.call('GET', turn_key) ~= turn then
  return -1
end
redis.call('PEXPIRE', turn_key, turn_ms)
local marked = 0
for i = 2, #KEYS do
  local mark, ttl_ms = ARGV[first_mark + 2 * (i - 2)], ARGV[first_mark + 2 * (i - 2) + 1]
  if redis.call('SET', KEYS[i], mark, 'PX', ttl_ms, 'NX') then
    marked = marked + 1
  end
end
return marked
