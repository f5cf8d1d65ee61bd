-- The line, all of one moment.
-- Replies {'unopened'} where there is no line, or {epoch, frontier, drawn, waiting, active, absent, turnover, registered,
-- length of the log of ended places, ms until the line is rebuilt or 0, when that was or is or '', state of the draw or '',
-- among how many, its seed, the time in ms, where the line was at the last ticks}.
local known_epoch, known_drawn, late_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local tick_ms, ticks_max, known_front = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local epoch = redis.call('GET', epoch_key)
if not epoch then
  return { 'unopened' }
end
local drawn = drawn_at_least(epoch == known_epoch and known_drawn or 0, late_ms)

-- Written down by whoever looks first: what positions are told by, the same ones by every instance.
local front = frontier_at_least(epoch == known_epoch and known_front or 0)
local ended_bytes = redis.call('STRLEN', ended_log)
local tick = string.format('%d', now - now % tick_ms)
local last = string.match(redis.call('LINDEX', ticks, 0) or '', '^%d+')
if not is_settling and tonumber(last or 0) < tonumber(tick) then
  redis.call('LPUSH', ticks, tick .. ':' .. string.format('%d', front) .. ':' .. ended_bytes)
  redis.call('LTRIM', ticks, 0, ticks_max - 1)
end
return {
  epoch,
  front,
  drawn,
  redis.call('ZCARD', line) + redis.call('ZCARD', returned),
  redis.call('ZCOUNT', active, '(' .. string.format('%d', now), '+inf'),
  redis.call('ZCARD', away),
  tostring(turnover()),
  redis.call('ZCARD', registered),
  ended_bytes,
  is_rebuilding and rebuilt_at - now or 0,
  rebuilt_at or '',
  draw_state or '',
  tonumber(draw_count or 0),
  redis.call('HGET', draw, 'seed') or '',
  now,
  table.concat(redis.call('LRANGE', ticks, 0, -1), ' '),
}
