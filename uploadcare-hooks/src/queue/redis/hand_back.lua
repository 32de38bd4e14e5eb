-- Has those of the worker's running jobs be due that it does not name. They never started.
-- KEYS: waiting, running. ARGV: the prefix of jobs, the worker, then the names.
local waiting, running, prefix, worker = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local named = {}
for i = 3, #ARGV do
  named[ARGV[i]] = true
end
-- A server without memory refuses a script whose first write could need some.
redis.call('ZREM', running, '')
for _, name in ipairs(redis.call('ZRANGE', running, 0, -1)) do
  local job = prefix .. name
  local ours = redis.call('TYPE', job).ok == 'hash' and redis.call('HGET', job, 'worker') == worker
  if ours and not named[name] then
    local attempts = tonumber(redis.call('HGET', job, 'attempts')) or 1
    redis.call('ZREM', running, name)
    redis.call('ZADD', waiting, now, name)
    redis.call('HSET', job, 'attempts', attempts - 1)
    redis.call('HDEL', job, 'worker')
  end
end
