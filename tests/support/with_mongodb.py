"""Run a command with a MongoDB that runs meanwhile: `python -m tests.support.with_mongodb python -m bench`.

The command finds its address in RELAY_BENCH_MONGODB: the one that is set there, or in RELAY_TEST_MONGODB_URI,
else that of a stand-in, which lasts as long as the command. Where no stand-in can run, it finds none.
"""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from . import mongodb


def main() -> int:
    """Run the command and return its exit code."""
    known = os.environ.get("RELAY_BENCH_MONGODB") or os.environ.get("RELAY_TEST_MONGODB_URI")
    with TemporaryDirectory() as folder:
        try:
            with nullcontext(known) if known else mongodb.standin(Path(folder)) as uri:
                return run({"RELAY_BENCH_MONGODB": uri})
        except pytest.skip.Exception as exc:
            sys.stderr.write(f"without a MongoDB: {exc}\n")
            return run({})


def run(variables: dict[str, str]) -> int:
    """Run the command to its end; an interruption is its to take."""
    with subprocess.Popen(sys.argv[1:], env={**os.environ, **variables}) as command:
        while True:
            try:
                return command.wait()
            except KeyboardInterrupt:
                continue


if __name__ == "__main__":
    sys.exit(main())
