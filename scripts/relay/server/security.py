"""Authentication: checks an operation's security requirements; returns verified claims or raises 401.

Schemes of type http bearer, oauth2 and openIdConnect are verified as JWTs (`tokens.py`). For other
schemes, or to replace this check, a handlers package exports `verifiers`: functions by scheme name that
take the credential and return its claims, or None for an invalid one. The certificate of a client
(`mutualTLS`) comes from the proxy that ends TLS (RFC 9440).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract, Operation, SecurityRequirement
from relay.validation.errors import ApiError, Headers
from relay.validation.http import HeaderList

from .errors import Forbidden, Unauthenticated, report
from .proxies import TrustedProxies
from .request_credentials import Extract, extractor

Claims = dict[str, Any]
Verify = Callable[[str], Awaitable[Claims | None]]
"""Returns the claims of a credential; returns None or {}, or raises Unauthenticated, for an invalid one."""

Identify = Callable[..., Awaitable[Any]]
"""Returns the caller for `claims`; raises a public error if the claims identify no permitted caller."""

Translate = Callable[[BaseException], BaseException]
"""Returns the error that stands for an exception, such as one of another library; the exception if there is none."""
VerifyRequest = Callable[[str, Any], Awaitable[Claims]]
"""The same, with the ASGI scope; empty claims are those of a valid credential."""

Requiring = Callable[[Sequence[str], frozenset[str]], VerifyRequest]
"""Returns the verifier of a requirement: of its scopes, and of those of them that its type of scheme has."""

JWT_TYPES = frozenset({"http bearer", "oauth2", "openIdConnect"})

_UNQUOTABLE = re.compile(r"[^ !#-\[\]-~]")  # in a quoted-string, which the challenge's realm is
_CHALLENGES = {"http basic": "Basic", "apiKey": "ApiKey", "mutualTLS": "MutualTLS"}


def scheme_type(scheme: Mapping[str, Any]) -> str:
    """Return the type of a security scheme: `http bearer`, `apiKey`, `oauth2`."""
    return f"http {scheme['scheme'].lower()}" if scheme["type"] == "http" else str(scheme["type"])


def schemes_in_use(contract: Contract) -> list[str]:
    """Return the names of the security schemes that operations require."""
    return sorted({name for op in contract.operations for requirement in op.security for name in requirement})


def token_schemes(contract: Contract) -> frozenset[str]:
    """Return the schemes in use that take a bearer token."""
    schemes = contract.security_schemes
    return frozenset(name for name in schemes_in_use(contract) if scheme_type(schemes[name]) in JWT_TYPES)


def scopes_in_use(contract: Contract, scheme: str) -> list[str]:
    """Return the scopes that operations require of a security scheme."""
    if not contract.has_scopes(scheme):
        return []
    requirements = (requirement for op in contract.operations for requirement in op.security)
    return sorted({scope for requirement in requirements for scope in requirement.get(scheme, [])})


def missing_verifiers(contract: Contract, verifiers: Collection[str]) -> list[Diagnostic]:
    """Report the schemes in use that are not in `verifiers`."""
    return [
        contract.problem(
            ("components", "securitySchemes", name),
            f"the security scheme '{name}' has no verifier: add it to `verifiers` of the handlers package",
            "unverified-scheme",
        )
        for name in schemes_in_use(contract)
        if name not in verifiers
    ]


def certificate_problems(contract: Contract, networks: Sequence[str]) -> list[Diagnostic]:
    """Report that client certificates are needed where no proxy is trusted to send them."""
    schemes = contract.security_schemes
    names = [name for name in schemes_in_use(contract) if schemes[name]["type"] == "mutualTLS"]
    if not names or networks:
        return []
    message = f"missing: the contract's security scheme {', '.join(names)} is mutual TLS; set the addresses of the proxies that end TLS and send Client-Cert (RFC 9440)"
    return [Diagnostic("RELAY_TRUSTED_PROXIES", message)]


class Authenticator:
    """Authenticates requests by the first requirement that is met; a wrong credential is always a 401."""

    def __init__(
        self,
        operation: Operation,
        contract: Contract,
        verifiers: Mapping[str, Requiring],
        identify: Identify,
        translate: Translate,
        proxies: TrustedProxies | None = None,
    ) -> None:
        self._identify = identify
        self._translate = translate
        self._requirements = [
            _Requirement(one, contract, verifiers, proxies) for one in operation.security if one
        ]
        self._optional = len(self._requirements) < len(operation.security)
        challenges = dict.fromkeys(requirement.challenge() for requirement in self._requirements)
        self._invitation = {"www-authenticate": ", ".join(challenges)}

    async def __call__(
        self, headers: HeaderList, query: bytes, scope: Any = None
    ) -> tuple[Claims | None, Any]:
        """Return claims and caller; both None if no credential is required or sent.

        `scope` is that of ASGI, for verifiers that look at the request. Raises Unauthenticated, Forbidden, or the
        exceptions of `identify`, with the challenge required by RFC 6750 section 3 or RFC 9110 section 11.6.1.
        """
        failure: ApiError | None = None
        for requirement in self._requirements:
            try:
                claims = await requirement.meet(headers, query, scope)
            except Unauthenticated as exc:
                failure = failure or exc.with_headers(requirement.refusal("invalid_token"))
            except Forbidden as exc:
                failure = failure or exc.with_headers(requirement.refusal("insufficient_scope"))
            except Exception as exc:  # noqa: BLE001 -- it is raised again, or its error
                self._raise_challenged(exc, requirement)
            else:
                if claims is not None:
                    return claims, await self._caller(claims, requirement)
        if failure is not None:
            raise failure
        if self._optional:
            return None, None
        raise Unauthenticated(self._invitation, reason="missing")

    async def _caller(self, claims: Claims, requirement: _Requirement) -> Any:
        try:
            return await self._identify(claims=claims)
        except Exception as exc:  # noqa: BLE001 -- it is raised again, or its error
            self._raise_challenged(exc, requirement)

    def _raise_challenged(self, exc: Exception, requirement: _Requirement) -> NoReturn:
        """Raise the error for an exception of the package; a 401 gets the challenge."""
        error = self._translate(exc)
        found = report(error)
        if found is not None and found.status == Unauthenticated.status:
            error.headers = requirement.refusal("invalid_token")  # type: ignore[attr-defined]  # the package's own class
        raise error


class _Requirement:
    def __init__(
        self,
        required: SecurityRequirement,
        contract: Contract,
        verifiers: Mapping[str, Requiring],
        proxies: TrustedProxies | None,
    ) -> None:
        schemes = {name: contract.security_schemes[name] for name in required}
        checked = contract.with_checked_scopes(required)
        self._schemes: list[tuple[str, Extract, VerifyRequest]] = []
        for name, scheme in schemes.items():
            verify = verifiers[name](required[name], frozenset(checked[name]))
            if scheme["type"] == "mutualTLS" and proxies:
                verify = _from_proxy(verify, proxies)
            self._schemes.append((name, extractor(scheme_type(scheme), scheme), verify))
        self._scheme = _CHALLENGES.get(scheme_type(next(iter(schemes.values()))), "Bearer")
        self._realm = _UNQUOTABLE.sub("", contract.title)

    def challenge(self, error: str = "") -> str:
        """Return the challenge; only that of bearer tokens has an error code."""
        error_parameter = f', error="{error}"' if error and self._scheme == "Bearer" else ""
        return f'{self._scheme} realm="{self._realm}"{error_parameter}'

    def refusal(self, error: str) -> Headers:
        return {"www-authenticate": self.challenge(error)}

    async def meet(self, headers: HeaderList, query: bytes, scope: Any) -> Claims | None:
        """Return the claims of the only scheme, or of several by scheme; None without a credential."""
        by_scheme: dict[str, Claims] = {}
        credentials = [(name, extract(headers, query), verify) for name, extract, verify in self._schemes]
        for name, credential, verify in credentials:
            if credential is not None:
                try:
                    by_scheme[name] = claims = await verify(credential, scope)
                except ValueError as exc:
                    raise Unauthenticated(reason="refused") from exc
        if len(by_scheme) < len(credentials):
            return None
        return by_scheme if len(by_scheme) > 1 else claims


def requiring(verifier: Verify) -> Requiring:
    """Return a verifier whose claims must have the scopes, else it raises Forbidden."""

    def verifier_of(_required: Sequence[str], checked: frozenset[str]) -> VerifyRequest:
        async def verify(credential: str, _scope: Any) -> Claims:
            claims = await verifier(credential)
            if not claims:
                raise Unauthenticated(reason="refused")
            if checked and not checked <= token_scopes(claims):
                raise Forbidden
            return claims

        return verify

    return verifier_of


def _from_proxy(verify: VerifyRequest, proxies: TrustedProxies) -> VerifyRequest:
    """Take certificates only from a trusted proxy, because any client can write a header: base64 between colons (RFC 9651)."""

    async def verify_certificate(credential: str, scope: Any) -> Claims:
        is_binary = len(credential) > 2 and credential[0] == credential[-1] == ":"
        if scope is None or not is_binary or not proxies.sent(scope):
            raise Unauthenticated(reason="refused")
        return await verify(credential[1:-1], scope)

    return verify_certificate


async def no_caller(**_claims: Any) -> None:
    """The `identify` of a package without one."""


def token_scopes(claims: Mapping[str, Any]) -> set[str]:
    """Return the texts in `scope` (RFC 8693 section 4.2), `scp` or `scopes`; anything else grants nothing."""
    scopes: set[str] = set()
    for value in map(claims.get, ("scope", "scp", "scopes")):
        listed = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        scopes.update(scope for scope in listed if isinstance(scope, str))
    return scopes
