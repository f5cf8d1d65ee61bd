-- Marks all seats for a user, or none. Marks that the user already has stay as they are.
-- Replies {'claimed'} | {'repeated'} when the user was here before, be it that this request was answered or that a mark
-- was theirs | {'taken', index of each seat in the way…}.
local answered, user, mark, ttl_ms = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

if redis.call('EXISTS', answered) == 1 then
  return { 'repeated' }
end

local reply = { 'taken' }
local free = {}
for i = 2, #KEYS do
  local holder = redis.call('GET', KEYS[i])
  if not holder then
    free[#free + 1] = KEYS[i]
  elseif string.sub(holder, 1, #user + 1) ~= user .. ':' then
    reply[#reply + 1] = i - 1
  end
end
if #reply > 1 then
  return reply
end
for _, seat in ipairs(free) do
  redis.call('SET', seat, mark, 'PX', ttl_ms)
end
return { #free == #KEYS - 1 and 'claimed' or 'repeated' }
