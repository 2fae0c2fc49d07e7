"""Records the exchanges of a service in an HTTP Archive that is complete after every entry.

A thread of its own writes, so `kill -9` costs what the thread had not come to: nothing, as a rule. What
waits for it is bounded; beyond that exchanges are left out, and the log says how many.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import SecretStr

from relay.server.app import Application
from relay.server.lifespan import Lifespan
from relay.server.reloading import Reloading

from .exchanges import Exchange, Headers, Request
from .recording_file import Budget, RecordingFile
from .redaction import Redactor

MAX_BODY = 1024 * 1024  # a longer body is not recorded
MAX_HELD = 64 * 1024 * 1024  # how many bytes of exchanges are kept in memory at a time
_OVERHEAD = 4096  # estimated bytes of an exchange without bodies
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


class Recorder:
    """An ASGI application that records the traffic of another one; a context manager.

    It takes the place of the application: `with Recorder(application, path) as recorder`, or where
    the application is run by `running()`, which opens and closes the file, too. A file that a recorder
    wrote before is added to. Entering raises SetupError for one that is something else, or in use.
    """

    def __init__(self, application: Application | Reloading, path: Path) -> None:
        self._service = application
        self._held = Budget(MAX_HELD)
        self._file = RecordingFile(path, self._held)
        self._redactor: Redactor | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Forward everything, and record requests."""
        if scope["type"] == "http":
            await self._record(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._service(scope, receive, self._closing(send))
        else:
            await self._service(scope, receive, send)

    def __enter__(self) -> Self:
        self._file.open()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._file.close()

    @property
    def application(self) -> Application:
        """The application whose traffic is recorded, in its current version."""
        return self._service.application if isinstance(self._service, Reloading) else self._service

    @property
    def lifespan(self) -> Lifespan:
        """The lifespan of the service."""
        return self._service.lifespan

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the application and record it until left."""
        with self:
            async with self.application.running():
                yield

    def _closing(self, send: Any) -> Any:
        """Close the file before the server learns that the shutdown is complete: the process may end then."""

        async def closing(message: Any) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                self._file.close()
            await send(message)

        return closing

    async def _record(self, scope: Any, receive: Any, send: Any) -> None:
        if not self._held.take(_OVERHEAD):
            self._file.left_out += 1
            await self._service(scope, receive, send)
            return
        taken = _Taken(self.application, scope, _Body(self._held), _Body(self._held))

        async def received() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                taken.asked.add(message)
            else:
                taken.has_left = True
            return message

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                taken.status = message["status"]
                taken.headers = _headers(message.get("headers", ()))
            elif message["type"] == "http.response.body":
                taken.answered.add(message)
            await send(message)

        try:
            await self._service(scope, received, sent)
        finally:
            taken.seconds = time.perf_counter() - taken.began
            if taken.status:
                self._file.put(taken.size, partial(self._redacted, taken))
            else:
                self._held.give(taken.size)

    def _redacted(self, taken: _Taken) -> Exchange:
        contract = taken.application.contract
        if self._redactor is None or self._redactor.contract is not contract:
            values = vars(taken.application.settings).values()
            secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
            self._redactor = Redactor(contract, secrets)
        return self._redactor.redact(taken.exchange())


class _Body:
    """A body that is being recorded; dropped when it is too long or the budget is spent."""

    def __init__(self, held: Budget) -> None:
        self._held = held
        self._chunks: list[bytes] = []
        self._is_lost = False
        self.size = 0
        self.is_whole = False

    def add(self, message: Any) -> None:
        chunk = message.get("body", b"")
        self.is_whole = not message.get("more_body", False)
        if self._is_lost:
            return
        if self.size + len(chunk) > MAX_BODY or not self._held.take(len(chunk)):
            self._held.give(self.size)
            self._chunks, self.size, self._is_lost = [], 0, True
        else:
            self._chunks.append(chunk)
            self.size += len(chunk)

    def of(self, headers: Headers) -> bytes | None:
        """Return the body of a message with these headers; None for an incomplete one."""
        names = {name: value for name, value in headers if value not in ("", "identity")}
        if self._is_lost or "content-encoding" in names:  # an archive has decoded bodies
            return None
        if self.is_whole:
            return b"".join(self._chunks)
        has_none = names.get("content-length", "0") == "0" and "transfer-encoding" not in names
        return b"" if has_none and not self.size else None


@dataclass(slots=True)
class _Taken:
    """An exchange that is being recorded, with the contract of the version that answers; `has_left` if its client disconnected."""

    application: Application
    scope: Any
    asked: _Body
    answered: _Body
    status: int = 0
    headers: Headers = ()
    has_left: bool = False
    seconds: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def size(self) -> int:
        """How much of the budget it uses."""
        return _OVERHEAD + self.asked.size + self.answered.size

    def exchange(self) -> Exchange:
        """Return the finished exchange."""
        headers = _headers(self.scope["headers"])
        request = Request(self.scope["method"], _url(self.scope), headers, self.asked.of(headers))
        answer = self.answered.of(self.headers) if self.answered.is_whole else None
        return Exchange(
            request,
            self.status,
            self.headers,
            b"" if request.method == "HEAD" else answer,
            "recorded",
            seconds=self.seconds,
            started=self.started,
            broke_off=not (self.answered.is_whole or self.has_left),
        )


def _headers(raw: Any) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)


def _url(scope: Any) -> str:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    if not _HOST.fullmatch(host):
        server = scope.get("server") or ("localhost", None)
        host = f"[{server[0]}]" if ":" in server[0] else server[0]
        host += f":{server[1]}" if server[1] else ""
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{scope['scheme']}://{host}{path}{'?' if query else ''}{query}"
