"""Tokens that prove nothing, each wrong in one way (RFC 8725, "JSON Web Token Best Current Practices")."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jwt

from .token_factory import SCOPE_CLAIMS, CannotBuild, TokenFactory, as_json, joined, stranger

REGISTERED = SCOPE_CLAIMS | {"iss", "aud", "exp", "nbf", "iat", "jti"}
"""Claims with cases of their own, or that nobody has to look at."""

_STRANGER = "https://stranger.example"
_NOWHERE = "http://127.0.0.1:9/keys"  # the port of the discard service, which nobody runs
_LONG = 8193  # bytes

Make = Callable[[TokenFactory], str | None]
"""Makes a token; None where it would not be wrong. Raises CannotBuild."""


def oversized() -> str:
    """Return a token that is too large to be read with care, and proves nothing."""
    return joined(b'{"alg": "HS256", "typ": "JWT"}', b"{}", bytes(_LONG))


def _now() -> int:
    return int(time.time())


def _secret_only(mint: TokenFactory, algorithm: str) -> str | None:
    """Sign with the right secret and the wrong algorithm, where the key is a secret."""
    if mint.header["alg"] != "HS256":
        return None
    if mint.signer is None:
        raise CannotBuild("set RELAY_JWT_SECRET")
    return mint.forged(algorithm, mint.signer.key)


def _strange(mint: TokenFactory, algorithm: str) -> str | None:
    """Sign with another kind of key than the service has."""
    return mint.forged(algorithm) if mint.header["alg"] != algorithm else None


def _confused(mint: TokenFactory, text: Callable[[str], str]) -> str | None:
    """Sign with the public key for a secret, where the key is none."""
    if mint.public_pem is None:
        if mint.header["alg"] == "HS256":
            return None
        raise CannotBuild("set RELAY_JWT_PUBLIC_KEY or RELAY_JWT_JWKS")
    return mint.forged("HS256", text(mint.public_pem).encode())


def _jwk() -> Any:
    return json.loads(jwt.algorithms.ECAlgorithm.to_jwk(stranger("ES256").public_key()))


TOKENS: dict[str, Make] = {
    "malformed token": lambda _: "malformed",
    "token whose segments are not base64": lambda _: "a~b.c~d.e~f",
    "token whose header is not JSON": lambda _: joined(b"header", b"{}", b"signature"),
    "token whose header is no object": lambda _: joined(b"[]", b"{}", b"signature"),
    "token of {who} whose payload is not JSON": lambda mint: mint.sealed(b"payload"),
    "token of {who} whose payload is not UTF-8": lambda mint: mint.sealed(b'{"sub": "\xff"}'),
    "token of {who} whose payload is no object": lambda mint: mint.sealed(b"[]"),
    "token of {who} of two segments": lambda mint: ".".join(mint.segments[:2]),
    "token of {who} of four segments": lambda mint: ".".join([*mint.segments, "AAAA"]),
    "token of {who} without a signature": lambda mint: ".".join([*mint.segments[:2], ""]),
    "token of {who} with half a signature": lambda mint: mint.halved,
    "token of {who} with the claims of somebody else": lambda mint: mint.tampered,
    "token of {who} signed with another key": lambda mint: mint.forged(mint.header["alg"]),
    **{
        f"token of {{who}} with alg {name}{told}": partial(
            TokenFactory.unsigned, algorithm=name, signature=signature
        )
        for name in ("none", "NONE", "nOnE")
        for told, signature in (("", b""), (" and a signature", b"signature"))
    },
    **{
        f"token of {{who}} signed with {name}": partial(_secret_only, algorithm=name)
        for name in ("HS384", "HS512")
    },
    "token of {who} signed with the public key": lambda mint: _confused(mint, str),
    "token of {who} signed with the public key without its last newline": lambda mint: _confused(
        mint, str.rstrip
    ),
    **{
        f"token of {{who}} signed by a stranger with {name}": partial(_strange, algorithm=name)
        for name in ("HS256", "RS256", "ES256")
    },
    "token of {who} that brings its own key": lambda mint: mint.forged("ES256", jwk=_jwk()),
    "token of {who} whose kid is a path": lambda mint: mint.forged(
        "HS256", b"", kid="../../../../../../../../dev/null"
    ),
    "token of {who} whose kid is SQL": lambda mint: mint.forged(
        "HS256", b"stranger", kid="' UNION SELECT 'stranger' -- "
    ),
    "token of {who} whose jku leads elsewhere": lambda mint: mint.forged("ES256", jku=_NOWHERE),
    "token of {who} whose x5u leads elsewhere": lambda mint: mint.forged("ES256", x5u=_NOWHERE),
    "token of {who} with an unknown critical header": lambda mint: mint.sealed(
        as_json(mint.claims), crit=["x-stranger"], **{"x-stranger": True}
    ),
    "expired token of {who}": lambda mint: mint.signed(iat=_now() - 7200, exp=_now() - 3600),
    "token of {who} that is not valid yet": lambda mint: mint.signed(nbf=_now() + 1800),
    "token of {who} without exp": lambda mint: mint.without("exp"),
    "token of {who} whose exp is text": lambda mint: mint.signed(exp=str(_now() + 1800)),
    "token of {who} whose exp is negative": lambda mint: mint.signed(exp=-1),
    "token of {who} whose exp is too large for a number": lambda mint: mint.sealed(
        as_json({**mint.claims, "exp": "@"}).replace(b'"@"', b"1e400")
    ),
    "token of {who} of another issuer": lambda mint: (
        mint.signed(iss=_STRANGER) if "iss" in mint.claims else None
    ),
    "token of {who} without iss": lambda mint: mint.without("iss") if "iss" in mint.claims else None,
    "token of {who} meant for somebody else": lambda mint: mint.signed(aud=_STRANGER),
    "token of {who} without aud": lambda mint: mint.without("aud") if "aud" in mint.claims else None,
}
"""By name, in which `{who}` stands for the name of the identity."""

_MISTYPED: dict[str, Callable[[Any], Any]] = {
    "a number": lambda _: 7,
    "a list": lambda value: [value],
    "an object": lambda value: {"value": value},
    "null": lambda _: None,
    "empty": lambda _: "",
}


def tokens(mint: TokenFactory) -> Iterator[tuple[str, Make]]:
    """Return every forged token: those that anybody can have, and those that lack a claim of their owner's."""
    yield from TOKENS.items()
    for claim in sorted(mint.own.keys() - REGISTERED):
        yield f"token of {{who}} without {claim}", partial(TokenFactory.without, name=claim)
        for told, change in _MISTYPED.items():
            value = change(mint.own[claim])
            if value == "" or type(value) is not type(mint.own[claim]):
                yield (
                    f"token of {{who}} whose {claim} is {told}",
                    partial(TokenFactory.signed, **{claim: value}),
                )
