-- Commands for one concert and date that came together, one after the other: each sets all of its hold keys, or none. Keys that the
-- user already holds stay as they are.
-- KEYS: per command the key of its answer, then its hold keys. ARGV: ttl_ms, then per command {user, holder, number of seats}.
-- Replies per command: 0 if acquired; -1 if repeated, as the command was answered before or the user held one of the keys;
-- or the number of seats that others hold, then the index of each.
local ttl_ms, first_command = ARGV[1], 2
local ACQUIRED, REPEATED = 0, -1
local replies = {}

local function acquire(first_key, seats, user, holder)
  if redis.call('EXISTS', KEYS[first_key]) == 1 then
    return REPEATED
  end
  local taken, free = {}, {}
  for i = 1, seats do
    local key = KEYS[first_key + i]
    local present = redis.call('GET', key)
    if not present then
      free[#free + 1] = key
    elseif string.sub(present, 1, #user + 1) ~= user .. ':' then
      taken[#taken + 1] = i
    end
  end
  if #taken > 0 then
    return #taken, taken
  end
  for _, key in ipairs(free) do
    redis.call('SET', key, holder, 'PX', ttl_ms)
  end
  return #free == seats and ACQUIRED or REPEATED
end

local key = 1
for i = first_command, #ARGV, 3 do
  local user, holder, seats = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local outcome, taken = acquire(key, seats, user, holder)
  replies[#replies + 1] = outcome
  for _, index in ipairs(taken or {}) do
    replies[#replies + 1] = index
  end
  key = key + 1 + seats
end
return replies
