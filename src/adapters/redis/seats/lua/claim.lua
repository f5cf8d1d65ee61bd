-- Claims that came together, of one concert and date, one after the other: each marks all of its seats for its user, or
-- none. Marks that the user already has stay as they are.
-- KEYS: per claim the key of its answer, then its seats. ARGV: ttl_ms, then per claim {user, mark, how many seats}.
-- Replies for each claim, one after the other: 0 when the seats are claimed, -1 when the user was here before, be it that this
-- request was answered or that a mark was theirs, or how many seats are in the way, and the index of each.
local ttl_ms = ARGV[1]
local claimed, repeated = 0, -1
local replies = {}

local function claim(first_key, seats, user, mark)
  if redis.call('EXISTS', KEYS[first_key]) == 1 then
    return repeated
  end
  local taken, free = {}, {}
  for i = 1, seats do
    local seat = KEYS[first_key + i]
    local holder = redis.call('GET', seat)
    if not holder then
      free[#free + 1] = seat
    elseif string.sub(holder, 1, #user + 1) ~= user .. ':' then
      taken[#taken + 1] = i
    end
  end
  if #taken > 0 then
    return #taken, taken
  end
  for _, seat in ipairs(free) do
    redis.call('SET', seat, mark, 'PX', ttl_ms)
  end
  return #free == seats and claimed or repeated
end

local key = 1
for i = 2, #ARGV, 3 do
  local user, mark, seats = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local outcome, taken = claim(key, seats, user, mark)
  replies[#replies + 1] = outcome
  for _, index in ipairs(taken or {}) do
    replies[#replies + 1] = index
  end
  key = key + 1 + seats
end
return replies
