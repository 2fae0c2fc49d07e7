"""Records the exchanges of a service in an HTTP Archive that is complete after every entry.

A thread of its own writes, so `kill -9` costs what the thread had not come to: nothing, as a rule. What
waits for it is bounded; beyond that exchanges are left out, and the log says how many.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self
from urllib.parse import quote

from pydantic import SecretStr

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.server.app import Application
from relay.server.lifespan import Lifespan
from relay.server.reloading import Reloading

from .exchanges import Exchange, Headers, Request
from .har_entries import GrowingArchive, NotOurs
from .redaction import Redactor

MAX_BODY = 1024 * 1024
"""A longer body is not recorded."""

MAX_HELD = 64 * 1024 * 1024
"""How many bytes of exchanges are kept in memory at a time."""

_OVERHEAD = 4096  # estimated bytes of an exchange without bodies
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")

_log = logging.getLogger("relay.recording")


class Recorder:
    """An ASGI application that records the traffic of another one; a context manager, sync and async.

    It takes the place of the application: `async with Recorder(application, path) as recorder`, or where
    the application is run by `running()`, which opens and closes the file, too. A file that a recorder
    wrote before is added to. Entering raises SetupError for one that is something else, or in use.
    """

    def __init__(self, application: Application | Reloading, path: Path) -> None:
        self._service = application
        self._held = _Budget(MAX_HELD)
        self._writer = _Writer(path, self._held)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Forward everything, and record requests."""
        if scope["type"] == "http":
            await self._record(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._service(scope, receive, self._closing(send))
        else:
            await self._service(scope, receive, send)

    def __enter__(self) -> Self:
        self._writer.open()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._writer.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_exc: object) -> None:
        self._writer.close()

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
        async with self, self.application.running():
            yield

    def _closing(self, send: Any) -> Any:
        """Close the file before the server learns that the shutdown is complete: the process may end then."""

        async def closing(message: Any) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                self._writer.close()
            await send(message)

        return closing

    async def _record(self, scope: Any, receive: Any, send: Any) -> None:
        if not self._held.take(_OVERHEAD):
            self._writer.left_out += 1
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
            self._writer.queue.put(taken)


class _Budget:
    """A budget of bytes in memory; the event loop takes from it, the writing thread gives back."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give(self, size: int) -> None:
        with self._lock:
            self._left += size


class _Body:
    """A body that is being recorded; dropped when it is too long or the budget is spent."""

    def __init__(self, held: _Budget) -> None:
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


class _Writer:
    """The thread that writes the entries of its queue, until it reads None."""

    def __init__(self, path: Path, held: _Budget) -> None:
        self.queue: SimpleQueue[_Taken | None] = SimpleQueue()
        self.left_out = 0
        self._archive = GrowingArchive(path)
        self._where = display(path)
        self._held = held
        self._thread: threading.Thread | None = None
        self._redactor: Redactor | None = None

    def open(self) -> None:
        """Open the file; raise SetupError if it cannot be written."""
        try:
            self._archive.open()
        except (NotOurs, OSError) as exc:
            reason = f"cannot be written: {exc.strerror}" if isinstance(exc, OSError) else exc
            raise SetupError([Diagnostic("--record", f"{self._where} {reason}")]) from exc
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is queued, and close the file; a second call does nothing."""
        if self._thread is None:
            return
        self.queue.put(None)
        self._thread.join()
        self._thread = None
        self._archive.close()
        if self.left_out:
            _log.warning("%s: %d exchanges were left out", self._where, self.left_out)

    def _run(self) -> None:
        has_ended = False
        while (taken := self.queue.get()) is not None:
            try:
                if taken.status and not has_ended:
                    has_ended = not self._archive.add(self._redacted(taken))
                    if has_ended:
                        _log.warning("%s: is full, nothing more is recorded", self._where)
            except OSError as exc:
                has_ended = True
                _log.warning("%s: nothing more is recorded: %s", self._where, exc.strerror)
            except Exception:  # noqa: BLE001 -- recording goes on, and the service is not affected
                self.left_out += 1
                _log.exception("an exchange could not be recorded")
            finally:
                self._held.give(taken.size)

    def _redacted(self, taken: _Taken) -> Exchange:
        contract = taken.application.contract
        if self._redactor is None or self._redactor.contract is not contract:
            values = vars(taken.application.settings).values()
            secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
            self._redactor = Redactor(contract, secrets)
        return self._redactor.redact(taken.exchange())
