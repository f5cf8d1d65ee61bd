-- Opens a queue: a new one or, with rebuild_ms, one that was lost, as far as it is known. Replies 1 if this call did, else 0.
local epoch, drawn, head_known = ARGV[1], ARGV[2], ARGV[3]
local rebuild_ms, report_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local state, count, seed, ended, first_session = ARGV[6], ARGV[7], ARGV[8], ARGV[9], 10

if redis.call('SET', epoch_key, epoch, 'NX') == false then
  return 0
end
if state ~= '' then
  redis.call('HSET', draw, 'state', state)
end
if state == 'drawn' then
  redis.call('HSET', draw, 'count', count, 'seed', seed)
end
if rebuild_ms == 0 then
  return 1
end
redis.call('SET', sequence_key, drawn)
redis.call('HSET', rebuild, 'until', string.format('%d', now + rebuild_ms), 'head', head_known,
  'known', string.format('%d', now + report_ms),
  'late', string.format('%d', now + rebuild_ms + LATE_MS))
if #ended > 0 then
  redis.call('APPEND', ended_log, ended)
end
for i = first_session, #ARGV, 3 do
  local user, number, ends = ARGV[i], ARGV[i + 1], now + ARGV[i + 2]
  redis.call('ZADD', active, ends, user)
  redis.call('HSET', sessions, user, number)
  grant(number, 1, ends)
end
return 1
