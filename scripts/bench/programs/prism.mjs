// Prism's mock, started by its command line; its responses are invented from the contract's examples.
process.argv.splice(2, Infinity, "mock", "--port", process.env.PORT, process.env.BENCH_SPEC);
await import("./node_modules/@stoplight/prism-cli/dist/index.js");
