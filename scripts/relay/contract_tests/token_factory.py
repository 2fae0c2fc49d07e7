"""Build forged tokens from a valid token's claims, with the service's key or an unknown key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.utils import base64url_encode

from .contract_config import FILE
from .credentials import Signer

NO_KEY = "set RELAY_JWT_SECRET or RELAY_JWT_PRIVATE_KEY"
_VARIABLE = f"name a variable that holds a token under `variables` of an identity in {FILE}"
NO_TOKEN = f"{NO_KEY}, or {_VARIABLE}"
BY_FUNCTION = f"a function verifies these tokens; {_VARIABLE}"
UNSIGNED = "a function verifies these tokens, so Relay signs none"
NO_CLAIMS = f"give an identity that signs in `claims` in {FILE}"

SCOPE_CLAIMS = frozenset(["scope", "scp", "scopes"])
"""Claims that contain scopes: RFC 8693 section 4.2, and other common names."""


class CannotBuild(Exception):
    """An input of a case is missing; the message says what to set."""


@dataclass(frozen=True)
class TokenFactory:
    """Builds forged tokens from the valid token of an identity and the known parts of its key.

    `own` are the claims that identify the caller, `other` those of another identity. `is_function` is True if a
    function verifies these tokens.
    """

    signer: Signer | None = None
    public_pem: str | None = None
    known_claims: Mapping[str, Any] | None = None
    known_token: str | None = field(default=None, repr=False)
    own: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)
    is_function: bool = False

    @property
    def token(self) -> str:
        """A valid token; raises CannotBuild."""
        if self.known_token is None:
            raise CannotBuild(BY_FUNCTION if self.is_function else NO_TOKEN)
        return self.known_token

    @property
    def segments(self) -> list[str]:
        """The segments of a valid token; raises CannotBuild."""
        found = self.token.split(".")
        if len(found) != 3:
            raise CannotBuild("the token in the environment is not a JWT, so it cannot be forged; set a JWT")
        return found

    @cached_property
    def claims(self) -> Mapping[str, Any]:
        """The claims of a valid token; raises CannotBuild."""
        claims = self.known_claims
        if claims is None and self.known_token is not None:
            claims = claims_of(self.known_token)
        if claims is None:
            raise CannotBuild(NO_CLAIMS)
        return claims

    @cached_property
    def header(self) -> Mapping[str, Any]:
        """The header of a valid token, or a guess if it is not known."""
        if self.signer is not None:
            return self.signer.header
        try:
            header: Mapping[str, Any] = jwt.get_unverified_header(self.known_token or "")
        except jwt.PyJWTError:
            header = {}
        if header.get("alg") in jwt.algorithms.get_default_algorithms():
            return header
        return {"alg": "RS256" if self.public_pem else "HS256", "typ": "JWT"}

    def without_key(self, hint: str) -> CannotBuild:
        """Return the error for a token that no key signs; `hint` says which one to set, if that is a way."""
        return CannotBuild(UNSIGNED if self.is_function else hint)

    def sign_payload(self, payload: bytes, **header: Any) -> str:
        """Return a token for a payload, signed with the service's key; raises CannotBuild."""
        if self.signer is None:
            raise self.without_key(NO_KEY)
        return compact({**self.signer.header, **header}, payload, self.signer.key)

    def signed(self, /, **changes: Any) -> str:
        """Return a token signed with the service's key, with added or changed claims; raises CannotBuild."""
        return self.sign_payload(as_json({**self.claims, **changes}))

    def without(self, name: str) -> str:
        """Return a token signed with the service's key, without one claim; raises CannotBuild."""
        return self.sign_payload(as_json({key: value for key, value in self.claims.items() if key != name}))

    def forged(self, algorithm: str, key: Any = None, **header: Any) -> str:
        """Return a token with valid claims, signed with `key` or an unknown key; raises CannotBuild."""
        key = unknown_key(algorithm) if key is None else key
        return compact({**self.header, "alg": algorithm, **header}, as_json(self.claims), key)

    def unsigned(self, algorithm: str, signature: bytes = b"") -> str:
        """Return a token with valid claims and without a valid signature; raises CannotBuild."""
        return joined(as_json({**self.header, "alg": algorithm}), as_json(self.claims), signature)

    @property
    def halved(self) -> str:
        """A valid token with half of its signature; raises CannotBuild."""
        head, payload, signature = self.segments
        kept = len(signature) // 8 * 4  # four characters are three bytes
        return ".".join([head, payload, signature[:kept]])

    @property
    def tampered(self) -> str:
        """A valid token whose claims were replaced by those of another identity; raises CannotBuild."""
        head, _, signature = self.segments
        claims = {**self.claims, **self.other}
        if claims == self.claims:
            claims["sub"] = "somebody-else"
        return ".".join([head, base64url_encode(as_json(claims)).decode(), signature])


def claims_of(token: str) -> Mapping[str, Any] | None:
    """Return a token's claims without verification; None if it is not a JWT."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return claims


def compact(header: Mapping[str, Any], payload: bytes, key: Any) -> str:
    """Return a token in compact form (RFC 7515 section 7.1), signed with any key by its header's algorithm."""
    signed = joined(as_json(header), payload).removesuffix(".")
    signature = jwt.get_algorithm_by_name(header["alg"]).sign(signed.encode(), key)
    return f"{signed}.{base64url_encode(signature).decode()}"


@cache
def unknown_key(algorithm: str) -> Any:
    """Return a key that no service knows; it is generated once per algorithm."""
    match algorithm[:2]:
        case "RS" | "PS":
            return rsa.generate_private_key(65537, 2048)
        case "ES":
            return ec.generate_private_key(ec.SECP256R1())
        case "Ed":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return b"the secret of a stranger is as long as any other secret that signs tokens"


def as_json(value: Any) -> bytes:
    """Return a value as JSON in UTF-8."""
    return json.dumps(value).encode()


def joined(header: bytes, payload: bytes, signature: bytes = b"") -> str:
    """Return the three segments of a token in compact form (RFC 7515 section 7.1)."""
    return b".".join(map(base64url_encode, [header, payload, signature])).decode()
