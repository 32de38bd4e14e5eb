-- Stores jobs, except those that are there or were done.
-- KEYS: waiting, done. ARGV: the prefix of jobs, then six for each job.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for i = 2, #ARGV, 6 do
  local name, job = ARGV[i], ARGV[1] .. ARGV[i]
  if redis.call('EXISTS', job) == 0 and not redis.call('ZSCORE', KEYS[2], name) then
    redis.call('HSET', job, 'handler', ARGV[i + 1], 'event', ARGV[i + 2], 'delivery', ARGV[i + 3],
      'received_at', ARGV[i + 4], 'body', ARGV[i + 5], 'attempts', 0)
    redis.call('ZADD', KEYS[1], now, name)
  end
end
