-- Closes the registration: the number of lots is fixed, and entries that join later stand behind them.
-- Replies the number of lots, -1 without a lottery, -2 if lots were drawn before.
if draw_state == 'drawn' then
  return -2
end
if not current_epoch or not draw_state or is_reporting or is_rebuilding or is_unsurveyed(0) then
  return -1
end
if draw_state == 'registering' then
  redis.call('HSET', draw, 'state', 'closed', 'among', last_drawn())
end
return tonumber(redis.call('HGET', draw, 'among'))
