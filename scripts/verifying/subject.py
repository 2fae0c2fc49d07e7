"""What is tested: a contract, the address of a service, and who may call it."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import Field, SecretStr

from handlers._host.auth import JWT_TYPES, scheme_type, schemes_in_use
from handlers._host.contract import Contract, build_contract
from handlers._host.documents import parse_document
from handlers._host.problems import Problem, SetupError
from handlers._host.settings import PREFIX, HostSettings

from .config import Config

CHECKOUT = Path(__file__).parents[2]
"""Where the packages `scripts` and `handlers` lie."""

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_KEYS = ("jwt_secret", "jwt_public_key", "jwt_jwks")


class ContractSettings(HostSettings):
    """Settings of a contract test: the host's, and a key to sign tokens with."""

    jwt_private_key: SecretStr | None = Field(
        None, description="Private key in PEM, or a file that holds it, that contract tests sign tokens with."
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """A running service and its contract.

    `url` is where the contract's paths begin, without a slash at its end; `settings` hold the keys that
    the service verifies tokens with, as far as they are known. `log` is the file that a service of our
    own writes to.
    """

    url: str
    contract: Contract
    config: Config
    settings: ContractSettings
    secrets: tuple[str, ...] = field(default=(), repr=False)
    log: Path | None = None

    @property
    def base_path(self) -> str:
        """The path that the contract's paths lie below."""
        return urlsplit(self.url).path


def load_strict_contract(path: Path, config: Config) -> Contract:
    """Read a contract, and lay over its schemas what is promised beyond it.

    Raises SetupError as `load_contract` does, and for a schema that the contract does not have.
    """
    document, problems = parse_document(path.resolve())
    schemas: dict[str, Any] = {}
    if isinstance(document.data, dict) and isinstance(components := document.data.get("components"), dict):
        schemas = components.get("schemas") or {}
    for name, keywords in config.stricter.items():
        if name in schemas:
            schemas[name] = {**schemas[name], **keywords}
        else:
            problems.append(Problem("stricter", f"the contract has no schema '{name}'"))
    return build_contract(document, problems)


def base_url(url: str, contract: Contract) -> str:
    """Return where the contract's paths begin: `url` itself if it has a path, else below its server's path."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise SetupError([Problem("--url", "has to be like http://127.0.0.1:2212")])
    path = parts.path.rstrip("/") or contract.base_path
    return f"{parts.scheme}://{parts.netloc}{path}"


def check_reachable(url: str) -> None:
    """Raise SetupError when nothing answers at `url`."""
    try:
        httpx.get(url, timeout=10)
    except httpx.HTTPError as exc:
        told = f"nothing answers at {url} ({type(exc).__name__}); start the service, or leave --url out"
        raise SetupError([Problem("--url", told)]) from exc


def fresh_secret(contract: Contract, settings: ContractSettings) -> str | None:
    """Return a secret for a service of our own that needs a key and has none."""
    needs = any(
        scheme_type(contract.security_schemes[name]) in JWT_TYPES for name in schemes_in_use(contract)
    )
    has = any(getattr(settings, name) for name in _KEYS)
    return secrets.token_urlsafe(48) if needs and not has else None


@dataclass(frozen=True, slots=True)
class Service:
    """A service that was started here: its address and the file that it logs to."""

    url: str
    log: Path


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[Service]:
    """Run a Python module that serves, on a free port of this machine, until left.

    It runs in `folder`, by default the working directory. Raises SetupError with what it says when it
    does not start.
    """
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary:
        log = Path(temporary) / "service.log"
        with log.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603 -- this Python, and a module of ours
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **environment},
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        overdue = threading.Timer(START_SECONDS, process.kill)
        overdue.start()
        try:
            address = _address(process, log)
            overdue.cancel()
            yield Service(address, log)
        finally:
            overdue.cancel()
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Return the address that a service says it serves at."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r" at (http://\S+)", line):
            return found[1]
    process.wait(STOP_SECONDS)
    told = log.read_text("utf-8", "replace").strip().splitlines()
    lines = [line.removeprefix("error: ") for line in told if line.startswith("error: ")]
    raise SetupError(
        [Problem("the service did not start", line) for line in lines or told[-1:] or ["no word"]]
    )


def own_environment(store: Path, secret: str) -> dict[str, str]:
    """Return the settings of the demo as contract tests serve it: its own store and key, nobody else's."""
    cleared = {f"{PREFIX}{name.upper()}": "" for name in (*_KEYS, "jwt_issuer", "jwt_audience")}
    return {**cleared, f"{PREFIX}STORE": f"sqlite:///{store}", f"{PREFIX}JWT_SECRET": secret}
