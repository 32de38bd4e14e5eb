-- Finds jobs of one set, the latest first.
-- KEYS: the set. ARGV: the prefix of jobs, whether they must have failed, handler and event or
-- nothing, time and name after which to begin or nothing, how many to find.
local set, prefix, failed = KEYS[1], ARGV[1], ARGV[2] == '1'
local handler, event, before, after, most = ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local found, offset, page = {}, 0, 500
while true do
  local from = before == '' and '+inf' or before
  local names = redis.call('ZREVRANGEBYSCORE', set, from, '-inf', 'WITHSCORES', 'LIMIT', offset, page)
  for i = 1, #names, 2 do
    if #found >= most then
      return found
    end
    local name, score = names[i], names[i + 1]
    local values = {}
    if redis.call('TYPE', prefix .. name).ok == 'hash' then
      values = redis.call('HMGET', prefix .. name, 'handler', 'event', 'delivery', 'received_at', 'body', 'run',
        'attempts', 'failures')
    end
    local later = before ~= '' and tonumber(score) == tonumber(before) and name >= after
    local wanted = (handler == '' or values[1] == handler) and (event == '' or values[2] == event)
    if #values > 0 and wanted and not later and (not failed or values[8]) then
      found[#found + 1] = {name, string.format('%.0f', score), values}
    end
  end
  if #names < 2 * page then
    return found
  end
  offset = offset + page
end
