"""Invalid credentials in a request: forged, in the wrong place, repeated, or incomplete."""

import base64
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from relay.server.security import JWT_TYPES, scheme_type

from .credentials import carrying, with_query
from .exchanges import Request
from .forged_tokens import AuthContext, Make, joined, tokens

UNAUTHENTICATED = (401,)
_MALFORMED = (401, 400)  # RFC 6750 section 3.1, invalid_request: malformed, or sent in more than one way
_TOO_LARGE = (401, 400, 431)  # RFC 6585 section 5; many proxies respond 400
_LONG = 8193  # bytes; a service should not parse a token of more than 8 KiB


class CredentialVariant(NamedTuple):
    """One kind of invalid credential; `{who}` in its name stands for the identity.

    `is_absent` is True if it counts as no credential; `expected` are the correct statuses.
    """

    name: str
    make: Make
    is_absent: bool = False
    expected: tuple[int, ...] = UNAUTHENTICATED

    def build(self, context: AuthContext) -> Request | None:
        """Return the request; None if it would be valid. Raises CannotBuild."""
        made = self.make(context)
        return context.carrying(made) if isinstance(made, str) else made


_absent = partial(CredentialVariant, is_absent=True)
_malformed = partial(CredentialVariant, expected=_MALFORMED)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_EMPTY = _absent("empty Authorization header", lambda auth: auth.authorized(""))
_BEARER = (
    _EMPTY,
    # "Bearer " is the same on the wire: whitespace at the end is not part of the value (RFC 9110 section 5.5).
    _malformed("Bearer without a token", lambda auth: auth.authorized("Bearer")),
    _absent("token of {who} as Basic", lambda auth: auth.authorized(f"Basic {auth.value}")),
    _absent("token of {who} without the word Bearer", lambda auth: auth.authorized(auth.value)),
    _malformed(
        "two Authorization headers with the token of {who}",
        lambda auth: auth.carrying(auth.value, auth.value),
    ),
    _malformed(
        "token of {who} and a second Authorization header",
        lambda auth: auth.carrying(auth.value, "malformed"),
    ),
    _malformed(
        "token of {who} in the second Authorization header",
        lambda auth: auth.carrying("malformed", auth.value),
    ),
    _malformed("two tokens of {who} in one header", lambda auth: f"{auth.value}, {auth.value}"),
    _absent("token of {who} in the query", lambda auth: with_query(auth.request, "access_token", auth.value)),
    _absent(
        "token of {who} in a cookie",
        lambda auth: auth.request.with_headers(
            [("Cookie", "; ".join(f"{name}={auth.value}" for name in ("access_token", "token", "jwt")))]
        ),
    ),
    CredentialVariant(
        "token of more than 8 KiB",
        lambda _: joined(b'{"alg": "HS256", "typ": "JWT"}', b"{}", bytes(_LONG)),
        expected=_TOO_LARGE,
    ),
)
_OTHER_LOCATION = {"header": "query", "query": "header", "cookie": "header"}
_KEYS = {
    "apiKey": (
        _absent("empty key", lambda _: ""),
        CredentialVariant("wrong key", lambda _: "a-key-that-was-never-issued"),
        CredentialVariant("key of {who} cut short", lambda auth: auth.value[:-1]),
        CredentialVariant("key of {who} and one more character", lambda auth: f"{auth.value}x"),
        _malformed("key of {who} sent twice", lambda auth: auth.carrying(auth.value, auth.value)),
        _absent(
            "key of {who} in the wrong place",
            lambda auth: carrying(
                auth.request, {**auth.scheme, "in": _OTHER_LOCATION[auth.scheme["in"]]}, auth.value
            ),
        ),
    ),
    "http basic": (
        _EMPTY,
        _malformed("Basic without a credential", lambda auth: auth.authorized("Basic")),
        _malformed("Basic that is not base64", lambda auth: auth.authorized("Basic ~~~~")),
        _malformed("user without a password", lambda auth: auth.authorized(f"Basic {_base64('somebody')}")),
        CredentialVariant("unknown user", lambda _: "no-such-user:password"),
        CredentialVariant("password of {who} cut short", lambda auth: auth.value[:-1]),
        _absent("password of {who} as Bearer", lambda auth: auth.authorized(f"Bearer {_base64(auth.value)}")),
        _malformed("password of {who} sent twice", lambda auth: auth.carrying(auth.value, auth.value)),
    ),
}
_OTHER = (_EMPTY, CredentialVariant("wrong credential", lambda _: "wrong"))


def credential_variants(context: AuthContext) -> Iterator[CredentialVariant]:
    """Yield every kind of invalid credential of a scheme."""
    kind = scheme_type(context.scheme)
    if kind in JWT_TYPES:
        yield from _BEARER
        yield from (CredentialVariant(name, make) for name, make in tokens(context))
    else:
        yield from _KEYS.get(kind, _OTHER)
