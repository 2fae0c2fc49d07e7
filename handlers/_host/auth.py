"""Who is asking: security requirements → verified claims, or 401.

A scheme of type http bearer, oauth2 or openIdConnect is verified as a JWT (`tokens.py`); for any
other, and to verify one of these differently, a handlers package exports `verifiers`: scheme name
→ a function that takes the credential and returns claims, or None when it proves nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from .contract import Contract, Operation
from .errors import Forbidden, Headers, HostError, Unauthenticated
from .messages import HeaderList
from .problems import Problem

Claims = dict[str, Any]
Verify = Callable[[str], Awaitable[Claims | None]]
"""Credential → claims; None, or Unauthenticated raised, when it proves nothing."""

Identify = Callable[..., Awaitable[Any]]
"""`claims` → caller; raises what the client is to see when they name nobody who may call."""

JWT_TYPES = frozenset({"http bearer", "oauth2", "openIdConnect"})
MAX_CREDENTIAL = 8192  # bytes; decoding a token of megabytes costs a second

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)  # RFC 6750 section 2.1, b64token


def scheme_type(scheme: Mapping[str, Any]) -> str:
    """Name a security scheme's kind: `http bearer`, `apiKey`, `oauth2`."""
    return f"http {scheme['scheme'].lower()}" if scheme["type"] == "http" else str(scheme["type"])


def schemes_in_use(contract: Contract) -> list[str]:
    """Return the names of the security schemes that some operation asks for."""
    return sorted({name for op in contract.operations for requirement in op.security for name in requirement})


def missing_verifiers(contract: Contract, verifiers: Collection[str]) -> list[Problem]:
    """Find schemes in use that are none of `verifiers`."""
    return [
        contract.problem(
            ("components", "securitySchemes", name),
            f"nothing verifies the security scheme '{name}': export it in `verifiers` of the handlers package",
        )
        for name in schemes_in_use(contract)
        if name not in verifiers
    ]


class Challenges(NamedTuple):
    """WWW-Authenticate headers: of RFC 6750 section 3 for bearer tokens, of RFC 9110 section 11.6.1 else."""

    no_credential: Headers
    bad_credential: Headers
    missing_scope: Headers


def challenges(operation: Operation, contract: Contract) -> Challenges:
    """Return what an operation's 401 and 403 answers tell a client about signing in."""
    kinds = [scheme_type(contract.security_schemes[name]) for one in operation.security for name in one]
    word = {"http basic": "Basic", "apiKey": "ApiKey"}.get(kinds[0] if kinds else "", "Bearer")
    realm = re.sub(r"[^ !#-\[\]-~]", "", contract.title)  # what a quoted-string may hold unescaped
    plain = f'{word} realm="{realm}"'
    errors = ["", ', error="invalid_token"', ', error="insufficient_scope"'] if word == "Bearer" else [""] * 3
    return Challenges(*({"www-authenticate": plain + error} for error in errors))


class Authenticator:
    """Authenticates one operation's requests.

    Requirements are tried in the contract's order; schemes of one requirement are all needed, and
    their claims are joined. A credential that is shown and bad is 401 even where none is needed.
    """

    def __init__(
        self, operation: Operation, contract: Contract, verifiers: Mapping[str, Verify], identify: Identify
    ) -> None:
        self._challenges = challenges(operation, contract)
        self._identify = identify
        self._requirements = [
            [
                (_extractor(contract.security_schemes[name]), verifiers[name], frozenset(scopes))
                for name, scopes in requirement.items()
            ]
            for requirement in operation.security
            if requirement
        ]
        self._optional = len(self._requirements) < len(operation.security)

    async def __call__(self, headers: HeaderList, query: bytes) -> tuple[Claims | None, Any]:
        """Return claims and caller; both None where no credential is needed or shown.

        Raises Unauthenticated, Forbidden, or what `identify` raises.
        """
        failure: HostError | None = None
        for requirement in self._requirements:
            try:
                claims = await _meet(requirement, headers, query)
            except Unauthenticated as exc:
                failure = failure or exc.with_headers(self._challenges.bad_credential)
            except Forbidden as exc:
                failure = failure or exc.with_headers(self._challenges.missing_scope)
            else:
                if claims is not None:
                    return claims, await self._caller(claims)
        if failure is not None:
            raise failure
        if self._optional:
            return None, None
        raise Unauthenticated(self._challenges.no_credential)

    async def _caller(self, claims: Claims) -> Any:
        try:
            return await self._identify(claims=claims)
        except Exception as exc:
            if getattr(exc, "status", None) == Unauthenticated.status:
                exc.headers = self._challenges.bad_credential  # type: ignore[attr-defined]  # the package's own class
            raise


async def nobody(**_claims: Any) -> None:
    """Stand in for a package's `identify`."""


Extract = Callable[[HeaderList, bytes], str | None]


async def _meet(
    requirement: list[tuple[Extract, Verify, frozenset[str]]], headers: HeaderList, query: bytes
) -> Claims | None:
    """Return the joined claims of one requirement; None where a credential is not even shown."""
    joined: Claims = {}
    for extract, verify, scopes in requirement:
        credential = extract(headers, query)
        if credential is None:
            return None
        claims = await verify(credential)
        if claims is None:
            raise Unauthenticated
        if not scopes <= _scopes(claims):
            raise Forbidden
        joined.update(claims)
    return joined


def _scopes(claims: Claims) -> set[str]:
    """Return the scopes of a token: `scope` (RFC 8693 section 4.2) or a list in `scp` or `scopes`."""
    scopes: set[str] = set()
    for name in ("scope", "scp", "scopes"):
        value = claims.get(name, [])
        scopes.update(value.split() if isinstance(value, str) else value if isinstance(value, list) else [])
    return scopes


def _extractor(scheme: Mapping[str, Any]) -> Extract:
    """Return what finds a scheme's credential in a request."""
    match scheme_type(scheme):
        case "apiKey":
            return _api_key(scheme["in"], scheme["name"])
        case "http basic":
            return lambda headers, _query: _basic(_authorization(headers, "basic"))
        case kind if kind.startswith("http ") and kind != "http bearer":
            return lambda headers, _query: _authorization(headers, kind.removeprefix("http "))
        case _:
            return lambda headers, _query: _bearer(headers)


def _authorization(headers: HeaderList, scheme: str) -> str | None:
    """Return the credential of the one Authorization header; None where the scheme is another."""
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        return None
    if len(values) > 1 or len(values[0]) > MAX_CREDENTIAL:
        raise Unauthenticated
    word, _, credential = values[0].decode("latin-1").strip().partition(" ")
    return credential.strip() if word.lower() == scheme else None


def _bearer(headers: HeaderList) -> str | None:
    token = _authorization(headers, "bearer")
    if token is not None and not _TOKEN.fullmatch(token):
        raise Unauthenticated
    return token


def _basic(encoded: str | None) -> str | None:
    """Return `user:password` (RFC 7617 section 2)."""
    if encoded is None:
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise Unauthenticated from exc


def _api_key(location: str, name: str) -> Extract:
    def in_header(headers: HeaderList, _query: bytes) -> str | None:
        key = name.lower().encode()
        return _only([value.decode("latin-1") for header, value in headers if header == key])

    def in_query(_headers: HeaderList, query: bytes) -> str | None:
        return _only([value for key, value in parse_qsl(query.decode("latin-1")) if key == name])

    def in_cookie(headers: HeaderList, _query: bytes) -> str | None:
        lines = ";".join(value.decode("latin-1") for header, value in headers if header == b"cookie")
        pairs = (pair.partition("=") for pair in lines.split(";"))
        return _only([value.strip() for key, _, value in pairs if key.strip() == name])

    return {"header": in_header, "query": in_query, "cookie": in_cookie}[location]


def _only(values: list[str]) -> str | None:
    if len(values) > 1 or any(len(value) > MAX_CREDENTIAL for value in values):
        raise Unauthenticated
    return values[0] if values else None
