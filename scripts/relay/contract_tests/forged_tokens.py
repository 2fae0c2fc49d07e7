"""Invalid tokens, each wrong in one way (RFC 8725, "JSON Web Token Best Current Practices")."""

# One module: the table is long because each token is wrong in one way only.

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.utils import base64url_encode

from relay.server.security import JWT_TYPES, scheme_type

from .contract_config import FILE
from .credentials import Signer, authorized, carrying, claims_of
from .exchanges import Request

NO_KEY = "set RELAY_JWT_SECRET or RELAY_JWT_PRIVATE_KEY"
_VARIABLE = f"name a variable that holds a token under `variables` of an identity in {FILE}"
BY_FUNCTION = f"a function verifies these tokens; {_VARIABLE}"
UNSIGNED = "a function verifies these tokens, so Relay signs none"

SCOPE_CLAIMS = frozenset(["scope", "scp", "scopes"])
"""Claims that contain scopes: RFC 8693 section 4.2, and other common names."""

_REGISTERED = SCOPE_CLAIMS | {"iss", "aud", "exp", "nbf", "iat", "jti"}
"""Claims that have their own cases, or that a service need not check."""

_STRANGER = "https://stranger.example"
_NOWHERE = "http://127.0.0.1:9/keys"  # the discard port, on which no server listens


class CannotBuild(Exception):
    """An input of a case is missing; the message says what to set."""


@dataclass(frozen=True)
class AuthContext:
    """A request that lacks only the credential of one scheme, and what is known to forge one.

    `known` is the valid credential. `own` are the claims that identify the caller, `other` those of another
    identity. `is_function` is True if a function verifies these tokens. Properties and methods raise CannotBuild.
    """

    request: Request
    scheme: Mapping[str, Any]
    name: str
    known: str | None = field(default=None, repr=False)
    signer: Signer | None = None
    public_pem: str | None = None
    known_claims: Mapping[str, Any] | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)
    is_function: bool = False

    @property
    def value(self) -> str:
        """A valid credential."""
        if self.known is not None:
            return self.known
        if scheme_type(self.scheme) in JWT_TYPES:
            raise CannotBuild(BY_FUNCTION if self.is_function else f"{NO_KEY}, or {_VARIABLE}")
        raise CannotBuild(
            f"name a variable with a credential for {self.name} under `variables` of an identity in {FILE}, "
            "and set it"
        )

    def authorized(self, value: str) -> Request:
        """Return the request with an Authorization header."""
        return authorized(self.request, value)

    def carrying(self, *values: str) -> Request:
        """Return the request with these credentials where the scheme expects them."""
        request = self.request
        for value in values:
            request = carrying(request, self.scheme, value)
        return request

    @property
    def segments(self) -> list[str]:
        """The segments of a valid token."""
        found = self.value.split(".")
        if len(found) != 3:
            raise CannotBuild("the token in the environment is not a JWT, so it cannot be forged; set a JWT")
        return found

    @cached_property
    def claims(self) -> Mapping[str, Any]:
        """The claims of a valid token."""
        claims = self.known_claims
        if claims is None and self.known is not None:
            claims = claims_of(self.known)
        if claims is None:
            raise CannotBuild(f"give an identity that signs in `claims` in {FILE}")
        return claims

    @cached_property
    def header(self) -> Mapping[str, Any]:
        """The header of a valid token, or a guess if it is not known."""
        if self.signer is not None:
            return self.signer.header
        try:
            header: Mapping[str, Any] = jwt.get_unverified_header(self.known or "")
        except jwt.PyJWTError:
            header = {}
        if header.get("alg") in jwt.algorithms.get_default_algorithms():
            return header
        return {"alg": "RS256" if self.public_pem else "HS256", "typ": "JWT"}

    def without_key(self, hint: str) -> CannotBuild:
        """Return the error for a token that no key signs; `hint` says which one to set, if that is a way."""
        return CannotBuild(UNSIGNED if self.is_function else hint)

    def sign_payload(self, payload: bytes, **header: Any) -> str:
        """Return a token for a payload, signed with the service's key."""
        if self.signer is None:
            raise self.without_key(NO_KEY)
        return _compact({**self.signer.header, **header}, payload, self.signer.key)

    def signed(self, /, **changes: Any) -> str:
        """Return a token signed with the service's key, with added or changed claims."""
        return self.sign_payload(_json({**self.claims, **changes}))

    def without(self, name: str) -> str:
        """Return a token signed with the service's key, without one claim."""
        return self.sign_payload(_json({key: value for key, value in self.claims.items() if key != name}))

    def forged(self, algorithm: str, key: Any = None, **header: Any) -> str:
        """Return a token with valid claims, signed with `key` or a key that no service knows."""
        key = _unknown_key(algorithm) if key is None else key
        return _compact({**self.header, "alg": algorithm, **header}, _json(self.claims), key)


Make = Callable[[AuthContext], Request | str | None]
"""Builds a request, or the credential that it carries; None if it would be valid. Raises CannotBuild."""


def _compact(header: Mapping[str, Any], payload: bytes, key: Any) -> str:
    signed = joined(_json(header), payload).removesuffix(".")
    signature = jwt.get_algorithm_by_name(header["alg"]).sign(signed.encode(), key)
    return f"{signed}.{base64url_encode(signature).decode()}"


def joined(header: bytes, payload: bytes, signature: bytes = b"") -> str:
    """Return the three segments of a token in compact form (RFC 7515 section 7.1)."""
    return b".".join(map(base64url_encode, [header, payload, signature])).decode()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@cache
def _unknown_key(algorithm: str) -> Any:
    match algorithm[:2]:
        case "RS" | "PS":
            return rsa.generate_private_key(65537, 2048)
        case "ES":
            return ec.generate_private_key(ec.SECP256R1())
        case "Ed":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return b"the secret of a stranger is as long as any other secret that signs tokens"


def _now() -> int:
    return int(time.time())


def _unsigned(auth: AuthContext, algorithm: str, signature: bytes) -> str:
    return joined(_json({**auth.header, "alg": algorithm}), _json(auth.claims), signature)


def _halved(auth: AuthContext) -> str:
    head, payload, signature = auth.segments
    return ".".join([head, payload, signature[: len(signature) // 8 * 4]])  # four characters are three bytes


def _tampered(auth: AuthContext) -> str:
    head, _, signature = auth.segments
    claims = {**auth.claims, **auth.other}
    if claims == auth.claims:
        claims["sub"] = "somebody-else"
    return ".".join([head, base64url_encode(_json(claims)).decode(), signature])


def _secret_only(auth: AuthContext, algorithm: str) -> str | None:
    if auth.header["alg"] != "HS256":
        return None
    if auth.signer is None:
        raise auth.without_key("set RELAY_JWT_SECRET")
    return auth.forged(algorithm, auth.signer.key)


def _public_key_as_secret(auth: AuthContext, text: Callable[[str], str]) -> str | None:
    """Sign with the public key as an HMAC secret, if the service uses a public key."""
    if auth.public_pem is not None:
        return auth.forged("HS256", text(auth.public_pem).encode())
    if auth.header["alg"] == "HS256":
        return None
    raise auth.without_key("set RELAY_JWT_PUBLIC_KEY or RELAY_JWT_JWKS")


def _other_key_type(auth: AuthContext, algorithm: str) -> str | None:
    return auth.forged(algorithm) if auth.header["alg"] != algorithm else None


def _jwk() -> Any:
    return json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_unknown_key("ES256").public_key()))


TOKENS: dict[str, Make] = {
    "malformed token": lambda _: "malformed",
    "token whose segments are not base64": lambda _: "a~b.c~d.e~f",
    "token whose header is not JSON": lambda _: joined(b"header", b"{}", b"signature"),
    "token whose header is no object": lambda _: joined(b"[]", b"{}", b"signature"),
    "token of {who} whose payload is not JSON": lambda auth: auth.sign_payload(b"payload"),
    "token of {who} whose payload is not UTF-8": lambda auth: auth.sign_payload(b'{"sub": "\xff"}'),
    "token of {who} whose payload is no object": lambda auth: auth.sign_payload(b"[]"),
    "token of {who} of two segments": lambda auth: ".".join(auth.segments[:2]),
    "token of {who} of four segments": lambda auth: ".".join([*auth.segments, "AAAA"]),
    "token of {who} without a signature": lambda auth: ".".join([*auth.segments[:2], ""]),
    "token of {who} with half a signature": _halved,
    "token of {who} with the claims of somebody else": _tampered,
    "token of {who} signed with another key": lambda auth: auth.forged(auth.header["alg"]),
    **{
        f"token of {{who}} with alg {name}{suffix}": partial(_unsigned, algorithm=name, signature=signature)
        for name in ("none", "NONE", "nOnE")
        for suffix, signature in (("", b""), (" and a signature", b"signature"))
    },
    "token of {who} signed with HS384": partial(_secret_only, algorithm="HS384"),
    "token of {who} signed with HS512": partial(_secret_only, algorithm="HS512"),
    "token of {who} signed with the public key": partial(_public_key_as_secret, text=str),
    "token of {who} signed with the public key without its last newline": partial(
        _public_key_as_secret, text=str.rstrip
    ),
    **{
        f"token of {{who}} signed by a stranger with {name}": partial(_other_key_type, algorithm=name)
        for name in ("HS256", "RS256", "ES256")
    },
    "token of {who} that brings its own key": lambda auth: auth.forged("ES256", jwk=_jwk()),
    "token of {who} whose kid is a path": lambda auth: auth.forged(
        "HS256", b"", kid="../../../../../../../../dev/null"
    ),
    "token of {who} whose kid is SQL": lambda auth: auth.forged(
        "HS256", b"stranger", kid="' UNION SELECT 'stranger' -- "
    ),
    "token of {who} whose jku leads elsewhere": lambda auth: auth.forged("ES256", jku=_NOWHERE),
    "token of {who} whose x5u leads elsewhere": lambda auth: auth.forged("ES256", x5u=_NOWHERE),
    "token of {who} with an unknown critical header": lambda auth: auth.sign_payload(
        _json(auth.claims), crit=["x-stranger"], **{"x-stranger": True}
    ),
    "expired token of {who}": lambda auth: auth.signed(iat=_now() - 7200, exp=_now() - 3600),
    "token of {who} that is not valid yet": lambda auth: auth.signed(nbf=_now() + 1800),
    "token of {who} without exp": lambda auth: auth.without("exp"),
    "token of {who} whose exp is text": lambda auth: auth.signed(exp=str(_now() + 1800)),
    "token of {who} whose exp is negative": lambda auth: auth.signed(exp=-1),
    "token of {who} whose exp is too large for a number": lambda auth: auth.sign_payload(
        _json({**auth.claims, "exp": "@"}).replace(b'"@"', b"1e400")
    ),
    "token of {who} of another issuer": lambda auth: (
        auth.signed(iss=_STRANGER) if "iss" in auth.claims else None
    ),
    "token of {who} without iss": lambda auth: auth.without("iss") if "iss" in auth.claims else None,
    "token of {who} meant for somebody else": lambda auth: auth.signed(aud=_STRANGER),
    "token of {who} without aud": lambda auth: auth.without("aud") if "aud" in auth.claims else None,
}
"""Builders by case name; `{who}` stands for the name of the identity. The names are stable: users match on them."""

_MISTYPED: dict[str, Callable[[Any], Any]] = {
    "a number": lambda _: 7,
    "a list": lambda value: [value],
    "an object": lambda value: {"value": value},
    "null": lambda _: None,
    "empty": lambda _: "",
}


def tokens(context: AuthContext) -> Iterator[tuple[str, Make]]:
    """Yield every invalid token by case name: the common ones, and those with a bad claim of the identity."""
    yield from TOKENS.items()
    for claim in sorted(context.own.keys() - _REGISTERED):
        yield f"token of {{who}} without {claim}", partial(AuthContext.without, name=claim)
        for kind, change in _MISTYPED.items():
            value = change(context.own[claim])
            if value == "" or type(value) is not type(context.own[claim]):
                make = partial(AuthContext.signed, **{claim: value})
                yield f"token of {{who}} whose {claim} is {kind}", make
