// The requests of autocannon, and its result line; the argument is a file with the job.
"use strict";

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const autocannon = createRequire(job.installed)("autocannon");
const tokens = readFileSync(job.tokens, "utf8").trimEnd().split("\n");

let sent = 0;
const next = (request) => {
  const authorization = `Bearer ${tokens[sent++ % tokens.length]}`;
  return { ...request, headers: { ...request.headers, authorization } };
};
const one = { headers: { authorization: `Bearer ${tokens[0]}` } };
const { url, connections, duration, timeout } = job;

autocannon(
  { url, connections, duration, timeout, requests: [tokens.length === 1 ? one : { setupRequest: next }] },
  (failure, result) => {
    if (failure) throw failure;
    const requests = result.requests.total;
    const good = result.statusCodeStats["200"]?.count ?? 0;
    const summary = {
      requests,
      refused: requests - good,
      errors: result.errors,
      microseconds: Math.round(result.duration * 1e6),
      p50: Math.round(result.latency.p50 * 1000),
      p99: Math.round(result.latency.p99 * 1000),
    };
    console.log(`RESULT ${JSON.stringify(summary)}`);
  },
);
