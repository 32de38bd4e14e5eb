-- Runs dead jobs again, or discards them. Returns how many were changed.
-- KEYS: waiting, dead, done. ARGV: the prefix of jobs, again/discard, then name and time of death
-- of each.
local waiting, dead, done, prefix = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local changed = 0
for i = 3, #ARGV, 2 do
  local name, job = ARGV[i], prefix .. ARGV[i]
  local died = redis.call('ZSCORE', dead, name)
  if died and tonumber(died) == tonumber(ARGV[i + 1]) then
    changed = changed + 1
    redis.call('ZREM', dead, name)
    if ARGV[2] == 'again' then
      redis.call('HSET', job, 'attempts', 0)
      redis.call('HINCRBY', job, 'run', 1)
      redis.call('ZADD', waiting, now, name)
    else
      redis.call('DEL', job)
      redis.call('ZADD', done, now, name)
    end
  end
end
return changed
