-- Deletes the hold keys of this holder. Keys of others stay. Replies how many.
local holder = ARGV[1]
local released = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == holder then
    released = released + redis.call('DEL', key)
  end
end
return released
