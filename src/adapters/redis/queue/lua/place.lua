-- Moves registered entries to the numbers that they drew. Replies 1, or 0 if no entries are to be placed.
local first_entry = 1
if draw_state ~= 'placing' then
  return 0
end
local function move(from, to, width, sequence, number)
  redis.call('SETRANGE', to, (number - 1) * width, redis.call('GETRANGE', from, (sequence - 1) * width, sequence * width - 1))
end

local users, entries = {}, {}
for i = first_entry, #ARGV, 3 do
  users[#users + 1] = ARGV[i]
end
local sequences = redis.call('ZMSCORE', registered, unpack(users))
for i = 1, #users do
  local user, sequence, number = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  -- An entry that has left meanwhile is not placed.
  if sequences[i] == sequence then
    entries[#entries + 1], entries[#entries + 2] = number, user
    move(registered_joined, joined, 6, sequence, number)
    move(registered_last_seen, last_seen, 4, sequence, number)
  end
end
if #entries > 0 then
  redis.call('ZADD', waiting, unpack(entries))
  redis.call('ZREM', registered, unpack(users))
end
return 1
