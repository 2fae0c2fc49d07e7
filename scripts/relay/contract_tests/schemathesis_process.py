"""Schemathesis as a process of its own: its configuration, its environment, its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.contract.model import Contract
from relay.server.security import JWT_TYPES, scheme_type

EVENTS = "events.ndjson"
REPORT = "report.json"
OUTPUT = "output.txt"
_SPEC = "openapi.json"
_CONFIG = "schemathesis.toml"

UNBOUNDED_SECONDS = 900.0
"""How long a run without a limit of its own may take."""
MARGIN_SECONDS = 60.0
"""What a run may take beyond its limit: start, the last requests, its reports."""
_PROGRESS_SECONDS = 0.25

_OPTIONS = [
    *"--phases examples,coverage,fuzzing,stateful --checks all --continue-on-failure".split(),
    *"--generation-database none --no-color --output-sanitize false".split(),
    *"--workers 1".split(),  # threads are no faster, and upset Python 3.11's ast (SystemError)
    *"--max-redirects 0".split(),  # a redirect is an answer to judge, not an address to go to
    *f"--report json,ndjson --report-json-path {REPORT} --report-ndjson-path {EVENTS}".split(),
]
# No schema says that text has no NUL, and hosts refuse it in JSON all the same. Nobody is to be signed up in
# a service that is only tested. 0 keeps bodies whole.
_SETTINGS = """\
[generation]
allow-x00 = false
[auth]
auto-signup = false
[output.truncation]
max-recorded-payload-size = 0
"""
# What Hypothesis, pytest, Schemathesis and the service read stays outside: it would change the run.
_KEPT = tuple("PATH LANG LC_ALL LD_LIBRARY_PATH PYTHONPATH TMPDIR".split())
_CA = "SSL_CERT_FILE"
_ANSWERED = b'"response":{"status_code":'


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is tried: requests per operation and phase, seconds of the whole run, and the seed.

    With `max_seconds`, fuzzing goes on until they are over.
    """

    max_examples: int
    max_seconds: int | None
    seed: int

    @property
    def limit(self) -> float:
        """The seconds after which a run is ended that does not end itself."""
        return UNBOUNDED_SECONDS if self.max_seconds is None else self.max_seconds + MARGIN_SECONDS


def run(
    folder: Path,
    contract: Contract,
    url: str,
    values: Mapping[str, str],
    budget: Budget,
    progress: Callable[[int], None],
) -> int | None:
    """Run Schemathesis in a folder, signed in with `values` by security scheme, and return its exit code.

    None when it was ended because it took too long. `progress` is told the number of answers so far.
    """
    configuration, variables = _configuration(contract, values)
    (folder / _SPEC).write_text(json.dumps(_document(contract)), "utf-8")
    (folder / _CONFIG).write_text(configuration, "utf-8")
    options = [f"--max-examples={budget.max_examples}", f"--seed={budget.seed}"]
    if budget.max_seconds is not None:
        options.append(f"--max-time={budget.max_seconds}")
    if bundle := os.environ.get(_CA):
        options.append(f"--tls-verify={Path(bundle).resolve()}")
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    python = [sys.executable, "-m", "schemathesis.cli", "--config-file", _CONFIG]
    with (folder / OUTPUT).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 -- this Python, and a module that we chose
            [*python, "run", _SPEC, "--url", url, *options, *_OPTIONS],
            cwd=folder,
            # A home of its own has no .netrc, which would sign requests in.
            env={**kept, "HOME": str(folder), "NO_PROXY": "*", "PYTHONUTF8": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
    try:
        return _watched(process, folder / EVENTS, budget.limit, progress)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _watched(
    process: subprocess.Popen[bytes], events: Path, seconds: float, progress: Callable[[int], None]
) -> int | None:
    """Wait for the process's end, telling of progress; None when it does not come in time."""
    counts = _answers(events)
    overdue = time.monotonic() + seconds
    while time.monotonic() < overdue:
        try:
            return process.wait(_PROGRESS_SECONDS)
        except subprocess.TimeoutExpired:
            progress(next(counts))
    return None


def _answers(events: Path) -> Iterator[int]:
    """Count the answers in a file that grows, each time anew."""
    count, offset, rest = 0, 0, b""
    while True:
        if events.exists():
            with events.open("rb") as file:
                file.seek(offset)
                data = file.read()
            offset += len(data)
            count += (rest + data).count(_ANSWERED)
            rest = (rest + data)[1 - len(_ANSWERED) :]
        yield count


def _configuration(contract: Contract, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the configuration, and the environment variables that it takes credentials from."""
    text, variables = [_SETTINGS], {}
    for number, (name, value) in enumerate(values.items()):
        scheme = contract.security_schemes[name]
        variable = f"RELAY_CREDENTIAL_{number}"
        match scheme_type(scheme):
            case "http basic":
                username, _, password = value.partition(":")
                parts = {"username": username, "password": password}
            case kind if kind in JWT_TYPES:
                parts = {"bearer": value}
            case "apiKey":
                parts = {"api_key": value}
            case _:
                parts = {"api_key": f"{scheme['scheme']} {value}"}
        text.append(f"[auth.openapi.{json.dumps(name)}]\n")
        for key, part in parts.items():
            variables[f"{variable}_{key.upper()}"] = part
            text.append(f'{key} = "${{{variable}_{key.upper()}}}"\n')
    return "".join(text), variables


def _document(contract: Contract) -> dict[str, Any]:
    """Return the contract with its security schemes in words that Schemathesis can sign in with and tests.

    To a service, OAuth2 and OpenID Connect are bearer tokens, and any other scheme of HTTP is the value
    of a header.
    """
    if not contract.security_schemes:
        return contract.document
    schemes = {name: _testable(scheme) for name, scheme in contract.security_schemes.items()}
    components = {**contract.document["components"], "securitySchemes": schemes}
    return {**contract.document, "components": components}


def _testable(scheme: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = scheme_type(scheme)
    if kind in JWT_TYPES:
        return {"type": "http", "scheme": "bearer"}
    if kind in ("apiKey", "http basic"):
        return scheme
    return {"type": "apiKey", "in": "header", "name": "Authorization"}
