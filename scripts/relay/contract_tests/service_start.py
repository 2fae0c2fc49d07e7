"""The service that is tested: found at an address, or started here with data and keys of its own."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from handlers._app import SPEC, Settings
from handlers._commands.demo import DATA, demo_secrets
from handlers._commands.load import load_file
from handlers._store.keyring import new_entry
from relay.contract.diagnostics import SetupError
from relay.contract.documents import display
from relay.contract.model import Contract
from relay.project.files import package_folder
from relay.server.configuration import variable

from .contract_config import FILE, Config, read_config
from .credentials import signer
from .failing_service import VARIABLE
from .service_under_test import (
    CHECKOUT,
    ContractSettings,
    ServiceUnderTest,
    base_url,
    check_reachable,
    fresh_secret,
    own_environment,
    started,
)

DEMO_CONFIG = DATA.with_name("demo-contract.yaml")

_SERVE = ["relay", "serve"]
_FAIL = ["relay.contract_tests.failing_service"]


@dataclass(frozen=True, slots=True)
class Tested:
    """A service that is there to be tested.

    `copy` starts one whose handlers fail and yields its address; None where that cannot be done.

    `reproduce` are shell lines that set URL and TOKEN, for somebody who has no run of ours.
    """

    subject: ServiceUnderTest
    reproduce: tuple[str, ...]
    copy: Callable[[], AbstractContextManager[str]] | None = None


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """Which contract, which package; `handlers` and `spec` only where somebody named them."""

    path: Path
    package: str
    spec: Path | None = None
    handlers: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether the package is our own, which has demo data."""
        try:
            return package_folder(self.package) == CHECKOUT / "handlers"
        except SetupError:
            return False

    @property
    def is_ours(self) -> bool:
        """Whether it is our own package beside our own contract."""
        return self.is_own and self.path.resolve() == SPEC.resolve()

    @property
    def code(self) -> str | None:
        """The package that was written for the contract; None where ours would only stand in for it."""
        is_stand_in = self.is_own and not self.is_ours and self.handlers is None
        return None if is_stand_in else self.package


def find_config(given: Path | None, place: ServiceTarget) -> Config:
    """Read the configuration: the one given, else the working directory's, else the demo's, else nothing."""
    if given is not None or Path(FILE).is_file():
        return read_config(given or Path(FILE))
    return read_config(DEMO_CONFIG) if place.is_ours else Config()


@contextmanager
def found(url: str, contract: Contract, config: Config) -> Iterator[Tested]:
    """Take the service that runs at `url`; raise SetupError for wrong keys, and when nothing answers there."""
    settings = ContractSettings.load()
    signer(settings)  # keys that do not fit are told before anything is sent
    address = base_url(url, contract)
    check_reachable(address)
    subject = ServiceUnderTest(address, contract, config, settings, named_secrets(config, settings))
    yield Tested(subject, (f"URL={address}", "TOKEN=…  # a token of the identity that the comment names"))


@contextmanager
def served(place: ServiceTarget, contract: Contract, config: Config) -> Iterator[Tested]:
    """Start the service on a free port until left; raise SetupError for wrong keys, and when it does not start.

    Our own package gets the demo's data in a store and with keys of this run; any other its own
    collaborators, and a secret if it needs one and none is set.
    """
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary:
        folder = Path(temporary)
        fault = f"fault-{secrets.token_hex(16)}"  # what a failure inside says, which has to stay there
        environment = {
            variable("host"): "127.0.0.1",
            variable("port"): "0",
            **({variable("spec"): str(place.path.resolve())} if place.spec or place.is_own else {}),
            **({variable("handlers"): place.handlers} if place.handlers else {}),
        }
        if place.is_own:
            secret = secrets.token_urlsafe(48)
            settings = ContractSettings(jwt_secret=secret)
            keyring = new_entry("run")
            environment |= own_environment(folder / "demo.db", secret, keyring)
            store = f"sqlite:///{folder / 'demo.db'}"
            asyncio.run(load_file(Settings(store=store, keyring=keyring), DATA))
            hidden = (*named_secrets(config, settings), *demo_secrets(), keyring.partition(":")[2], fault)
            reproduce = (
                f"URL=http://127.0.0.1:2212{contract.base_path}  # relay serve --demo",
                "TOKEN=$(relay token --demo)",
            )
        else:
            settings = ContractSettings.load()
            signer(settings)  # keys that do not fit are told before anything is started
            if (fresh := fresh_secret(contract, settings)) is not None:
                settings = ContractSettings.load(jwt_secret=fresh)
                environment[variable("jwt_secret")] = fresh
            hidden = (*named_secrets(config, settings), fault)
            command = f"relay serve --spec {display(place.path)} --handlers {place.package}"
            reproduce = (f"URL=http://127.0.0.1:2212{contract.base_path}  # {command}", "TOKEN=…")
        within = folder if place.is_own else None
        with started(_SERVE, environment, within, hidden) as service:
            address = base_url(service.url, contract)
            subject = ServiceUnderTest(address, contract, config, settings, hidden, service.log)
            yield Tested(
                subject, reproduce, lambda: _failing({**environment, VARIABLE: fault}, within, subject)
            )


@contextmanager
def _failing(environment: Mapping[str, str], folder: Path | None, subject: ServiceUnderTest) -> Iterator[str]:
    """Start the copy whose handlers fail, and yield its address."""
    with started(_FAIL, environment, folder, subject.secrets) as copied:
        yield base_url(copied.url, subject.contract)


def named_secrets(config: Config, settings: ContractSettings) -> tuple[str, ...]:
    """Return what must not come out anywhere: what the configuration names, and the keys that sign."""
    named = [os.environ[name] for name in config.secrets if os.environ.get(name)]
    keys = [key.get_secret_value() for key in (settings.jwt_secret, settings.jwt_private_key) if key]
    return (*named, *keys)


def credentials_set(config: Config) -> tuple[str, ...]:
    """Return the credentials that identities have from the environment, passwords also by themselves.

    A service may show somebody a key of their own; no report may.
    """
    found = [os.environ.get(name, "") for one in config.identities for name in one.variables.values()]
    return tuple(part for value in found for part in (value, value.partition(":")[2]))
