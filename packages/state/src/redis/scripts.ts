/**
 * Every operation is one Lua script, which Redis runs alone from its first line to its last: it looks at the mark before
 * it reads or writes anything.
 *
 * `sallyport:mark` is a hash of `generation`, `epoch`, `tick` and the server's lives: `lives` counts them, and `life:<n>`
 * is the server's run id with the tick that the state had when that life was first seen. A client that has seen tick 100
 * in life 3 knows by them that later lives began at 100 or above, even after others have written past 100 again. A client
 * that finds the state behind writes `behind` there: from then on it refuses to everybody, until a new generation starts.
 */
const open = `
local mark = redis.call('HMGET', KEYS[1], 'generation', 'tick', 'lives', 'behind')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not mark[1] or mark[1] ~= ARGV[1] then return {'generation', 0, now} end
local tick = tonumber(mark[2])
if mark[4] then return {'behind', tick, now} end
if mark[3] ~= ARGV[3] then return {'life', tick, now} end
if tick < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'behind', 1)
  return {'behind', tick, now}
end
if now > tonumber(ARGV[4]) then return {'late', tick, now} end
`;

/** Forgets up to 20 names of entries whose time is over: Redis drops the entries, not their places in our lists. */
const sweep = `
local over = KEYS[4] and redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 20) or {}
if #over > 0 then
  redis.call('ZREM', KEYS[3], unpack(over))
  redis.call('ZREM', KEYS[4], unpack(over))
end
`;

/** KEYS: mark, entry, and where the collection is listed ids and expiries. ARGV from 5: id, value, milliseconds to live or 0. */
const put = `
local listed = KEYS[3] ~= nil
tick = redis.call('HINCRBY', KEYS[1], 'tick', 1)
local value = string.format('%d', tick) .. ':' .. ARGV[6]
local ttl = tonumber(ARGV[7])
if ttl > 0 then
  redis.call('SET', KEYS[2], value, 'PX', ttl)
  if listed then redis.call('ZADD', KEYS[4], now + ttl, ARGV[5]) end
else
  redis.call('SET', KEYS[2], value)
  if listed then redis.call('ZREM', KEYS[4], ARGV[5]) end
end
if listed then redis.call('ZADD', KEYS[3], 0, ARGV[5]) end
return {'ok', tick, now, 1}
`;

export const scripts = {
  get: `${open} return {'ok', tick, now, redis.call('GET', KEYS[2])}`,

  create: `${open} ${sweep}
if redis.call('EXISTS', KEYS[2]) == 1 then return {'ok', tick, now, 0} end
${put}`,

  replace: `${open} ${sweep}
local present = redis.call('GET', KEYS[2])
if not present or string.match(present, '^%d+') ~= ARGV[8] then return {'ok', tick, now, 0} end
${put}`,

  delete: `${open} ${sweep}
if redis.call('DEL', KEYS[2]) == 0 then return {'ok', tick, now, 0} end
if KEYS[3] then
  redis.call('ZREM', KEYS[3], ARGV[5])
  redis.call('ZREM', KEYS[4], ARGV[5])
end
return {'ok', redis.call('HINCRBY', KEYS[1], 'tick', 1), now, 1}`,

  /** KEYS: mark, ids. ARGV from 5: after, limit, prefix of the entries' keys. Answers each id with its entry, or false where its time is over. */
  list: `${open}
local ids = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[5] == '' and '-' or '(' .. ARGV[5], '+', 'LIMIT', 0, tonumber(ARGV[6]))
local found = {}
for i, id in ipairs(ids) do
  found[2 * i - 1] = id
  found[2 * i] = redis.call('GET', ARGV[7] .. id)
end
return {'ok', tick, now, found}`,

  /** KEYS: mark, set. ARGV from 5: member, milliseconds. The set goes with its last member. Answers how many it has. */
  join: `${open}
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[6]), ARGV[5])
redis.call('PEXPIREAT', KEYS[2], redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
return {'ok', redis.call('HINCRBY', KEYS[1], 'tick', 1), now, redis.call('ZCARD', KEYS[2])}`,

  leave: `${open}
if redis.call('ZREM', KEYS[2], ARGV[5]) == 0 then return {'ok', tick, now} end
return {'ok', redis.call('HINCRBY', KEYS[1], 'tick', 1), now}`,

  members: `${open} return {'ok', tick, now, redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf', 'LIMIT', 0, ARGV[5])}`,

  /** KEYS: mark, log, how many of its records were trimmed. */
  append: `${open}
local sequence = redis.call('RPUSH', KEYS[2], ARGV[5]) + tonumber(redis.call('GET', KEYS[3]) or '0')
return {'ok', redis.call('HINCRBY', KEYS[1], 'tick', 1), now, sequence}`,

  /** KEYS as of append. ARGV from 5: after, limit. Answers how many lie before the first, then the records. */
  readLog: `${open}
local trimmed = tonumber(redis.call('GET', KEYS[3]) or '0')
local from = math.max(0, tonumber(ARGV[5]) - trimmed)
return {'ok', tick, now, {trimmed + from, redis.call('LRANGE', KEYS[2], from, from + tonumber(ARGV[6]) - 1)}}`,

  /** KEYS as of append. ARGV from 5: the last record to forget. */
  trimLog: `${open}
local trimmed = tonumber(redis.call('GET', KEYS[3]) or '0')
local gone = math.min(tonumber(ARGV[5]) - trimmed, redis.call('LLEN', KEYS[2]) - 1)
if gone <= 0 then return {'ok', tick, now, 0} end
redis.call('LTRIM', KEYS[2], gone, -1)
redis.call('SET', KEYS[3], string.format('%d', trimmed + gone))
return {'ok', redis.call('HINCRBY', KEYS[1], 'tick', 1), now, gone}`,

  increment: `${open}
local sum
if redis.call('EXISTS', KEYS[2]) == 1 then
  sum = redis.call('INCRBY', KEYS[2], ARGV[5])
else
  redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[6])
  sum = tonumber(ARGV[5])
end
return {'ok', redis.call('HINCRBY', KEYS[1], 'tick', 1), now, sum}`,

  /** ARGV: generation, seen tick, the life that it was seen in or 0, that life's run id, this server's run id. */
  adopt: `
local mark = redis.call('HMGET', KEYS[1], 'generation', 'tick', 'lives', 'behind')
if not mark[1] or mark[1] ~= ARGV[1] then return {'generation'} end
local tick, lives, seenTick, seenLife = tonumber(mark[2]), tonumber(mark[3]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function life(n)
  local run, began = string.match(redis.call('HGET', KEYS[1], 'life:' .. n) or '', '^(%S+) (%d+)$')
  return run, tonumber(began)
end
if life(lives) ~= ARGV[5] then
  lives = redis.call('HINCRBY', KEYS[1], 'lives', 1)
  redis.call('HSET', KEYS[1], 'life:' .. lives, ARGV[5] .. ' ' .. string.format('%d', tick))
end
local behind = mark[4] or tick < seenTick or (seenLife > 0 and life(seenLife) ~= ARGV[4])
for n = seenLife + 1, seenLife > 0 and lives or 0 do
  local _, began = life(n)
  behind = behind or not began or began < seenTick
end
if behind then
  redis.call('HSET', KEYS[1], 'behind', 1)
  return {'behind'}
end
return {'ok', tick, lives}`,

  /** ARGV: the new generation, its epoch, this server's run id. */
  start: `
if tonumber(ARGV[2]) <= tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') then return {'epoch'} end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'epoch', ARGV[2], 'tick', 1, 'lives', 1, 'life:1', ARGV[3] .. ' 1')
return {'ok'}`,
} as const;

export type ScriptName = keyof typeof scripts;
