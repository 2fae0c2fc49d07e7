"""`python -m bench` from the source root: Relay beside what else could be picked."""

from bench.command import bench

bench(prog_name="python -m bench")
