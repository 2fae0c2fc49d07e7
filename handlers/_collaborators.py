"""The collaborators of the handlers: the store, open for the life of the service."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import relay

from ._settings import Settings, keyring, store_url
from ._store import Store, StoreAbsent, StoreMisconfigured, open_store


@asynccontextmanager
async def opened_store(settings: Settings, *, read_only: bool = False) -> AsyncIterator[Store]:
    """Open the store, and close it on exit.

    Raises SetupError if the store cannot be opened or the keyring cannot be used. With `read_only`,
    nothing is created; raises NotYetThere if the store does not exist.
    """
    keys = keyring(settings)
    async with AsyncExitStack() as stack:
        try:
            opening = open_store(store_url(settings), keys, read_only=read_only)
            store = await stack.enter_async_context(opening)
        except StoreMisconfigured as exc:
            raise relay.SetupError([relay.Diagnostic("RELAY_STORE", str(exc))]) from exc
        except StoreAbsent as exc:
            raise relay.NotYetThere(str(exc)) from exc
        yield store


@asynccontextmanager
async def collaborators(settings: Settings, *, read_only: bool = False) -> AsyncIterator[Mapping[str, Any]]:
    """Open the collaborators, by argument name, for the life of the service.

    `relay check` passes `read_only`, see `opened_store`.
    """
    async with opened_store(settings, read_only=read_only) as store:
        yield {"store": store}
