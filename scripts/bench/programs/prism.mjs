// Prism's mock, by its own command line: what it answers is made up from the contract's examples.
process.argv.splice(2, Infinity, "mock", "--port", process.env.PORT, process.env.BENCH_SPEC);
await import("./node_modules/@stoplight/prism-cli/dist/index.js");
