-- Opens a queue: a new one or, with rebuild_ms, one that was lost, as far as it is known. Replies 1 if this call did, else 0.
local epoch, drawn, head_known = ARGV[1], ARGV[2], ARGV[3]
local rebuild_ms, report_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local state, count, seed, ended, first_session = ARGV[6], ARGV[7], ARGV[8], ARGV[9], 10

if current_epoch then
  return 0
end
current_epoch = epoch
redis.call('SET', epoch_key, epoch)
redis.call('HSET', clock, 'server', server())
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
redis.call('HSET', rebuild, 'head', head_known)
begin_reports(report_ms)
begin_rebuild(1, rebuild_ms)
if #ended > 0 then
  redis.call('APPEND', ended_log, ended)
end
for i = first_session, #ARGV, 4 do
  local user, number, ends, joined_ms = ARGV[i], ARGV[i + 1], now + ARGV[i + 2], tonumber(ARGV[i + 3])
  redis.call('ZADD', active, ends, user)
  redis.call('HSET', sessions, user, number)
  grant(number, 1, ends)
  if joined_ms > 0 then
    redis.call('SETRANGE', joined, (number - 1) * 6, struct.pack('>I6', joined_ms))
  end
end
return 1
