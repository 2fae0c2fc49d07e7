"""Replaces a running service: new requests go to the new version, the old one closes after its last one."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from relay.contract.diagnostics import Diagnostic

from .app import Application
from .lifespan import Lifespan, is_cancelled

_log = logging.getLogger("relay")


class Reloading:
    """The ASGI application of a service that can be replaced while it runs."""

    def __init__(self, first: Application) -> None:
        self.lifespan = Lifespan()
        self._version = _Version(first)
        self._closing: set[asyncio.Task[None]] = set()
        self._last_request = time.monotonic()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self.lifespan(self._running(), receive, send)
        else:
            self._last_request = time.monotonic()
            await self._version(scope, receive, send)

    @property
    def quiet(self) -> float:
        """Seconds since the last request; 0 while a replaced version still has requests."""
        return 0 if self._closing else time.monotonic() - self._last_request

    @property
    def application(self) -> Application:
        """The version that new requests go to."""
        return self._version.application

    async def replace(self, application: Application) -> None:
        """Start a new version and send new requests to it; raise SetupError if it cannot start."""
        version = _Version(application)
        await version.open()
        old, self._version = self._version, version
        closing = asyncio.create_task(old.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def keep(self, problems: list[Diagnostic]) -> None:
        """Store why the running version was not replaced; `/readyz` reports it."""
        self._version.application.reload_problems = problems

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        await self._version.open()
        yield
        await asyncio.gather(self._version.close(), *self._closing)


class _Version:
    """A version and its requests; opened and closed in the same task, which some collaborators require."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._requests = 0
        self._idle = asyncio.Event()
        self._retired = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""
        self._requests += 1
        self._idle.clear()
        try:
            await self.application(scope, receive, send)
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def open(self) -> None:
        """Open the version; raise SetupError if that fails."""
        self._idle.set()
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(opened))
        await asyncio.wait([opened, self._life], return_when=asyncio.FIRST_COMPLETED)
        if self._life.done():
            await self._life

    async def close(self) -> None:
        """Close the version after its last request."""
        self._retired.set()
        if self._life is not None:
            await self._life

    async def _live(self, opened: asyncio.Future[None]) -> None:
        try:
            async with self.application.running():
                opened.set_result(None)
                await self._retired.wait()
                await self._idle.wait()
        except BaseException:
            if not opened.done() or is_cancelled():
                raise
            _log.exception("closing a replaced version failed")


@contextmanager
def fresh_imports(*packages: str) -> Iterator[None]:
    """Let the block import packages again; if it raises, restore the modules of the running version."""
    importlib.invalidate_caches()
    old = _modules_of(packages)
    for name in old:
        del sys.modules[name]
    try:
        yield
    except BaseException:
        for name in _modules_of(packages):
            del sys.modules[name]
        sys.modules.update(old)
        raise


def _modules_of(packages: tuple[str, ...]) -> dict[str, Any]:
    modules = sys.modules.copy()  # other threads may import at the same time
    within = tuple(f"{package}." for package in packages)
    return {name: one for name, one in modules.items() if f"{name}.".startswith(within)}
