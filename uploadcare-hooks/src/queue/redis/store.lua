-- Stores jobs, except those that are there or were done.
-- KEYS: waiting, running, dead, done. ARGV: the prefix of jobs, then six for each job.
local waiting, running, dead, done, prefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local function known(name)
  for _, set in ipairs({waiting, running, dead, done}) do
    if redis.call('ZSCORE', set, name) then
      return true
    end
  end
  return false
end
for i = 2, #ARGV, 6 do
  local name, job = ARGV[i], prefix .. ARGV[i]
  -- The name first: a hash without one would never run. One whose name was lost runs again.
  if not known(name) then
    redis.call('ZADD', waiting, now, name)
    if redis.call('EXISTS', job) == 0 then
      redis.call('HSET', job, 'handler', ARGV[i + 1], 'event', ARGV[i + 2], 'delivery', ARGV[i + 3],
        'received_at', ARGV[i + 4], 'body', ARGV[i + 5], 'attempts', 0)
    end
  end
end
