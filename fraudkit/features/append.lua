-- Read each history and append one event to it, atomically.
--
-- KEYS     history keys in order of arrival; a key may come twice and then sees its own first event; behind
--          them, keys whose values are asked for besides
-- ARGV[1]  bytes of a record: 4 event time, 4 transaction hash, then the rest
-- ARGV[2]  most events kept, the new one among them
-- ARGV[3]  seconds to live, of the key and of each event
-- ARGV[4]  the new records, one after the other
-- ARGV[5]  the arrival times, 4 bytes little-endian each
--
-- Returns the histories as they stood before, then the other keys' values. A retry (same transaction hash) appends nothing and
-- gets the history it got the first time. A blob of a wrong length is returned untouched, for the
-- client to report.
local size, bound, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local n = #ARGV[5] / 4
local before = {}
for i = 1, n do
  local blob = redis.call('GET', KEYS[i]) or ''
  if #blob % size == 0 then
    local expired = struct.unpack('<I4', ARGV[5], 4 * i - 3) - ttl
    local first = 1
    while first < #blob and struct.unpack('<I4', blob, first) <= expired do
      first = first + size
    end
    blob = string.sub(blob, first)
    local record = string.sub(ARGV[4], size * (i - 1) + 1, size * i)
    local id = string.sub(record, 5, 8)
    local found = string.find(blob, id, 1, true)
    while found and (found - 5) % size ~= 0 do
      found = string.find(blob, id, found + 1, true)
    end
    if found then
      blob = string.sub(blob, 1, found - 5)
    else
      blob = string.sub(blob, -size * (bound - 1))
      redis.call('SET', KEYS[i], blob .. record, 'EX', ttl)
    end
  end
  before[i] = blob
end
for i = n + 1, #KEYS do
  before[i] = redis.call('GET', KEYS[i])
end
return before
