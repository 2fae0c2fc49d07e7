-- The requests of wrk, and its result line. TOKENS is set by the caller: a file with one token a line.

function init(args)
  local requests = {}
  for token in io.lines(TOKENS) do
    requests[#requests + 1] = token
  end
  if #requests == 1 then  -- wrk builds a single request itself
    wrk.headers["Authorization"] = "Bearer " .. requests[1]
    return
  end
  for at, token in ipairs(requests) do
    requests[at] = wrk.format(nil, nil, {["Authorization"] = "Bearer " .. token})
  end
  local sent = 0
  function request()
    sent = sent + 1
    return requests[(sent - 1) % #requests + 1]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "refused": %d, "errors": %d, "microseconds": %d, "p50": %d, "p99": %d}\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)
  ))
end
