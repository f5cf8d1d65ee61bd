-- The figures of a queue, all of one moment. Raises a sequence or head that fell behind what the caller knows.
-- Replies {'unopened'}, or {epoch, head, drawn, waiting, active, absent, turnover, registered, length of the log of ended
-- entries, ms until the queue is rebuilt or 0, when that was or is or '', state of the draw or '', number of lots, its seed}.
local epoch_known, drawn_known, head_known = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local epoch = redis.call('GET', epoch_key)
if not epoch then
  return { 'unopened' }
end
local is_known = epoch == epoch_known
local drawn = raise_sequence(is_known and drawn_known or 0)
return {
  epoch,
  raise_head(is_known and head_known or 0),
  drawn,
  redis.call('ZCARD', waiting) + redis.call('ZCARD', rejoined),
  redis.call('ZCOUNT', active, '(' .. string.format('%d', now), '+inf'),
  redis.call('ZCARD', absent),
  tostring(turnover()),
  redis.call('ZCARD', registered),
  redis.call('STRLEN', ended_log),
  is_rebuilding and rebuilt_at - now or 0,
  rebuilt_at or '',
  draw_state or '',
  tonumber(draw_count or 0),
  redis.call('HGET', draw, 'seed') or '',
}
