"""Bad credentials as a request shows them: forged, misplaced, twice, half."""

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
_MALFORMED = (401, 400)  # RFC 6750 section 3.1, invalid_request: malformed, or shown in more than one way
_TOO_LARGE = (401, 400, 431)  # RFC 6585 section 5; many a proxy says 400


@dataclass(frozen=True)
class AuthContext:
    """A request that shows all that it needs but the credential of one scheme, and that, if it is known."""

    request: Request
    scheme: Mapping[str, Any]
    name: str
    mint: TokenFactory
    known_value: str | None = field(default=None, repr=False)

    @property
    def value(self) -> str:
        """A good credential; raises CannotBuild."""
        if scheme_type(self.scheme) in JWT_TYPES:
            return self.mint.token
        if self.known_value is None:
            told = f"name a variable that holds a credential for {self.name} under `variables` of an identity in {FILE}"
            raise CannotBuild(f"{told}, and set it")
        return self.known_value

    def authorized(self, *values: str) -> Request:
        """Return the request with these Authorization headers."""
        return authorized(self.request, *values)

    def carrying(self, *values: str) -> Request:
        """Return the request with these credentials where the scheme has one."""
        request = self.request
        for value in values:
            request = carrying(request, self.scheme, value)
        return request


@dataclass(frozen=True, slots=True)
class CredentialVariant:
    """One way to show a bad credential; `show` raises CannotBuild, and returns None where it would not be bad.

    `is_silent` says that it counts as showing nothing, `expected` what has to be answered.
    """

    name: str
    show: Callable[[AuthContext], Request | None]
    is_silent: bool = False
    expected: tuple[int, ...] = UNAUTHENTICATED


_BEARER = (
    CredentialVariant("empty Authorization header", lambda stage: stage.authorized(""), is_silent=True),
    # "Bearer " is the same on the wire: space at a value's end is none of it (RFC 9110 section 5.5).
    CredentialVariant(
        "Bearer without a token", lambda stage: stage.authorized("Bearer"), expected=_MALFORMED
    ),
    CredentialVariant(
        "token of {who} as Basic", lambda stage: stage.authorized(f"Basic {stage.value}"), is_silent=True
    ),
    CredentialVariant(
        "token of {who} without the word Bearer", lambda stage: stage.authorized(stage.value), is_silent=True
    ),
    CredentialVariant(
        "two Authorization headers with the token of {who}",
        lambda stage: stage.carrying(stage.value, stage.value),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "token of {who} and a second Authorization header",
        lambda stage: stage.carrying(stage.value, "malformed"),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "token of {who} in the second Authorization header",
        lambda stage: stage.carrying("malformed", stage.value),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "two tokens of {who} in one header",
        lambda stage: stage.carrying(f"{stage.value}, {stage.value}"),
        expected=_MALFORMED,
    ),
    CredentialVariant(
        "token of {who} in the query",
        lambda stage: with_query(stage.request, "access_token", stage.value),
        is_silent=True,
    ),
    CredentialVariant(
        "token of {who} in a cookie",
        lambda stage: stage.request.with_headers(
            [("Cookie", "; ".join(f"{name}={stage.value}" for name in ("access_token", "token", "jwt")))]
        ),
        is_silent=True,
    ),
    CredentialVariant(
        "token of more than 8 KiB", lambda stage: stage.carrying(oversized()), expected=_TOO_LARGE
    ),
)

_ELSEWHERE = {"header": "query", "query": "header", "cookie": "header"}

_API_KEY = (
    CredentialVariant("empty key", lambda stage: stage.carrying(""), is_silent=True),
    CredentialVariant("wrong key", lambda stage: stage.carrying("a-key-that-nobody-has-given-out")),
    CredentialVariant("key of {who} cut short", lambda stage: stage.carrying(stage.value[:-1])),
    CredentialVariant("key of {who} and one more character", lambda stage: stage.carrying(f"{stage.value}x")),
    CredentialVariant(
        "key of {who} sent twice", lambda stage: stage.carrying(stage.value, stage.value), expected=_MALFORMED
    ),
    CredentialVariant(
        "key of {who} in the wrong place",
        lambda stage: carrying(
            stage.request, {**stage.scheme, "in": _ELSEWHERE[stage.scheme["in"]]}, stage.value
        ),
        is_silent=True,
    ),
)

_BASIC = (
    CredentialVariant("empty Authorization header", lambda stage: stage.authorized(""), is_silent=True),
    CredentialVariant(
        "Basic without a credential", lambda stage: stage.authorized("Basic"), expected=_MALFORMED
    ),
    CredentialVariant(
        "Basic that is not base64", lambda stage: stage.authorized("Basic ~~~~"), expected=_MALFORMED
    ),
    CredentialVariant(
        "user without a password",
        lambda stage: stage.authorized(f"Basic {_base64('somebody')}"),
        expected=_MALFORMED,
    ),
    CredentialVariant("unknown user", lambda stage: stage.carrying("nobody-of-this-name:password")),
    CredentialVariant("password of {who} cut short", lambda stage: stage.carrying(stage.value[:-1])),
    CredentialVariant(
        "password of {who} as Bearer",
        lambda stage: stage.authorized(f"Bearer {_base64(stage.value)}"),
        is_silent=True,
    ),
    CredentialVariant(
        "password of {who} sent twice",
        lambda stage: stage.carrying(stage.value, stage.value),
        expected=_MALFORMED,
    ),
)

_OTHER = (
    CredentialVariant("empty Authorization header", lambda stage: stage.authorized(""), is_silent=True),
    CredentialVariant("wrong credential", lambda stage: stage.carrying("wrong")),
)


def presentations(stage: AuthContext) -> Iterator[CredentialVariant]:
    """Return every way to show a bad credential of a scheme."""
    match scheme_type(stage.scheme):
        case "apiKey":
            yield from _API_KEY
        case "http basic":
            yield from _BASIC
        case kind if kind in JWT_TYPES:
            yield from _BEARER
            for name, make in tokens(stage.mint):
                yield CredentialVariant(name, _bearing(make))
        case _:
            yield from _OTHER


def _bearing(make: Make) -> Callable[[AuthContext], Request | None]:
    def show(stage: AuthContext) -> Request | None:
        token = make(stage.mint)
        return None if token is None else stage.carrying(token)

    return show


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
