"""The service under test: at an address, or started here with its own data and keys."""

from __future__ import annotations

import os
import secrets
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.contract.model import Contract
from relay.project.import_path import make_importable
from relay.project.project import Project, variable
from relay.project.settings import token_keys
from relay.server.functions import code_place
from relay.server.handler_modules import import_package
from relay.server.named_functions import NamedFunctions
from relay.server.package_hooks import PackageHooks
from relay.server.security import token_schemes

from .contract_config import Config
from .credentials import signer
from .failing_service import VARIABLE
from .mocked import find_mocked, is_served_alone
from .service_under_test import (
    ContractSettings,
    ServiceUnderTest,
    base_url,
    check_reachable,
    started,
)
from .signing_key import signing_key
from .unwritten_operations import unwritten_handlers

_SERVE = ["relay", "serve"]
_FAIL = ["relay.contract_tests.failing_service"]
_GIVEN = "TOKEN=…  # a token of the identity that the comment names"


@dataclass(frozen=True, slots=True)
class Tested:
    """A service that can be tested.

    `credentials` are those of the identities, which no report may contain. `reproduce` are shell lines
    that set URL and TOKEN, for a reader of the report. `copy` starts a service whose handlers fail and
    yields its address; None where that cannot be done.
    """

    subject: ServiceUnderTest
    reproduce: tuple[str, ...]
    credentials: tuple[str, ...] = field(default=(), repr=False)
    copy: Callable[[], AbstractContextManager[str]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """The contract and the handlers package under test, in their project."""

    project: Project
    path: Path
    package: str
    root: Path | None = None

    @property
    def hooks(self) -> PackageHooks | None:
        """What the package exports; None where it cannot be imported."""
        make_importable(self.package, self.project.folder)
        try:
            return PackageHooks.of(import_package(self.package))
        except SetupError:
            return None

    def is_unused(self, contract: Contract) -> bool:
        """Return True if the contract is served without the package, which was not named and has no handler."""
        return is_served_alone(contract, self.settings(), self.package, self.project.folder)

    def has_functions(self, contract: Contract) -> bool:
        """Return True if the project has functions for the contract, in the package or named by the contract."""
        named = NamedFunctions(self.project.folder, self.package)
        return named.has_any_module(contract) or (not self.is_unused(contract) and self.hooks is not None)

    def verified(self, contract: Contract, settings: ContractSettings) -> frozenset[str]:
        """Return the security schemes that functions verify: those of the package, and those that the contract names."""
        if not self.has_functions(contract):
            return frozenset()
        folder, has_key = self.project.folder, bool(token_keys(settings))
        make_importable(self.package, folder)
        return frozenset(PackageHooks.of_project(contract, self.package, folder, has_key=has_key).verified)

    def settings(self) -> ContractSettings:
        """Read the settings of the test; SetupError for settings that are wrong."""
        return ContractSettings.load()


@contextmanager
def found(url: str, contract: Contract, config: Config, target: ServiceTarget) -> Iterator[Tested]:
    """Test the service that runs at `url`; raise SetupError for wrong keys, and if no service answers there."""
    settings = target.settings()
    signer(settings)  # wrong keys are reported before anything is sent
    address = base_url(url, contract)
    check_reachable(address)
    subject = ServiceUnderTest(address, contract, config, settings, named_secrets(config, settings))
    yield Tested(subject, (f"URL={address}", _GIVEN), credentials_set(config))


@contextmanager
def served(target: ServiceTarget, contract: Contract, config: Config) -> Iterator[Tested]:
    """Start the service on a free port until left; raise SetupError for wrong keys, and when it does not start.

    The package's `test_environment` prepares data in a temporary folder. A service whose tokens no function
    verifies, and that has no key, gets a secret of this run.
    """
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary, ExitStack() as stack:
        fault = f"fault-{secrets.token_hex(16)}"  # what a failing handler raises, which must not leave the service
        hooks = None if target.is_unused(contract) else target.hooks
        prepared = _prepared(hooks, Path(temporary))
        environment = {
            **prepared,
            variable("host"): "127.0.0.1",
            variable("port"): "0",
            variable("spec"): str(target.path.resolve()),
            **({variable("handlers"): target.package} if hooks is not None else {}),
        }
        stack.enter_context(_variables(environment))
        settings = target.settings()
        signer(settings)  # wrong keys are reported before anything is started
        key = signing_key(contract, settings, target.verified(contract, settings), target.project)
        settings = key.settings
        if key.fresh is not None:
            environment[variable("jwt_secret")] = key.fresh
        hidden = (*named_secrets(config, settings), fault)
        words = ["relay", "serve", "--spec", display(target.path), "--handlers", target.package]
        command = shlex.join(words) + (", with the data of test_environment()" if prepared else "")
        token = _GIVEN if key.by_function >= token_schemes(contract) else "TOKEN=$(relay token)"
        reproduce = (f"URL=http://127.0.0.1:2212{contract.base_path}  # {command}", token)
        with started(_SERVE, environment, target.project.folder, hidden) as service:
            address = base_url(service.url, contract)
            folder = target.project.folder
            has_functions = target.has_functions(contract)
            unwritten = unwritten_handlers(contract, target.package, folder) if has_functions else None
            mocked = find_mocked(contract, settings, unwritten)
            subject = ServiceUnderTest(
                address, contract, config, settings, hidden, service.log, mocked, key.by_function
            )
            failing = {**environment, VARIABLE: fault}
            copy = partial(_failing, failing, target.project.folder, subject)
            yield Tested(subject, reproduce, credentials_set(config), copy)


def _prepared(hooks: PackageHooks | None, folder: Path) -> Mapping[str, str]:
    """Return the variables of the package's `test_environment`; SetupError where it fails."""
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
    """Set variables of this process's environment until left."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _failing(environment: Mapping[str, str], folder: Path | None, subject: ServiceUnderTest) -> Iterator[str]:
    """Start a copy whose handlers fail, and yield its address."""
    with started(_FAIL, environment, folder, subject.secrets) as copied:
        yield base_url(copied.url, subject.contract)


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
