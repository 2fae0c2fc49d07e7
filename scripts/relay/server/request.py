"""`relay.Request`, for handlers that need more than arguments, and the objects of one request."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from relay.validation.http import OPERATION, HeaderList, cookies, header
from relay.validation.media_types import essence, read_accept, weight_of

from .bodies import Body
from .proxies import TrustedProxies
from .threads import Function, ThreadPools, accepting

_NO_PROXIES = TrustedProxies()


class Headers(Mapping[str, str]):
    """Header fields by name, in any case. Several lines of a field are one value, joined by commas."""

    __slots__ = ("_raw",)

    def __init__(self, raw: HeaderList) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        found = header(self._raw, _key(name))
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.decode("latin-1") for name, _ in self._raw))

    def __len__(self) -> int:
        return len({name for name, _ in self._raw})

    def __repr__(self) -> str:
        return f"<Headers {', '.join(self)}>"

    def getlist(self, name: str) -> list[str]:
        """Return the value of each line of a field; [] if there is none."""
        key = _key(name)
        return [value.decode("latin-1") for known, value in self._raw if known == key]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Request:
    """A request. A handler gets it as the argument `request`, if it has one; all values are computed when they are read.

    `scope` is ASGI's, and may be used for what is not here. `content` is what has been read of the body, and `proxies`
    are those that may say where the request comes from.
    """

    scope: Mapping[str, Any]
    content: Body
    proxies: TrustedProxies = _NO_PROXIES

    def __repr__(self) -> str:
        return f"<Request {self.method} of {self.operation_id}>"

    @property
    def method(self) -> str:
        """The method, such as `GET`."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return str(self.scope["path"])

    @property
    def query(self) -> str:
        """The query as it was sent, without `?`."""
        return bytes(self.scope["query_string"]).decode("latin-1")

    @property
    def url(self) -> str:
        """The whole address as the client wrote it; behind a trusted proxy, with the scheme and host that it reports."""
        _, scheme, host = self.proxies.origin(self.scope)
        raw = self.scope.get("raw_path")
        path = raw.decode("latin-1") if raw else quote(self.path)
        return f"{scheme}://{host}{path}" + (f"?{self.query}" if self.query else "")

    @property
    def headers(self) -> Headers:
        """The header fields."""
        return Headers(self.scope["headers"])

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies; of several with one name, the first."""
        return {name: values[0] for name, values in cookies(self.scope["headers"]).items()}

    @property
    def client(self) -> str | None:
        """The client's address; None if it has none. Behind proxies, it is the client's only if they are trusted."""
        return self.proxies.origin(self.scope).address

    @property
    def body(self) -> bytes:
        """The body as it was sent; b"" for none. Raises RuntimeError for uploads, forms with files and streams."""
        match self.content:
            case bytes() as body:
                return body
        raise RuntimeError(
            "multipart forms, uploads and streams are not kept as they were sent; use the argument body"
        )

    @property
    def operation_id(self) -> str:
        """The id of the operation."""
        return str(self.scope.get(OPERATION, ""))

    def accepts(self, media_type: str) -> bool:
        """Return True if the client accepts a media type (RFC 9110 section 12.5.1)."""
        return self.preferred(media_type) is not None

    def preferred(self, *media_types: str) -> str | None:
        """Return the one that the client prefers, of equal ones the first; None if it accepts none."""
        accepted = header(self.scope["headers"], b"accept")
        if accepted is None:
            return media_types[0] if media_types else None
        weights = read_accept(accepted)
        weighted = {name: weight_of(essence(name), weights) for name in media_types}
        best = max(weighted, key=weighted.__getitem__, default=None)
        return best if best is not None and weighted[best] > 0 else None


def _key(name: str) -> bytes:
    return name.lower().encode("latin-1", "replace")


CONTEXT_NAMES = ("caller", "claims")
"""The parts of a request that a `scope` may take by name; objects of the service's life are others."""


class RequestScope:
    """A package's `scope`: a generator function, sync or async, that yields a mapping of names to objects.

    What comes after its `yield` runs when the response is complete and its last byte is not yet sent. The
    exception that ends a request is raised at the `yield`. A sync one runs in threads: those that open wait for
    those that close, such as for a connection of a pool, so each have their own.
    """

    def __init__(self, function: Function, collaborators: Mapping[str, Any], threads: ThreadPools) -> None:
        self._function = function
        self._threads = threads
        accepts = accepting(function)
        self._bound = {name: one for name, one in collaborators.items() if accepts(name)}
        self._wanted = [*filter(accepts, CONTEXT_NAMES)]

    async def open(self, context: Mapping[str, Any], stack: AsyncExitStack) -> Mapping[str, Any]:
        """Return the objects of a request; `stack` closes them."""
        arguments = {**self._bound, **{name: context[name] for name in self._wanted}}
        if inspect.isasyncgenfunction(self._function):
            manager = asynccontextmanager(self._function)(**arguments)
            enter: Function = manager.__aenter__
            leave: Function = manager.__aexit__
        else:
            plain = contextmanager(self._function)(**arguments)
            enter = partial(self._threads.opening.run, plain.__enter__, partial(self._close_late, plain))
            leave = self._threads.closing.as_async(plain.__exit__)
        objects: Mapping[str, Any] = await enter()

        async def close(*error: Any) -> None:
            await leave(*error)  # every exception passes, because a request needs a response

        stack.push_async_exit(close)
        return objects

    def _close_late(self, manager: AbstractContextManager[Any], opened: Future[Any]) -> None:
        """Close what was opened for a request that has ended in the meantime."""
        if not opened.cancelled() and opened.exception() is None:
            ended = CancelledError()
            self._threads.closing.begin(lambda: manager.__exit__(CancelledError, ended, None))


def scope_problem(function: Any) -> str | None:
    """Return what is wrong with an exported `scope`; None if it can be used."""
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return None
    return "must be a function with a `yield` of a mapping of names to objects"
