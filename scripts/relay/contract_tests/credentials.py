"""Credentials of identities: tokens signed with the service's key, and values of the environment."""

# One module: a signer has no use without the requests that carry what it signs.

import asyncio
import base64
import http.client
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract, Operation, SecurityRequirement
from relay.server.errors import Unauthenticated
from relay.server.fetching import fetch
from relay.server.keys import Key, KeysUnavailable, parse_key_set
from relay.server.request_credentials import CLIENT_CERTIFICATE
from relay.server.security import JWT_TYPES, scheme_type
from relay.server.token_minting import longest_life, with_scopes
from relay.server.tokens import token_verifier

from .contract_config import Identity
from .exchanges import Request, carrier
from .service_under_test import ContractSettings, ServiceUnderTest

TOKEN_SECONDS = 3600
_CONTROL = re.compile(r"[\0-\x1f\x7f]")  # not allowed in headers (RFC 9110 section 5.5)
_PRIVATE, _PUBLIC, _JWKS = "RELAY_JWT_PRIVATE_KEY", "RELAY_JWT_PUBLIC_KEY", "RELAY_JWT_JWKS"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, its algorithm, and its id in the service's key set."""

    key: Any = field(repr=False)
    algorithm: str
    kid: str | None = None
    type: str = "JWT"

    @property
    def header(self) -> dict[str, Any]:
        """The header of its tokens (RFC 7515 section 4)."""
        return {"alg": self.algorithm, "typ": self.type, **({"kid": self.kid} if self.kid else {})}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a token with exactly these claims."""
        return jwt.encode(dict(claims), self.key, self.algorithm, self.header)


def signer(settings: ContractSettings) -> Signer | None:
    """Return the signer of tokens that the service accepts; None without a signing key.

    Raises SetupError for a key that cannot be used, or that the service would not take for its own.
    """
    verifier = token_verifier(settings)
    type_ = settings.jwt_type or "JWT"
    if settings.jwt_secret is not None:
        return Signer(settings.jwt_secret.get_secret_value().encode(), "HS256", type=type_)
    if settings.jwt_private_key is None:
        return None
    key, algorithm = _private_key(settings.jwt_private_key.get_secret_value())
    pem = _pem(key.public_key())
    kid = next((id_ for id_, one in _key_set(settings).items() if _pem(one.key) == pem), None)
    found = Signer(key, algorithm, kid, type_)
    if verifier is not None:
        try:
            asyncio.run(verifier(found.sign(_registered(settings))))
        except Unauthenticated as exc:
            message = (
                f"it does not belong to {_PUBLIC if settings.jwt_public_key else _JWKS}; set its counterpart"
            )
            raise SetupError([Diagnostic(_PRIVATE, message)]) from exc
        except KeysUnavailable as exc:
            raise SetupError([Diagnostic(_JWKS, "the key set cannot be read")]) from exc
    return found


def _private_key(text: str) -> tuple[Any, str]:
    try:
        pem = text if "-----BEGIN" in text else Path(text).read_text("utf-8")
        key = load_pem_private_key(pem.encode(), password=None)
    except (OSError, ValueError, TypeError) as exc:
        message = "it is neither a private key in PEM without a password nor a file with one"
        raise SetupError([Diagnostic(_PRIVATE, message)]) from exc
    match key:
        case rsa.RSAPrivateKey():
            return key, "RS256"
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return key, "ES256"
        case ed25519.Ed25519PrivateKey():
            return key, "EdDSA"
    raise SetupError([Diagnostic(_PRIVATE, "it is neither RSA, nor on P-256, nor Ed25519")])


def _key_set(settings: ContractSettings) -> dict[str | None, Key]:
    """Return the keys of the service's key set by their ids; empty without a set."""
    if settings.jwt_jwks is None:
        return {}
    source = settings.jwt_jwks.get_secret_value()
    try:
        return parse_key_set(fetch(source) if "://" in source else Path(source).read_bytes())
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise SetupError([Diagnostic(_JWKS, "the key set cannot be read")]) from exc


def public_pem(settings: ContractSettings, found: Signer | None) -> str | None:
    """Return the public key that the service verifies with, in PEM; None for a secret."""
    if settings.jwt_public_key is not None:
        text = settings.jwt_public_key.get_secret_value()
        return text if "-----BEGIN" in text else Path(text).read_text("utf-8")
    if found is not None:
        return None if found.algorithm == "HS256" else _pem(found.key.public_key())
    return next((_pem(one.key) for one in _key_set(settings).values()), None)


def _pem(key: Any) -> str:
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def claims_of(token: str) -> Mapping[str, Any] | None:
    """Return a token's claims without verification; None if it is not a JWT."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return claims


def _registered(settings: ContractSettings) -> dict[str, Any]:
    now = int(time.time())
    required = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    claims = {name: value for name, value in required.items() if value}
    return {"iat": now, "exp": now + longest_life(settings, TOKEN_SECONDS), **claims}


class Credentials:
    """The credentials of a run's identities, by security scheme."""

    def __init__(self, subject: ServiceUnderTest) -> None:
        self._schemes = subject.contract.security_schemes
        self._settings = subject.settings
        self._by_function = subject.by_function
        self.identities = subject.config.identities
        _check_variables(self.identities)
        self.signer = signer(subject.settings)
        self.public_pem = public_pem(subject.settings, self.signer)

    def unset(self) -> list[str]:
        """Return a line for each variable that an identity needs and that is not set."""
        return [
            f"{variable} is not set, so '{identity.name}' has no credential for {scheme}"
            for identity in self.identities
            for scheme, variable in identity.variables.items()
            if not os.environ.get(variable)
        ]

    @property
    def default(self) -> Identity | None:
        """The default identity of requests: the first that signs in."""
        return next((one for one in self.identities if one.signs_in and self.of(one)), None)

    def claims(self, identity: Identity, scopes: Iterable[str] = ()) -> dict[str, Any]:
        """Return the claims of an identity's token: its own, the required ones, and these scopes."""
        return with_scopes({**_registered(self._settings), **(identity.claims or {})}, scopes)

    def of(self, identity: Identity, scopes: Iterable[str] = ()) -> dict[str, str]:
        """Return the credentials of an identity, by security scheme: a token, a key, `user:password`.

        A token that is signed here has these scopes, too. One whose variable or signing key is not set
        is left out, and so is one that a function verifies, without a variable.
        """
        found = {scheme: os.environ.get(name, "") for scheme, name in identity.variables.items()}
        if identity.claims is not None and self.signer is not None:
            token = self.signer.sign(self.claims(identity, scopes))
            for name, scheme in self._schemes.items():
                if scheme_type(scheme) in JWT_TYPES and name not in self._by_function:
                    found.setdefault(name, token)
        return {scheme: value for scheme, value in found.items() if value}


def _check_variables(identities: Iterable[Identity]) -> None:
    names = sorted({name for one in identities for name in one.variables.values()})
    values = {name: os.environ.get(name, "") for name in names}
    message = "it begins or ends with a space, or contains a line break; set it to the credential only"
    wrong = [name for name, value in values.items() if value != value.strip() or _CONTROL.search(value)]
    if wrong:
        raise SetupError([Diagnostic(name, message) for name in wrong])


def signed_in(
    request: Request, operation: Operation, contract: Contract, values: Mapping[str, str]
) -> Request | None:
    """Return the request with the credentials that one of an operation's requirements needs.

    None when `values`, by security scheme, meet no requirement that a request can carry.
    """
    if not operation.security:
        return request
    for requirement in operation.security:
        if requirement.keys() <= values.keys() and is_possible(requirement, contract):
            return carrying_all(request, contract, {scheme: values[scheme] for scheme in requirement})
    return None


def carrying_all(request: Request, contract: Contract, values: Mapping[str, str]) -> Request:
    """Return the request with a credential for each of some schemes, by name; one token is sent once."""
    for scheme, value in values.items():
        carried = carrying(request, contract.security_schemes[scheme], value)
        is_there = carried.url == request.url and carried.headers[-1] in request.headers
        request = request if is_there else carried
    return request


def is_possible(requirement: SecurityRequirement, contract: Contract) -> bool:
    """Return False for schemes that need different values of the one Authorization header."""
    needed = set()
    for name in requirement:
        scheme = contract.security_schemes[name]
        if carrier(scheme) == ("header", "authorization"):
            needed.add("Bearer" if scheme_type(scheme) in JWT_TYPES else name)
    return len(needed) < 2


def carrying(request: Request, scheme: Mapping[str, Any], value: str) -> Request:
    """Return the request with a credential at the place that its scheme defines."""
    match scheme_type(scheme):
        case "apiKey" if scheme["in"] == "query":
            return with_query(request, scheme["name"], value)
        case "apiKey" if scheme["in"] == "cookie":
            return request.with_headers([("Cookie", f"{scheme['name']}={value}")])
        case "apiKey" | "mutualTLS":
            return request.with_headers([(scheme.get("name", CLIENT_CERTIFICATE), value)])
        case "http basic":
            return authorized(request, f"Basic {base64.b64encode(value.encode()).decode()}")
        case kind if kind.startswith("http ") and kind != "http bearer":
            return authorized(request, f"{scheme['scheme']} {value}")
        case _:
            return authorized(request, f"Bearer {value}")


def authorized(request: Request, value: str) -> Request:
    """Return the request with one more Authorization header."""
    return request.with_headers([("Authorization", value)])


def with_query(request: Request, name: str, value: str) -> Request:
    """Return the request with one more pair in its query."""
    sign = "&" if "?" in request.url else "?"
    return replace(request, url=f"{request.url}{sign}{quote(name)}={quote(value, safe='')}")
