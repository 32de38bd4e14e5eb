-- Renews the lease of the worker's jobs, and hands back those of its jobs that it does not name.
-- KEYS: waiting, running. ARGV: the prefix of jobs, the worker, its lease, then the names.
local waiting, running, prefix, worker = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local named = {}
for i = 4, #ARGV do
  named[ARGV[i]] = true
end
for _, name in ipairs(redis.call('ZRANGE', running, 0, -1)) do
  local job = prefix .. name
  if redis.call('TYPE', job).ok == 'hash' and redis.call('HGET', job, 'worker') == worker then
    if named[name] then
      redis.call('ZADD', running, string.format('%.0f', now + ARGV[3]), name)
    else
      redis.call('HDEL', job, 'worker')
      redis.call('HINCRBY', job, 'attempts', -1)
      redis.call('ZREM', running, name)
      redis.call('ZADD', waiting, string.format('%.0f', now), name)
    end
  end
end
