-- wrk: sends the requests of a file, one after another, `wrk … load.lua -- FILE`. A line is a method, a
-- path, a bearer token and a body, tabs between them. Prints requests, microseconds, refusals
-- (status 400 and up), failures (no answer), and the 50th and 99th percentile in microseconds.

-- Each of the two threads (-t2) takes every other line.
local threads = 0
function setup(thread)
  thread:set("place", threads)
  thread:set("stride", 2)
  threads = threads + 1
end

local requests, last = {}, 0

-- Rendered beforehand: the load should cost the machine as little as it can.
function init(arguments)
  local number = 0
  for line in io.lines(arguments[1]) do
    if number % stride == place then
      local method, path, token, body = line:match("^(%S+)\t(%S+)\t(%S*)\t(.*)$")
      local headers = { ["Content-Type"] = "application/json" }
      if token ~= "" then headers["Authorization"] = "Bearer " .. token end
      requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
    end
    number = number + 1
  end
  assert(#requests > 0, "a line a thread at least")
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  print(("result %d %d %d %d %d %d"):format(summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
