"""Connect to the service under test at an address, or start it here with its own data and keys."""

import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.contract.model import Contract
from relay.project.project import variable
from relay.project.settings import Chosen
from relay.server.functions import code_place
from relay.server.handler_modules import NamedFunctions
from relay.server.package_hooks import PackageHooks
from relay.server.security import token_schemes

from .contract_config import Config
from .credentials import signer
from .failing_service import VARIABLE
from .http_client import check_reachable
from .secret_spellings import Spellings
from .service_target import (
    find_mocked,
    hooks_of,
    is_served_alone,
    signing_key,
    unwritten_handlers,
    verified_schemes,
)
from .service_under_test import ContractSettings, Service, ServiceUnderTest, base_url

_STOP_SECONDS = 10.0
_SERVE = ["relay", "serve"]
_FAIL = ["relay.contract_tests.failing_service"]
_GIVEN = "TOKEN=…  # a token of the identity that the comment names"


def connect(url: str, contract: Contract, config: Config) -> ServiceUnderTest:
    """Return the service that runs at `url`; raise SetupError for wrong keys, and if no service answers there."""
    settings = ContractSettings.load()
    signer(settings)  # wrong keys are reported before anything is sent
    address = base_url(url, contract)
    check_reachable(address)
    return ServiceUnderTest(
        address,
        contract,
        config,
        settings,
        named_secrets(config, settings),
        reproduce=(f"URL={address}", _GIVEN),
        shown_credentials=credentials_set(config),
    )


@contextmanager
def served(target: Chosen, contract: Contract, config: Config) -> Iterator[ServiceUnderTest]:
    """Start the service on a free port until left; raise SetupError for wrong keys, and when it does not start.

    The package's `test_environment` prepares data in a temporary folder. A service whose tokens no function
    verifies, and that has no key, gets a secret of this run.
    """
    # One function: what is prepared for the service lives as long as the service.
    folder = target.project.folder
    fault = f"fault-{secrets.token_hex(16)}"  # a failing handler raises it, and it must not leave the service
    hooks = None if is_served_alone(target, contract) else hooks_of(target)
    has_functions = hooks is not None or NamedFunctions(folder, target.handlers).has_any_module(contract)
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary:
        prepared = _prepared(hooks, Path(temporary))
        environment = {
            **prepared,
            variable("host"): "127.0.0.1",
            variable("port"): "0",
            variable("spec"): str(target.spec.resolve()),
            **({variable("handlers"): target.handlers} if hooks is not None else {}),
        }
        with _variables(environment):
            settings = ContractSettings.load()
            signer(settings)  # wrong keys are reported before anything is started
            verified = verified_schemes(target, contract, settings) if has_functions else ()
            key = signing_key(contract, settings, verified, target.project)
            if key.fresh is not None:
                environment[variable("jwt_secret")] = key.fresh
            hidden = (*named_secrets(config, key.settings), fault)
            token = _GIVEN if key.by_function >= token_schemes(contract) else "TOKEN=$(relay token)"
            with started(_SERVE, environment, folder, hidden) as service:
                unwritten = unwritten_handlers(contract, target.handlers, folder) if has_functions else None
                yield ServiceUnderTest(
                    base_url(service.url, contract),
                    contract,
                    config,
                    key.settings,
                    hidden,
                    service.log,
                    find_mocked(contract, key.settings, unwritten),
                    key.by_function,
                    (_command(target, contract, has_data=bool(prepared)), token),
                    credentials_set(config),
                    partial(started, _FAIL, {**environment, VARIABLE: fault}, folder, hidden),
                )


def _command(target: Chosen, contract: Contract, *, has_data: bool) -> str:
    command = shlex.join(["relay", "serve", "--spec", display(target.spec), "--handlers", target.handlers])
    data = ", with the data of test_environment()" if has_data else ""
    return f"URL=http://127.0.0.1:2212{contract.base_path}  # {command}{data}"


def _prepared(hooks: PackageHooks | None, folder: Path) -> Mapping[str, str]:
    if hooks is None or hooks.test_environment is None:
        return {}
    try:
        return dict(hooks.test_environment(folder))
    except SetupError:
        raise
    except Exception as exc:
        message = (
            f"test_environment() failed: {type(exc).__name__}: it must return variables and their values"
        )
        raise SetupError([Diagnostic(code_place(hooks.test_environment), message)]) from exc


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def named_secrets(config: Config, settings: ContractSettings) -> tuple[str, ...]:
    """Return the values that no output may contain: those that the configuration names, and the signing keys."""
    named = [os.environ[name] for name in config.secrets if os.environ.get(name)]
    keys = [key.get_secret_value() for key in (settings.jwt_secret, settings.jwt_private_key) if key]
    return (*named, *keys)


def credentials_set(config: Config) -> tuple[str, ...]:
    """Return the credentials that identities have from the environment, passwords also by themselves.

    A service may show somebody a key of their own; no report may.
    """
    found = [os.environ.get(name, "") for one in config.identities for name in one.variables.values()]
    return tuple(part for value in found for part in (value, value.partition(":")[2]))


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None = None,
    secrets: Iterable[str] = (),
    *,
    start_seconds: float = 30.0,
) -> Iterator[Service]:
    """Run a Python module that serves, on a free port of this machine, until left.

    It runs in `folder`, by default the working directory. Raises SetupError with what it says when it
    does not start within `start_seconds`, without the `secrets`.
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
            if (address := _address(process, said, start_seconds)) is None:
                raise _not_started(process, log, Spellings(secrets), start_seconds)
            yield Service(address, log)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], said: Path, seconds: float) -> str | None:
    overdue = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < overdue:
        if found := re.search(r" at (http://\S+)\s", said.read_text("utf-8", "replace")):
            return found[1]
        time.sleep(0.02)
    return None


def _not_started(
    process: subprocess.Popen[bytes], log: Path, secrets: Spellings, seconds: float
) -> SetupError:
    """Return the error of a service that did not start: its own errors, else the last line of its log."""
    if process.returncode is None:
        lines = [f"it took more than {seconds:.0f} s"]
    else:
        logged = secrets.redacted(log.read_bytes())
        output = logged.decode("utf-8", "replace").strip().splitlines()
        errors = [line.removeprefix("error: ") for line in output if line.startswith("error: ")]
        lines = errors or output[-1:] or ["it printed nothing"]
    return SetupError([Diagnostic("the service did not start", line) for line in lines])
