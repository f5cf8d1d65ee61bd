-- Lets a session last at least extend_ms from now, and claims it. Never shortens it. Replies 1 if the entry is active, else 0.
local user, number, epoch, extend_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

if redis.call('HGET', sessions, user) ~= number or current_epoch ~= epoch then
  return 0
end
-- An ended session stays ended, even if no admission has removed it yet.
if tonumber(redis.call('ZSCORE', active, user)) <= now then
  return 0
end
local ends = math.max(now + extend_ms, granted_end(number))
grant(number, 1, ends)
redis.call('ZADD', active, 'GT', ends, user)
return 1
