"""The stages of requests that need no operation: of errors, and of pages outside the contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from relay.server.error_responses import ErrorResponses
from relay.server.errors import ClientDisconnected, MethodNotAllowed, NotFound
from relay.server.framework import ExceptionMiddleware, SwaggerUIMiddleware
from relay.server.lifespan import is_cancelled
from relay.server.pages import Page
from relay.server.scope_keys import PROGRESS
from relay.server.sending import headers_only, send_response
from relay.validation.http import OPERATION, Response

Extra = Page | Callable[[], Awaitable[Response]]
"""Serves a path that is not in the contract: a page, or a function."""


class Errors(ExceptionMiddleware):
    """Answers every exception that is raised inside it, in the format of the contract."""

    def __init__(self, app: Any, *, responses: ErrorResponses) -> None:
        self.app = app
        self._responses = responses

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3)."""
        try:
            await self.app(scope, receive, send)
        except BaseException as exc:
            if is_cancelled() or isinstance(exc, ClientDisconnected):
                raise  # the server ends the request, and the guard records it
            response = self._responses.of(exc, scope)
            if not scope[PROGRESS].status:
                await send_response(send, response)


class Pages(SwaggerUIMiddleware):
    """Serves pages by path. Raises MethodNotAllowed."""

    def __init__(self, app: Any, *, pages: Mapping[str, Extra]) -> None:
        self.app = app
        self._pages = pages

    def add_api(self, specification: Any, *_: Any, **__: Any) -> None:
        """Do nothing: the pages are made when the application is compiled."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3)."""
        page = self._pages.get(scope["path"])
        if page is None:
            await self.app(scope, receive, send)
            return
        scope[OPERATION] = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed({"allow": "GET, HEAD"})
        if scope["method"] == "HEAD":
            send = headers_only(send)
        response = await (page.response(scope["headers"]) if isinstance(page, Page) else page())
        await send_response(send, response)


async def not_found(_scope: Any, _receive: Any, _send: Any) -> None:
    """Raise NotFound: the application behind pages without a contract."""
    raise NotFound
