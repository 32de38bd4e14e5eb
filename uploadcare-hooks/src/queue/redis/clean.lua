-- Forgets jobs that were done long ago. Returns how many.
-- KEYS: done. ARGV: after how many milliseconds, how many at most.
local time = redis.call('TIME')
local before = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1])
local names = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. before, 'LIMIT', 0, ARGV[2])
for _, name in ipairs(names) do
  redis.call('ZREM', KEYS[1], name)
end
return #names
