-- Finds entries. Asking counts as a heartbeat: a waiting entry is not passed over, an absent one rejoins and goes next, a session
-- is claimed. With keep_open_ms, a running session stays open for that long from now, but not longer than that beyond its granted
-- end. An entry that the queue lacks, and that has not ended, is restored.
-- Replies {'unopened'}; {'unsurveyed'}; {'reporting'} while instances still report what a lost queue had; {'redrawn'} if the
-- caller does not know the draw; {'other-epoch'}; or {'found', head, length of the log of ended entries, turnover, present share}, then for each entry {outcome, detail}:
-- 'waiting' | 'rejoined' | 'registered' | 'active' with the session's end in ms | 'ended' |
-- 'unsure' if the queue lacks an entry that may have ended as far as the caller knows, or while lots are drawn.
local epoch, draw_count_known, keep_open_ms, ended_known = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local drawn_known, first_entry, fields = tonumber(ARGV[5]), 6, 4

if not current_epoch then
  return { 'unopened' }
end
if current_epoch ~= epoch then
  return { 'other-epoch' }
end
if is_unsurveyed(drawn_known) then
  return { 'unsurveyed' }
end
if is_reporting then
  return { 'reporting' }
end
if (draw_count or '') ~= draw_count_known then
  return { 'redrawn' }
end
local head_now = head()

-- Claims the session and returns when it ends. A client is never told the time for which its session is kept open.
local function claim_session(user, number)
  local ends = tonumber(redis.call('ZSCORE', active, user) or 0)
  if ends <= now or redis.call('HGET', sessions, user) ~= number then
    return nil
  end
  local own_end = granted_end(number)
  local kept = math.max(ends, own_end)
  if keep_open_ms > 0 then
    kept = math.max(kept, math.min(now, own_end) + keep_open_ms)
  end
  if kept > ends then
    redis.call('ZADD', active, kept, user)
  end
  return math.max(ends, own_end)
end

local function has_other_entry(user)
  return redis.call('ZSCORE', waiting, user) or redis.call('ZSCORE', rejoined, user) or redis.call('ZSCORE', registered, user)
    or redis.call('HEXISTS', absent_numbers, user) == 1 or redis.call('HEXISTS', sessions, user) == 1
end

local function restore(user, number, sequence, joined_ms)
  -- The other entry has replaced this one.
  if has_other_entry(user) then
    return 'ended'
  end
  -- The caller does not know all ended entries.
  if redis.call('STRLEN', ended_log) ~= ended_known then
    return 'unsure'
  end
  -- While lots are drawn, neither all numbers nor all leavers are known.
  if draw_state == 'closed' or draw_state == 'placing' then
    return 'unsure'
  end
  local set, outcome = waiting, 'waiting'
  if draw_state == 'registering' then
    set, outcome = registered, 'registered'
  elseif tonumber(number) < head_now then
    if tonumber(late_until or 0) < now then
      return 'ended'
    end
    set, outcome = rejoined, 'rejoined'
  end
  redis.call('ZADD', set, number, user)
  redis.call('SETRANGE', joined, (number - 1) * 6, struct.pack('>I6', tonumber(joined_ms)))
  touch(number)
  if set ~= registered then
    record('restored', { number })
  end
  return outcome
end

local function find(user, number, sequence, joined_ms)
  -- Known to have ended: an older memory has it still.
  if joined_ms == '0' then
    local _ = remove_waiting(user, number, sequence) or remove_session(user, number)
    return 'ended'
  end
  if redis.call('ZSCORE', waiting, user) == number then
    touch(number)
    return waits_for_draw and 'registered' or 'waiting'
  end
  if waits_for_draw and redis.call('ZSCORE', registered, user) == sequence then
    touch_registered(sequence)
    return 'registered'
  end
  if redis.call('HGET', absent_numbers, user) == number then
    redis.call('ZREM', absent, user)
    redis.call('HDEL', absent_numbers, user)
    redis.call('ZADD', rejoined, number, user)
    record('returned', { number })
  end
  -- All rejoined entries are told position 1: none rises when one with a smaller number rejoins.
  if redis.call('ZSCORE', rejoined, user) == number then
    touch(number)
    return 'rejoined'
  end
  local ends = claim_session(user, number)
  if ends then
    return 'active', wall_time(ends)
  end
  return restore(user, number, sequence, joined_ms)
end

local reply = { 'found', head_now, redis.call('STRLEN', ended_log), measured_pace() }
for i = first_entry, #ARGV, fields do
  local outcome, detail = find(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  reply[#reply + 1] = outcome
  reply[#reply + 1] = detail or 0
end
return reply
