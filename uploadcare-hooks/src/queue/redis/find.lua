-- Finds jobs of one set, the latest first, among at most so many.
-- KEYS: the set. ARGV: the prefix of jobs, whether they must have failed, handler and event or
-- nothing, time and name after which to begin or nothing, how many to find.
local set, prefix, failed = KEYS[1], ARGV[1], ARGV[2] == '1'
local handler, event, before, after, most = ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local looked_at, page = 100000, 500
local found, offset = {}, 0
if before ~= '' then
  offset = redis.call('ZCOUNT', set, '(' .. before, '+inf')
end
for first = offset, offset + looked_at, page do
  local names = redis.call('ZREVRANGE', set, first, first + page - 1, 'WITHSCORES')
  for i = 1, #names, 2 do
    local name, score, job = names[i], names[i + 1], prefix .. names[i]
    local later = before ~= '' and tonumber(score) == tonumber(before) and name >= after
    if not later and redis.call('TYPE', job).ok == 'hash' then
      local head = redis.call('HMGET', job, 'handler', 'event', 'failures')
      local wanted = (handler == '' or head[1] == handler) and (event == '' or head[2] == event)
      if wanted and (not failed or head[3]) then
        found[#found + 1] = {name, string.format('%.0f', score), redis.call('HMGET', job, 'handler', 'event',
          'delivery', 'received_at', 'body', 'run', 'attempts', 'failures')}
      end
    end
    if #found >= most then
      return found
    end
  end
  if #names < 2 * page then
    return found
  end
end
return found
