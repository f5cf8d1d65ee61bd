-- Lets a session last extend_ms from now, but at most the longest hold beyond its granted end, and claims it. Never shortens it.
-- Replies 1 if the entry is active, else 0.
local user, number, epoch, extend_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

if redis.call('HGET', sessions, user) ~= number or current_epoch ~= epoch then
  return 0
end
-- An ended session stays ended, even if no admission has removed it yet.
if tonumber(redis.call('ZSCORE', active, user)) <= now then
  return 0
end
local own_end = granted_end(number)
-- The ceiling: otherwise a client that holds and releases again and again would stay forever.
local ceiling = own_end + tonumber(redis.call('HGET', clock, 'longest-hold') or math.huge)
local ends = math.max(own_end, math.min(now + extend_ms, ceiling))
redis.call('ZADD', active, 'GT', ends, user)
return 1
