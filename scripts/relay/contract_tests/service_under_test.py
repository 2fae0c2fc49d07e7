"""The service under test: its contract, its address, its identities."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import Field, SecretStr

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import parse_document
from relay.contract.loading import build_contract, load_contract, resolved
from relay.contract.model import Contract
from relay.contract.pointers import PointerNotFound, lookup
from relay.project.settings import Settings

from .contract_config import FILE, Config
from .exchanges import REDACTED
from .http_client import trusted
from .mocked import NOTHING_MOCKED, Mocked
from .secret_spellings import Spellings

START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ContractSettings(Settings):
    """Settings of a contract test: those of the service, and a key to sign tokens with."""

    jwt_private_key: SecretStr | None = Field(
        default=None,
        description="Private key in PEM, or a file with it, that contract tests sign tokens with.",
    )


@dataclass(frozen=True, slots=True)
class ServiceUnderTest:
    """A running service and its contract.

    `url` is where the contract's paths begin, without a slash at its end; `settings` hold the keys that
    the service verifies tokens with, as far as they are known. `log` is the file that a service of our
    own writes to, `mocked` what it answers without a person's code. `by_function` are the schemes whose tokens
    a function verifies, so that no key of this run signs them.
    """

    url: str
    contract: Contract
    config: Config
    settings: ContractSettings
    secrets: tuple[str, ...] = field(default=(), repr=False)
    log: Path | None = None
    mocked: Mocked = NOTHING_MOCKED
    by_function: frozenset[str] = frozenset()

    @property
    def base_path(self) -> str:
        """The prefix of the contract's paths."""
        return urlsplit(self.url).path


def load_strict_contract(path: Path, config: Config, folder: Path | None = None) -> Contract:
    """Read a contract and merge the stricter schemas of the configuration into it.

    Raises SetupError as `load_contract` does, for a schema that the contract does not have, and for faults
    that only the merged keywords cause.
    """
    document, problems = parse_document(resolved(path))
    unknown: list[Diagnostic] = []
    for name, keywords in config.stricter.items():
        try:
            schemas = lookup(document.data, ("components", "schemas"))
            schemas[name] = _stricter(lookup(schemas, (name,)), keywords)
        except (PointerNotFound, TypeError):  # a wrong structure is reported when the contract is built
            unknown.append(Diagnostic("stricter", f"the contract has no schema '{name}'"))
    if unknown:
        raise SetupError(unknown)
    contract = build_contract(document, problems, folder)
    if config.stricter and contract.faults:
        known = {str(fault) for fault in load_contract(path, folder).faults}
        if caused := [fault for fault in contract.faults if str(fault) not in known]:
            raise SetupError(caused)
    return contract


def _stricter(schema: dict[str, Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Merge keywords into a schema; next to a `$ref` they would be ignored."""
    return {"allOf": [schema, keywords]} if "$ref" in schema else {**schema, **keywords}


def base_url(url: str, contract: Contract) -> str:
    """Return the prefix of the contract's URLs: `url` if it has a path, else `url` with the server's path."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.query or parts.fragment:
        raise SetupError([Diagnostic("--url", "has to be like http://127.0.0.1:2212")])
    if "@" in parts.netloc:  # every report would contain it
        message = f"takes no user and password; name them for an identity in {FILE}"
        raise SetupError([Diagnostic("--url", message)])
    path = parts.path.rstrip("/") or contract.base_path
    return f"{parts.scheme}://{parts.netloc}{path}"


def check_reachable(url: str) -> None:
    """Raise SetupError if no service answers at `url`."""
    try:
        with httpx.stream("GET", url, timeout=10, trust_env=False, verify=trusted()):
            pass  # the response may be endless
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        if "CERTIFICATE_VERIFY_FAILED" in str(exc):
            message = f"the certificate of {url} is not trusted; name its CA's file in SSL_CERT_FILE"
        else:
            message = (
                f"no service answers at {url} ({type(exc).__name__}); start the service, or leave --url out"
            )
        raise SetupError([Diagnostic("--url", message)]) from exc


def answers(url: str) -> bool:
    """Return True if a service still answers."""
    try:
        check_reachable(url)
    except SetupError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Service:
    """A service that was started here: its address and its log file."""

    url: str
    log: Path


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None = None,
    secrets: Iterable[str] = (),
) -> Iterator[Service]:
    """Run a Python module that serves, on a free port of this machine, until left.

    It runs in `folder`, by default the working directory. Raises SetupError with what it says when it
    does not start, without the `secrets`.
    """
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary:
        said, log = Path(temporary, "said"), Path(temporary, "service.log")
        with said.open("wb") as output, log.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 -- this Python and a module of Relay
                [sys.executable, "-P", "-m", *command],  # without modules of the working directory
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                stdout=output,
                stderr=errors,
            )
        try:
            yield Service(_address(process, said, log, Spellings(secrets)), log)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], said: Path, log: Path, secrets: Spellings) -> str:
    """Return the address that a service prints; raise SetupError if it does not start."""
    overdue = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < overdue:
        if found := re.search(r" at (http://\S+)\s", said.read_text("utf-8", "replace")):
            return found[1]
        time.sleep(0.02)
    if process.returncode is None:
        raise SetupError(
            [Diagnostic("the service did not start", f"it took more than {START_SECONDS:.0f} s")]
        )
    logged = secrets.replaced(log.read_bytes(), REDACTED.encode())
    output = logged.decode("utf-8", "replace").strip().splitlines()
    lines = [line.removeprefix("error: ") for line in output if line.startswith("error: ")]
    raise SetupError(
        [
            Diagnostic("the service did not start", line)
            for line in lines or output[-1:] or ["it printed nothing"]
        ]
    )
