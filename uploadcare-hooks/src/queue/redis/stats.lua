-- Counts waiting, running, scheduled and dead jobs. Returns them, when the oldest was due if one is
-- due, and the time.
-- KEYS: waiting, running, dead.
local waiting, running, dead = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = string.format('%.0f', now)
local function due(set) return redis.call('ZCOUNT', set, '-inf', text) end
local oldest = false
for _, set in ipairs({waiting, running}) do
  local at = tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2])
  if at and at <= now and (not oldest or at < oldest) then
    oldest = at
  end
end
return {due(waiting) + due(running), redis.call('ZCOUNT', running, '(' .. text, '+inf'),
  redis.call('ZCOUNT', waiting, '(' .. text, '+inf'), redis.call('ZCARD', dead), oldest, now}
