-- Records how jobs ended, and takes out jobs that are due.
-- KEYS: waiting, running, dead, done. ARGV: the prefix of jobs, the worker, its lease, how many to
-- take, then five for each that ended: name, done/again/dead, attempts, failures, delay.
local waiting, running, dead, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix, worker, lease, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function at(milliseconds) return string.format('%.0f', milliseconds) end

-- A server without memory refuses a script whose first write could need some.
redis.call('ZREM', running, '')
for i = 5, #ARGV, 5 do
  local name, job, ended = ARGV[i], prefix .. ARGV[i], ARGV[i + 1]
  if ended == 'done' then
    -- Also if another worker took it meanwhile, unless it died there.
    if redis.call('EXISTS', job) == 1 and not redis.call('ZSCORE', dead, name) then
      redis.call('ZREM', waiting, name)
      redis.call('ZREM', running, name)
      redis.call('DEL', job)
      redis.call('ZADD', done, at(now), name)
    end
  elseif redis.call('TYPE', job).ok == 'hash' and redis.call('HGET', job, 'worker') == worker then
    redis.call('HSET', job, 'attempts', ARGV[i + 2], 'failures', ARGV[i + 3])
    redis.call('HDEL', job, 'worker')
    redis.call('ZREM', running, name)
    if ended == 'again' then
      redis.call('ZADD', waiting, at(now + ARGV[i + 4]), name)
    else
      redis.call('ZADD', dead, at(now), name)
    end
  end
end

local taken = {}
local function take(from)
  local due = redis.call('ZRANGEBYSCORE', from, '-inf', at(now), 'LIMIT', 0, most - #taken)
  for _, name in ipairs(due) do
    local job = prefix .. name
    redis.call('ZREM', from, name)
    -- Another program may have written something else there.
    if redis.call('TYPE', job).ok == 'hash' then
      local attempts = tonumber(redis.call('HGET', job, 'attempts')) or 0
      if redis.call('HGET', job, 'worker') ~= worker then
        attempts = attempts + 1
      end
      redis.call('HSET', job, 'attempts', attempts, 'worker', worker)
      redis.call('ZADD', running, at(now + lease), name)
      local values = redis.call('HMGET', job, 'handler', 'event', 'delivery', 'received_at', 'body', 'run',
        'attempts', 'failures')
      taken[#taken + 1] = {name, at(now), values}
    end
  end
end
-- First those whose lease has ended.
if most > 0 then
  take(running)
  take(waiting)
end
return taken
