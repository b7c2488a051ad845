-- For wrk: POSTs the JSON of $BODY with the key of $KEY, and prints one line of figures.
wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = os.getenv("KEY")

local wrong = 0
function response(status, headers, body)
    if status ~= 200 or string.find(body, '"error"', 1, true) then wrong = wrong + 1 end
end

local threads = {}
function setup(thread) table.insert(threads, thread) end
function done(summary, latency, requests)
    local bad = 0
    for _, thread in ipairs(threads) do bad = bad + (thread:get("wrong") or 0) end
    local errors = summary.errors
    io.write(string.format("FIGURES %d %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), latency.max, errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
