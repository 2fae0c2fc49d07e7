"""A response that something follows."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from relay.validation.http import HeaderList, Response

from .reply import Background
from .sending import Outgoing, send_response
from .threads import Threads

_log = logging.getLogger("relay")


class FollowedResponse:
    """A response with a function that is called after it was sent."""

    def __init__(self, response: Outgoing, background: Background, threads: Threads) -> None:
        self._response, self._background, self._threads = response, background, threads

    @property
    def status(self) -> int:
        """The status of the response."""
        return self._response.status

    @property
    def headers(self) -> HeaderList:
        """The headers of the response."""
        return self._response.headers

    async def send(self, scope: Any, send: Any) -> None:
        """Send the response."""
        if isinstance(self._response, Response):
            await send_response(send, self._response)
        else:
            await self._response.send(scope, send)

    async def follow(self) -> None:
        """Call the function; an exception in it is logged."""
        try:
            await self._called()
        except Exception:  # noqa: BLE001 -- the client has its response
            _log.exception("a background function failed")

    async def _called(self) -> None:
        """Call the function, in a thread if it is a plain one, so that it may block."""
        background = self._background
        is_async = inspect.iscoroutinefunction(background) or inspect.iscoroutinefunction(
            getattr(background, "__call__", None)  # noqa: B004 -- an object whose method is a coroutine, as Starlette's
        )
        found = background() if is_async else await self._threads.start(background)
        if inspect.isawaitable(found):
            await found
