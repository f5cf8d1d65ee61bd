-- Closes the registration: lots are drawn among as many as have come, and whoever comes from now on is behind them.
-- Replies how many, or -1 where no lots are to be drawn, or -2 where they are.
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
