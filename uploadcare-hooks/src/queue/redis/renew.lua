-- Renews the lease of jobs that are the worker's.
-- KEYS: running. ARGV: the prefix of jobs, the worker, its lease, then the names.
local running, prefix, worker = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local till = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3])
-- A server without memory refuses a script whose first write could need some.
redis.call('ZREM', running, '')
for i = 4, #ARGV do
  local name, job = ARGV[i], prefix .. ARGV[i]
  if redis.call('TYPE', job).ok == 'hash' and redis.call('HGET', job, 'worker') == worker then
    redis.call('ZADD', running, 'XX', till, name)
  end
end
