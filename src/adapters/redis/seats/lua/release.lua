-- Takes the marks away that are this reservation's. Replies how many.
local mark = ARGV[1]
local released = 0
for _, seat in ipairs(KEYS) do
  if redis.call('GET', seat) == mark then
    released = released + redis.call('DEL', seat)
  end
end
return released
