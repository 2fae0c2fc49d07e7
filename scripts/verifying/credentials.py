"""What identities sign in with: tokens signed with the service's key, credentials from the environment."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from handlers._host.auth import JWT_TYPES, scheme_type
from handlers._host.contract import Contract, Operation
from handlers._host.problems import Problem, SetupError

from .config import Identity
from .exchanges import Request
from .subject import ContractSettings, Subject

TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, and the algorithm it signs with."""

    key: Any
    algorithm: str

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        """Return a token with these claims and nothing beside."""
        return jwt.encode(dict(claims), self.key, self.algorithm, dict(headers or {}))


def signer(settings: ContractSettings) -> Signer | None:
    """Return what signs tokens that the service accepts; None when no key to sign with is set.

    Raises SetupError for a private key that cannot be used.
    """
    if settings.jwt_secret is not None:
        return Signer(settings.jwt_secret.get_secret_value().encode(), "HS256")
    if settings.jwt_private_key is None:
        return None
    text = settings.jwt_private_key.get_secret_value()
    try:
        pem = text if "-----BEGIN" in text else Path(text).read_text("utf-8")
        key = load_pem_private_key(pem.encode(), password=None)
    except (OSError, ValueError, TypeError) as exc:
        told = "it is neither a private key in PEM without a password nor a file that holds one"
        raise SetupError([Problem("RELAY_JWT_PRIVATE_KEY", told)]) from exc
    match key:
        case rsa.RSAPrivateKey():
            return Signer(key, "RS256")
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return Signer(key, "ES256")
        case ed25519.Ed25519PrivateKey():
            return Signer(key, "EdDSA")
    raise SetupError([Problem("RELAY_JWT_PRIVATE_KEY", "it is neither RSA, nor on P-256, nor Ed25519")])


class Credentials:
    """The credentials of a run's identities, by security scheme."""

    def __init__(self, subject: Subject) -> None:
        self._schemes = subject.contract.security_schemes
        self._settings = subject.settings
        self.identities = subject.config.identities
        self.signer = signer(subject.settings)

    @property
    def default(self) -> Identity | None:
        """The identity that requests are made with where nothing else is said: the first that signs in."""
        return next((one for one in self.identities if one.signs_in and self.of(one)), None)

    def claims(self, identity: Identity) -> dict[str, Any]:
        """Return the claims of an identity's token: its own, times, and the issuer and audience that are set."""
        now = int(time.time())
        claims: dict[str, Any] = {"iat": now, "exp": now + TOKEN_SECONDS}
        if self._settings.jwt_issuer:
            claims["iss"] = self._settings.jwt_issuer
        if self._settings.jwt_audience:
            claims["aud"] = self._settings.jwt_audience
        return {**claims, **(identity.claims or {})}

    def of(self, identity: Identity) -> dict[str, str]:
        """Return the credentials that an identity has, by security scheme: a token, a key, `user:password`.

        One whose variable or signing key is not set is left out.
        """
        found = {scheme: os.environ.get(name, "") for scheme, name in identity.variables.items()}
        if identity.claims is not None and self.signer is not None:
            token = self.signer.sign(self.claims(identity))
            for name, scheme in self._schemes.items():
                if scheme_type(scheme) in JWT_TYPES:
                    found.setdefault(name, token)
        return {scheme: value for scheme, value in found.items() if value}


def signed_in(
    request: Request, operation: Operation, contract: Contract, values: Mapping[str, str]
) -> Request | None:
    """Return the request with the credentials that one of an operation's requirements needs.

    None when `values`, by security scheme, meet no requirement.
    """
    if not operation.security:
        return request
    for requirement in operation.security:
        if requirement.keys() <= values.keys():
            for scheme in requirement:
                request = carrying(request, contract.security_schemes[scheme], values[scheme])
            return request
    return None


def carrying(request: Request, scheme: Mapping[str, Any], value: str) -> Request:
    """Return the request with one scheme's credential where the scheme has it."""
    match scheme_type(scheme):
        case "apiKey" if scheme["in"] == "query":
            sign = "&" if "?" in request.url else "?"
            pair = f"{quote(scheme['name'])}={quote(value, safe='')}"
            return Request(request.method, f"{request.url}{sign}{pair}", request.headers, request.body)
        case "apiKey" if scheme["in"] == "cookie":
            return request.with_headers([("Cookie", f"{scheme['name']}={value}")])
        case "apiKey":
            return request.with_headers([(scheme["name"], value)])
        case "http basic":
            return request.with_headers(
                [("Authorization", f"Basic {base64.b64encode(value.encode()).decode()}")]
            )
        case kind if kind.startswith("http ") and kind != "http bearer":
            return request.with_headers([("Authorization", f"{scheme['scheme']} {value}")])
        case _:
            return request.with_headers([("Authorization", f"Bearer {value}")])
