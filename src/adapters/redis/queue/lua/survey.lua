-- The figures of a queue, all of one moment. Takes in a new server of Redis, which may have an older memory: instances report
-- what they know before anybody joins or is admitted. A sequence or head that is behind what the caller knows is raised, and
-- the queue waits for the entries that it lacks.
-- Replies {'unopened'}, or {epoch, head, drawn, waiting, active, absent, turnover, present share, registered, length of the log of ended
-- entries, ms for which nobody is admitted as all may be missing or 0, name of this memory or '', state of the draw or '', number of lots, its seed}.
local epoch_known, drawn_known, head_known = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local rebuild_ms, report_ms = tonumber(ARGV[4]), tonumber(ARGV[5])

if not current_epoch then
  return { 'unopened' }
end
local server_now = server()
if server_noted ~= server_now then
  redis.call('HSET', clock, 'server', server_now)
  begin_reports(report_ms)
  rename_memory()
end
local is_known = current_epoch == epoch_known
local drawn = last_drawn()
if is_known and drawn_known > drawn then
  redis.call('SET', sequence_key, drawn_known)
  -- A sequence that a token shows after the report window does not prolong the rebuild.
  if is_reporting or not is_rebuilding then
    begin_rebuild(is_rebuilding and math.min(missing_from, drawn + 1) or drawn + 1, rebuild_ms)
  end
end
local turnover, present = measured_pace()
return {
  current_epoch,
  raise_head(is_known and head_known or 0),
  last_drawn(),
  redis.call('ZCARD', waiting) + redis.call('ZCARD', rejoined),
  redis.call('ZCOUNT', active, '(' .. string.format('%d', now), '+inf'),
  redis.call('ZCARD', absent),
  turnover,
  present,
  redis.call('ZCARD', registered),
  redis.call('STRLEN', ended_log),
  are_all_missing() and rebuilt_at - now or 0,
  redis.call('HGET', rebuild, 'name') or '',
  draw_state or '',
  tonumber(draw_count or 0),
  redis.call('HGET', draw, 'seed') or '',
}
