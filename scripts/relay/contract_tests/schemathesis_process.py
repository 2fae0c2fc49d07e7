"""Run Schemathesis in a separate process: its configuration, environment and time limit."""

import copy
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.contract.canonical import use_numeric_bounds
from relay.contract.methods import METHODS
from relay.contract.model import Contract
from relay.contract.pointers import kinds_of
from relay.server.request_credentials import CLIENT_CERTIFICATE
from relay.server.security import JWT_TYPES, scheme_type

from .session import Caller

EVENTS = "events.ndjson"
REPORT = "report.json"
OUTPUT = "output.txt"
_SPEC = "openapi.json"
_CONFIG = "schemathesis.toml"

UNBOUNDED_SECONDS = 900.0  # the seconds after which a run is killed at the latest
_PROGRESS_SECONDS = 0.25

_OPTIONS = [
    *"--phases examples,coverage,fuzzing,stateful --checks all --continue-on-failure".split(),
    *"--generation-database none --no-color --output-sanitize false".split(),
    *"--workers 1".split(),  # threads are not faster, and cause a SystemError in Python 3.11's ast
    *"--max-redirects 0".split(),  # a redirect is a response to check and is not followed
    *f"--report json,ndjson --report-json-path {REPORT} --report-ndjson-path {EVENTS}".split(),
]
# Servers refuse NUL in JSON text, although schemas do not exclude it. A test must not sign up users. 0 turns
# off the truncation of bodies.
_SETTINGS = """\
[generation]
allow-x00 = false
[auth]
auto-signup = false
[output.truncation]
max-recorded-payload-size = 0
"""
# Variables of Hypothesis, pytest, Schemathesis and the service are not passed on: they would change the run.
_KEPT = tuple("PATH LANG LC_ALL LD_LIBRARY_PATH PYTHONPATH TMPDIR".split())
_CA = "SSL_CERT_FILE"
_ANSWERED = b'"response":{"status_code":'


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of a run: examples per operation and phase, seconds, and the seed."""

    max_examples: int
    max_seconds: float | None
    seed: int

    @property
    def limit(self) -> float:
        """The seconds after which a run is killed."""
        return min(UNBOUNDED_SECONDS, math.inf if self.max_seconds is None else self.max_seconds)

    @property
    def is_short(self) -> bool:
        """True if `max_seconds` is what ends a run that takes long."""
        return self.limit < UNBOUNDED_SECONDS


def run(
    folder: Path,
    contract: Contract,
    url: str,
    caller: Caller,
    budget: Budget,
    progress: Callable[[int], None],
) -> int | None:
    """Run Schemathesis in a folder for the operations of a caller; return its exit code.

    The result is None if it was killed by the limit of the budget: its own limit would lengthen a run, as it
    generates requests until the time is over. `progress` is called with the number of responses so far.
    """
    configuration, variables = _configuration(contract, caller.values)
    (folder / _SPEC).write_text(json.dumps(_document(contract)), "utf-8")
    (folder / _CONFIG).write_text(configuration, "utf-8")
    process = _started(folder, contract, url, caller, budget, variables)
    try:
        return _wait(process, folder / EVENTS, budget.limit, progress)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _started(
    folder: Path, contract: Contract, url: str, caller: Caller, budget: Budget, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    options = [f"--max-examples={budget.max_examples}", f"--seed={budget.seed}"]
    options += _selection(contract, caller)
    if bundle := os.environ.get(_CA):
        options.append(f"--tls-verify={Path(bundle).resolve()}")
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    python = [sys.executable, "-m", "schemathesis.cli", "--config-file", _CONFIG]
    with (folder / OUTPUT).open("wb") as output:
        return subprocess.Popen(  # noqa: S603 -- runs this Python with a fixed module
            [*python, "run", _SPEC, "--url", url, *options, *_OPTIONS],
            cwd=folder,
            # A separate HOME has no .netrc, which would add credentials to requests.
            env={**kept, "HOME": str(folder), "NO_PROXY": "*", "PYTHONUTF8": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # only this process gets Ctrl-C, and kills it
        )


def _selection(contract: Contract, caller: Caller) -> list[str]:
    """Return the options that select the operations of a caller, unless these are all of the document."""
    items = [contract.resolve(item) for path, item in contract.document["paths"].items() if path[0] == "/"]
    written = sum(method in item for item in items for method in METHODS)
    is_part = len(caller.operations) < written
    return [f"--include-name={operation}" for operation in caller.operations] if is_part else []


def _wait(
    process: subprocess.Popen[bytes], events: Path, seconds: float, progress: Callable[[int], None]
) -> int | None:
    """Wait for the process and report progress; return None if it does not end in time."""
    counts = _answers(events)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return process.wait(_PROGRESS_SECONDS)
        except subprocess.TimeoutExpired:
            progress(next(counts))
    return None


def _answers(events: Path) -> Iterator[int]:
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
    """Return the configuration, and the environment variables with the credentials that it refers to."""
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
            case "apiKey" | "mutualTLS":
                parts = {"api_key": value}
            case _:
                parts = {"api_key": f"{scheme['scheme']} {value}"}
        text.append(f"[auth.openapi.{json.dumps(name)}]\n")
        for key, part in parts.items():
            variables[f"{variable}_{key.upper()}"] = part
            text.append(f'{key} = "${{{variable}_{key.upper()}}}"\n')
    return "".join(text), variables


def _document(contract: Contract) -> dict[str, Any]:
    """Return the contract with security schemes that Schemathesis supports and tests.

    OAuth2 and OpenID Connect become bearer tokens; any other HTTP scheme becomes the value of a header.
    """
    document = contract.document if contract.version == "3.0" else _in_2020_12(contract.document)
    if not contract.security_schemes:
        return document
    schemes = {name: _testable(scheme) for name, scheme in contract.security_schemes.items()}
    return {**document, "components": {**document["components"], "securitySchemes": schemes}}


def _in_2020_12(document: dict[str, Any]) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    for _, schema, kind in kinds_of(copied):
        if kind != "schema":
            continue
        if schema.pop("nullable", False):
            schema["type"] = [schema["type"], "null"]
        use_numeric_bounds(schema)
    return copied


def _testable(scheme: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = scheme_type(scheme)
    if kind in JWT_TYPES:
        return {"type": "http", "scheme": "bearer"}
    if kind in ("apiKey", "http basic"):
        return scheme
    name = CLIENT_CERTIFICATE if kind == "mutualTLS" else "Authorization"
    return {"type": "apiKey", "in": "header", "name": name}
