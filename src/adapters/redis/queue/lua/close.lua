-- Closes the registration: the number of lots is fixed, and entries that join later stand behind them.
-- Replies the number of lots, -1 without a lottery, -2 if lots were drawn before.
if draw_state == 'drawn' then
  return -2
end
if not draw_state or redis.call('EXISTS', epoch_key) == 0 or is_rebuilding then
  return -1
end
if draw_state == 'registering' then
  redis.call('HSET', draw, 'state', 'closed', 'among', tonumber(redis.call('GET', sequence_key) or 0))
end
return tonumber(redis.call('HGET', draw, 'among'))
