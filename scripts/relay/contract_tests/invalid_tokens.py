"""Invalid tokens, each wrong in one way (RFC 8725, "JSON Web Token Best Current Practices")."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jwt

from .token_factory import SCOPE_CLAIMS, TokenFactory, as_json, joined, unknown_key

REGISTERED = SCOPE_CLAIMS | {"iss", "aud", "exp", "nbf", "iat", "jti"}
"""Claims that have their own cases, or that a service need not check."""

_STRANGER = "https://stranger.example"
_NOWHERE = "http://127.0.0.1:9/keys"  # the discard port, on which no server listens
_LONG = 8193  # bytes

Make = Callable[[TokenFactory], str | None]
"""Builds a token; None if it would be valid. Raises CannotBuild."""


def oversized() -> str:
    """Return an invalid token of more than 8 KiB, which a service should not parse."""
    return joined(b'{"alg": "HS256", "typ": "JWT"}', b"{}", bytes(_LONG))


def _now() -> int:
    return int(time.time())


def _secret_only(factory: TokenFactory, algorithm: str) -> str | None:
    """Sign with the right secret and the wrong algorithm, if the service uses a secret."""
    if factory.header["alg"] != "HS256":
        return None
    if factory.signer is None:
        raise factory.without_key("set RELAY_JWT_SECRET")
    return factory.forged(algorithm, factory.signer.key)


def _other_key_type(factory: TokenFactory, algorithm: str) -> str | None:
    """Sign with another kind of key than the service uses."""
    return factory.forged(algorithm) if factory.header["alg"] != algorithm else None


def _public_key_as_secret(factory: TokenFactory, text: Callable[[str], str]) -> str | None:
    """Sign with the public key as an HMAC secret, if the service uses a public key."""
    if factory.public_pem is None:
        if factory.header["alg"] == "HS256":
            return None
        raise factory.without_key("set RELAY_JWT_PUBLIC_KEY or RELAY_JWT_JWKS")
    return factory.forged("HS256", text(factory.public_pem).encode())


def _jwk() -> Any:
    return json.loads(jwt.algorithms.ECAlgorithm.to_jwk(unknown_key("ES256").public_key()))


TOKENS: dict[str, Make] = {
    "malformed token": lambda _: "malformed",
    "token whose segments are not base64": lambda _: "a~b.c~d.e~f",
    "token whose header is not JSON": lambda _: joined(b"header", b"{}", b"signature"),
    "token whose header is no object": lambda _: joined(b"[]", b"{}", b"signature"),
    "token of {who} whose payload is not JSON": lambda factory: factory.sign_payload(b"payload"),
    "token of {who} whose payload is not UTF-8": lambda factory: factory.sign_payload(b'{"sub": "\xff"}'),
    "token of {who} whose payload is no object": lambda factory: factory.sign_payload(b"[]"),
    "token of {who} of two segments": lambda factory: ".".join(factory.segments[:2]),
    "token of {who} of four segments": lambda factory: ".".join([*factory.segments, "AAAA"]),
    "token of {who} without a signature": lambda factory: ".".join([*factory.segments[:2], ""]),
    "token of {who} with half a signature": lambda factory: factory.halved,
    "token of {who} with the claims of somebody else": lambda factory: factory.tampered,
    "token of {who} signed with another key": lambda factory: factory.forged(factory.header["alg"]),
    **{
        f"token of {{who}} with alg {name}{suffix}": partial(
            TokenFactory.unsigned, algorithm=name, signature=signature
        )
        for name in ("none", "NONE", "nOnE")
        for suffix, signature in (("", b""), (" and a signature", b"signature"))
    },
    **{
        f"token of {{who}} signed with {name}": partial(_secret_only, algorithm=name)
        for name in ("HS384", "HS512")
    },
    "token of {who} signed with the public key": lambda factory: _public_key_as_secret(factory, str),
    "token of {who} signed with the public key without its last newline": lambda factory: (
        _public_key_as_secret(factory, str.rstrip)
    ),
    **{
        f"token of {{who}} signed by a stranger with {name}": partial(_other_key_type, algorithm=name)
        for name in ("HS256", "RS256", "ES256")
    },
    "token of {who} that brings its own key": lambda factory: factory.forged("ES256", jwk=_jwk()),
    "token of {who} whose kid is a path": lambda factory: factory.forged(
        "HS256", b"", kid="../../../../../../../../dev/null"
    ),
    "token of {who} whose kid is SQL": lambda factory: factory.forged(
        "HS256", b"stranger", kid="' UNION SELECT 'stranger' -- "
    ),
    "token of {who} whose jku leads elsewhere": lambda factory: factory.forged("ES256", jku=_NOWHERE),
    "token of {who} whose x5u leads elsewhere": lambda factory: factory.forged("ES256", x5u=_NOWHERE),
    "token of {who} with an unknown critical header": lambda factory: factory.sign_payload(
        as_json(factory.claims), crit=["x-stranger"], **{"x-stranger": True}
    ),
    "expired token of {who}": lambda factory: factory.signed(iat=_now() - 7200, exp=_now() - 3600),
    "token of {who} that is not valid yet": lambda factory: factory.signed(nbf=_now() + 1800),
    "token of {who} without exp": lambda factory: factory.without("exp"),
    "token of {who} whose exp is text": lambda factory: factory.signed(exp=str(_now() + 1800)),
    "token of {who} whose exp is negative": lambda factory: factory.signed(exp=-1),
    "token of {who} whose exp is too large for a number": lambda factory: factory.sign_payload(
        as_json({**factory.claims, "exp": "@"}).replace(b'"@"', b"1e400")
    ),
    "token of {who} of another issuer": lambda factory: (
        factory.signed(iss=_STRANGER) if "iss" in factory.claims else None
    ),
    "token of {who} without iss": lambda factory: factory.without("iss") if "iss" in factory.claims else None,
    "token of {who} meant for somebody else": lambda factory: factory.signed(aud=_STRANGER),
    "token of {who} without aud": lambda factory: factory.without("aud") if "aud" in factory.claims else None,
}
"""Builders by case name; `{who}` stands for the name of the identity. The names are stable: users match on them."""

_MISTYPED: dict[str, Callable[[Any], Any]] = {
    "a number": lambda _: 7,
    "a list": lambda value: [value],
    "an object": lambda value: {"value": value},
    "null": lambda _: None,
    "empty": lambda _: "",
}


def tokens(factory: TokenFactory) -> Iterator[tuple[str, Make]]:
    """Yield every invalid token by case name: the common ones, and those with a bad claim of the identity."""
    yield from TOKENS.items()
    for claim in sorted(factory.own.keys() - REGISTERED):
        yield f"token of {{who}} without {claim}", partial(TokenFactory.without, name=claim)
        for kind, change in _MISTYPED.items():
            value = change(factory.own[claim])
            if value == "" or type(value) is not type(factory.own[claim]):
                yield (
                    f"token of {{who}} whose {claim} is {kind}",
                    partial(TokenFactory.signed, **{claim: value}),
                )
