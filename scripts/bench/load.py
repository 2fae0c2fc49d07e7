"""wrk: it loads a server, and its result is checked. The token is in its environment, which only its owner can read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError

GRACE_SECONDS = 60
"""Timeout of a response, and of wrk after its duration."""


class Load(NamedTuple):
    """The number of responses, the duration in seconds, and the p99 of the latency in ms."""

    requests: int
    seconds: float
    p99: float


def find_wrk() -> str:
    """Return the path of wrk; raise SetupError if it is not installed."""
    if (wrk := shutil.which("wrk")) is None:
        raise SetupError([Diagnostic("wrk", "is not installed; for example, run apt-get install wrk")])
    return wrk


def load(url: str, token: str, connections: int, seconds: int) -> Load:
    """Load a URL; raise SetupError unless every request gets a response that is no error."""
    timeout, script = seconds + 2 * GRACE_SECONDS, str(Path(__file__).with_name("load.lua"))
    options = f"-t 1 -c {connections} -d {seconds} --timeout {GRACE_SECONDS}"
    command = [find_wrk(), *options.split(), "-s", script, url]
    env = {**os.environ, "BENCH_TOKEN": token}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, check=False)
    return parse(done.stdout + done.stderr)


def parse(output: str) -> Load:
    """Return the result in the output of wrk; raises SetupError."""
    found = re.search(r"^RESULT (\{.*\})$", output, re.MULTILINE)
    if not found:
        raise SetupError([Diagnostic("wrk", f"printed no result: {output.strip()[-300:]}")])
    result = json.loads(found[1])
    wrong, missing = result.pop("wrong"), result.pop("missing")
    if wrong or missing or not result["requests"]:
        counts = f"{wrong} of {result['requests']} responses are errors, {missing} are missing"
        raise SetupError([Diagnostic("wrk", counts)])
    return Load(**result)
