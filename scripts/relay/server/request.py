"""`relay.Request`: the request as it was sent, for handlers that need more than the contract's arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from relay.validation.http import OPERATION, HeaderList, cookies, header
from relay.validation.media_types import essence, read_accept, weight_of

from .bodies import Body
from .proxies import TrustedProxies

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
        """The body, byte for byte as it was sent; b"" for none.

        Raises RuntimeError for a form with files, for a body that the handler takes as an upload, and for a stream of
        items: they are not kept as they arrive.
        """
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
