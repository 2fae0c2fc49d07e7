"""Benchmarks Relay against other servers: the same work, one machine, interleaved rounds."""
