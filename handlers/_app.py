"""Where host, store and handlers meet, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from handlers._store.keyring import Keyring, KeyringMisconfigured, read_keyring
from relay.contract.diagnostics import Diagnostic, NotYetThere, SetupError
from relay.server.configuration import SecretStr, setting, variable
from relay.server.settings import HostSettings

from ._store import Store, StoreAbsent, StoreMisconfigured, open_store

if TYPE_CHECKING:
    from relay.server.app import Application

SPEC = Path(__file__).parents[1] / "spec" / "openapi.yaml"
"""The service's own contract; in a wheel it lies beside the package just as in a checkout."""


def data_folder() -> Path:
    """Return where this platform keeps a user's data of this service; SetupError for a user without a home."""
    try:
        return Path(platformdirs.user_data_dir("tether-relay", appauthor=False))
    except RuntimeError as exc:
        told = "this user has no home directory; name a folder to keep data in, or set RELAY_STORE"
        raise SetupError([Diagnostic("XDG_DATA_HOME", told)]) from exc


class Settings(HostSettings):
    """Settings of the service."""

    spec: Path | None = setting(SPEC, Path)
    """The contract: an OpenAPI 3.0 file."""
    store: SecretStr | None = setting(None, SecretStr)
    """sqlite:///relative.db, sqlite:////absolute.db or mongodb://…/name; by default relay.db in the platform's
    data folder."""
    keyring: SecretStr | None = setting(None, SecretStr)
    """Keys that seal secrets at rest, `id:base64` of 32 bytes each, the first one seals; or a file of them."""


def store_url(settings: Settings) -> str:
    """Return the address of the store; it may hold a password. SetupError where there is no default."""
    return settings.store.get_secret_value() if settings.store else f"sqlite:///{data_folder() / 'relay.db'}"


def keyring(settings: Settings) -> Keyring | None:
    """Return the keys that seal secrets, None when there are none; SetupError for what is wrong with them."""
    if settings.keyring is None:
        return None
    try:
        return read_keyring(settings.keyring.get_secret_value())
    except KeyringMisconfigured as exc:
        raise SetupError(Diagnostic(variable("keyring"), told) for told in exc.problems) from None


@asynccontextmanager
async def opened_store(settings: Settings, *, read_only: bool = False) -> AsyncIterator[Store]:
    """Open the store until left; SetupError for one that cannot be opened, or a keyring that cannot be used.

    With `read_only` nothing is created, and what would be is NotYetThere.
    """
    keys = keyring(settings)
    async with AsyncExitStack() as stack:
        try:
            opening = open_store(store_url(settings), keys, read_only=read_only)
            store = await stack.enter_async_context(opening)
        except StoreMisconfigured as exc:
            raise SetupError([Diagnostic(variable("store"), str(exc))]) from exc
        except StoreAbsent as exc:
            raise NotYetThere(str(exc)) from exc
        yield store


@asynccontextmanager
async def collaborators(settings: Settings, *, read_only: bool = False) -> AsyncIterator[Mapping[str, Any]]:
    """Open what the handlers work with, by argument name, for the life of the service.

    `relay check` asks for `read_only`, see `opened_store`.
    """
    async with opened_store(settings, read_only=read_only) as store:
        yield {"store": store}


def create_app(settings: Settings) -> Application:
    """Compile the service: an ASGI application that opens its store when it is started.

    Raises SetupError with everything that is wrong with contract, handlers and settings.
    """
    from relay.server.app import (
        create,  # brings Connexion along, which whoever only reads settings can do without
    )

    return create(settings.handlers, settings)
