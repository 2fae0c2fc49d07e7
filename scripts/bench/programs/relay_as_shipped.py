"""Relay with its defaults, including log and metrics; with memory, it uses a small handlers package."""

from __future__ import annotations

import os
from pathlib import Path

from relay.cli.main import main


def serve() -> None:
    """Serve on the port in the variable PORT."""
    source = os.environ.get("BENCH_SOURCE", "memory")
    os.environ |= {"RELAY_PORT": os.environ["PORT"], "RELAY_JWT_SECRET": os.environ["BENCH_SECRET"]}
    os.chdir(Path(os.environ["BENCH_SPEC"]).parents[1])  # our own project, whose package both import
    if source == "memory":
        main(["serve", "--handlers", "bench.programs.relay_memory", "--spec", os.environ["BENCH_SPEC"]])
    os.environ["RELAY_STORE"] = source
    main(["serve"])


if __name__ == "__main__":
    serve()
