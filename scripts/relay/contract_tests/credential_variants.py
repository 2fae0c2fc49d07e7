"""Invalid credentials in a request: forged, in the wrong place, repeated, or incomplete."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.server.security import JWT_TYPES, scheme_type

from .contract_config import FILE
from .credentials import authorized, carrying, with_query
from .exchanges import Request
from .invalid_tokens import Make, oversized, tokens
from .token_factory import CannotBuild, TokenFactory

UNAUTHENTICATED = (401,)
_MALFORMED = (401, 400)  # RFC 6750 section 3.1, invalid_request: malformed, or sent in more than one way
_TOO_LARGE = (401, 400, 431)  # RFC 6585 section 5; many proxies respond 400


@dataclass(frozen=True)
class AuthContext:
    """A request that lacks only the credential of one scheme, and the valid credential, if it is known."""

    request: Request
    scheme: Mapping[str, Any]
    name: str
    factory: TokenFactory
    known_value: str | None = field(default=None, repr=False)

    @property
    def value(self) -> str:
        """A valid credential; raises CannotBuild."""
        if scheme_type(self.scheme) in JWT_TYPES:
            return self.factory.token
        if self.known_value is None:
            raise CannotBuild(
                f"name a variable with a credential for {self.name} under `variables` of an identity in {FILE}, "
                "and set it"
            )
        return self.known_value

    def authorized(self, *values: str) -> Request:
        """Return the request with these Authorization headers."""
        return authorized(self.request, *values)

    def carrying(self, *values: str) -> Request:
        """Return the request with these credentials where the scheme expects them."""
        request = self.request
        for value in values:
            request = carrying(request, self.scheme, value)
        return request


@dataclass(frozen=True, slots=True)
class CredentialVariant:
    """One kind of invalid credential; `build` returns None if it would be valid, and raises CannotBuild.

    `is_absent` is True if it counts as no credential; `expected` are the correct statuses.
    """

    name: str
    build: Callable[[AuthContext], Request | None]
    is_absent: bool = False
    expected: tuple[int, ...] = UNAUTHENTICATED


_BEARER = (
    CredentialVariant("empty Authorization header", lambda context: context.authorized(""), is_absent=True),
    # "Bearer " is the same on the wire: whitespace at the end is not part of the value (RFC 9110 section 5.5).
    CredentialVariant(
        "Bearer without a token", lambda context: context.authorized("Bearer"), expected=_MALFORMED
    ),
    CredentialVariant(
        "token of {who} as Basic",
        lambda context: context.authorized(f"Basic {context.value}"),
        is_absent=True,
    ),
    CredentialVariant(
        "token of {who} without the word Bearer",
        lambda context: context.authorized(context.value),
        is_absent=True,
    ),
    CredentialVariant(
        "two Authorization headers with the token of {who}",
        lambda context: context.carrying(context.value, context.value),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "token of {who} and a second Authorization header",
        lambda context: context.carrying(context.value, "malformed"),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "token of {who} in the second Authorization header",
        lambda context: context.carrying("malformed", context.value),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "two tokens of {who} in one header",
        lambda context: context.carrying(f"{context.value}, {context.value}"),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "token of {who} in the query",
        lambda context: with_query(context.request, "access_token", context.value),
        is_absent=True,
    ),
    CredentialVariant(
        "token of {who} in a cookie",
        lambda context: context.request.with_headers(
            [("Cookie", "; ".join(f"{name}={context.value}" for name in ("access_token", "token", "jwt")))]
        ),
        is_absent=True,
    ),
    CredentialVariant(
        "token of more than 8 KiB", lambda context: context.carrying(oversized()), expected=_TOO_LARGE
    ),
)

_OTHER_LOCATION = {"header": "query", "query": "header", "cookie": "header"}

_API_KEY = (
    CredentialVariant("empty key", lambda context: context.carrying(""), is_absent=True),
    CredentialVariant("wrong key", lambda context: context.carrying("a-key-that-nobody-has-given-out")),
    CredentialVariant("key of {who} cut short", lambda context: context.carrying(context.value[:-1])),
    CredentialVariant(
        "key of {who} and one more character", lambda context: context.carrying(f"{context.value}x")
    ),
    CredentialVariant(
        "key of {who} sent twice",
        lambda context: context.carrying(context.value, context.value),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "key of {who} in the wrong place",
        lambda context: carrying(
            context.request, {**context.scheme, "in": _OTHER_LOCATION[context.scheme["in"]]}, context.value
        ),
        is_absent=True,
    ),
)

_BASIC = (
    CredentialVariant("empty Authorization header", lambda context: context.authorized(""), is_absent=True),
    CredentialVariant(
        "Basic without a credential", lambda context: context.authorized("Basic"), expected=_MALFORMED
    ),
    CredentialVariant(
        "Basic that is not base64", lambda context: context.authorized("Basic ~~~~"), expected=_MALFORMED
    ),
    CredentialVariant(
        "user without a password",
        lambda context: context.authorized(f"Basic {_base64('somebody')}"),
        expected=_MALFORMED,
    ),
    CredentialVariant("unknown user", lambda context: context.carrying("nobody-of-this-name:password")),
    CredentialVariant("password of {who} cut short", lambda context: context.carrying(context.value[:-1])),
    CredentialVariant(
        "password of {who} as Bearer",
        lambda context: context.authorized(f"Bearer {_base64(context.value)}"),
        is_absent=True,
    ),
    CredentialVariant(
        "password of {who} sent twice",
        lambda context: context.carrying(context.value, context.value),
        expected=_MALFORMED,
    ),
)

_OTHER = (
    CredentialVariant("empty Authorization header", lambda context: context.authorized(""), is_absent=True),
    CredentialVariant("wrong credential", lambda context: context.carrying("wrong")),
)


def credential_variants(context: AuthContext) -> Iterator[CredentialVariant]:
    """Yield every kind of invalid credential of a scheme."""
    match scheme_type(context.scheme):
        case "apiKey":
            yield from _API_KEY
        case "http basic":
            yield from _BASIC
        case kind if kind in JWT_TYPES:
            yield from _BEARER
            for name, make in tokens(context.factory):
                yield CredentialVariant(name, _bearing(make))
        case _:
            yield from _OTHER


def _bearing(make: Make) -> Callable[[AuthContext], Request | None]:
    def build(context: AuthContext) -> Request | None:
        token = make(context.factory)
        return None if token is None else context.carrying(token)

    return build


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
