"""`python -m bench`, run from the source root: benchmarks Relay against other servers."""

from bench.command import bench

bench(prog_name="python -m bench")
