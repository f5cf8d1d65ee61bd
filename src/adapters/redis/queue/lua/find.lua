-- Where places stand. Asking counts as being there: whoever waits is not passed over, whoever was passed over is back and
-- next, whoever was let in has claimed the session. With settle_ms, a running session is kept open for that long, at most
-- that much beyond the end it was granted. A place that the line has lost, and that is not over, is taken back into it.
-- Replies {'unopened'} where there is no line, {'settling'} where it is not known yet what there was, {'redrawn'} where the caller
-- does not know of the draw, {'ended'} where it is not the line of this name, or
-- {'found', frontier, length of the log of ended places, turnover}, then for each place
-- {outcome, detail}: 'waiting' | 'back' | 'registered' | 'active' with the session's end in ms | 'over' |
-- 'unsure' where the line lacks a place that is over as far as the caller may not know, or as long as lots are drawn.
local epoch, known_count, settle_ms, known_ended = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local first_place, fields = 5, 4

local current = redis.call('GET', epoch_key)
if not current then
  return { 'unopened' }
end
if current ~= epoch then
  return { 'ended' }
end
if is_settling then
  return { 'settling' }
end
if (draw_count or '') ~= known_count then
  return { 'redrawn' }
end
local front = frontier()

local function session_of(user, number)
  local ends = tonumber(redis.call('ZSCORE', active, user) or 0)
  if ends <= now or redis.call('HGET', sessions, user) ~= number then
    return nil
  end
  local own_end = granted_end(number)
  local kept = math.max(ends, own_end)
  if settle_ms > 0 then
    kept = math.max(kept, math.min(now, own_end) + settle_ms)
  end
  if kept > ends then
    redis.call('ZADD', active, kept, user)
  end
  return math.max(ends, own_end)
end

-- Only if the user has no other place by now.
local function take_back(user, number, sequence, joined_ms)
  if redis.call('ZSCORE', line, user) or redis.call('ZSCORE', returned, user) or redis.call('ZSCORE', registered, user)
    or redis.call('HEXISTS', away_numbers, user) == 1 or redis.call('HEXISTS', sessions, user) == 1 then
    return 'over'
  end
  -- Nor while lots are drawn: neither is every number known by then, nor who had left before.
  if redis.call('STRLEN', ended_log) ~= known_ended or draw_state == 'closed' or draw_state == 'placing' then
    return 'unsure'
  end
  if tonumber(sequence) > tonumber(redis.call('GET', sequence_key) or 0) then
    redis.call('SET', sequence_key, sequence)
  end
  local place, outcome = line, 'waiting'
  if draw_state == 'registering' then
    place, outcome = registered, 'registered'
  elseif tonumber(number) < front then
    if tonumber(late_until or 0) < now then
      return 'over'
    end
    place, outcome = returned, 'back'
  end
  redis.call('ZADD', place, number, user)
  redis.call('SETRANGE', joined, (number - 1) * 6, struct.pack('>I6', tonumber(joined_ms)))
  see(number)
  if place ~= registered then
    record('restored', { number })
  end
  return outcome
end

local function locate(user, number, sequence, joined_ms)
  if redis.call('ZSCORE', line, user) == number then
    see(number)
    return waits_for_draw and 'registered' or 'waiting'
  end
  if waits_for_draw and redis.call('ZSCORE', registered, user) == sequence then
    see_registered(sequence)
    return 'registered'
  end
  if redis.call('HGET', away_numbers, user) == number then
    redis.call('ZREM', away, user)
    redis.call('HDEL', away_numbers, user)
    redis.call('ZADD', returned, number, user)
    record('returned', { number })
  end
  -- All who are back are next, so that none of their positions rises when one with a smaller number comes back as well.
  if redis.call('ZSCORE', returned, user) == number then
    see(number)
    return 'back'
  end
  local ends = session_of(user, number)
  if ends then
    return 'active', ends
  end
  return joined_ms ~= '0' and take_back(user, number, sequence, joined_ms) or 'over'
end

local reply = { 'found', front, redis.call('STRLEN', ended_log), tostring(turnover()) }
for i = first_place, #ARGV, fields do
  local outcome, detail = locate(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  reply[#reply + 1] = outcome
  reply[#reply + 1] = detail or 0
end
return reply
