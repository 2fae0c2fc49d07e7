"""Bearer tokens for development and tests, signed with the service's own HS256 secret."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Mapping
from typing import Any

import jwt

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract, Operation
from relay.project.settings import Settings, token_keys

from .security import JWT_TYPES, scheme_type, token_schemes, token_scopes
from .threads import Function
from .verification import token_verifier


def longest_life(settings: Settings, seconds: int) -> int:
    """Return the longest life of a token in seconds: RELAY_JWT_MAX_LIFE, but at most `seconds`."""
    return min(seconds, settings.jwt_max_life or seconds)


def with_scopes(claims: Mapping[str, Any], scopes: Iterable[str]) -> dict[str, Any]:
    """Return claims that also have these scopes."""
    wanted = {*scopes} - token_scopes(claims)
    return {**claims, "scope": " ".join(sorted(wanted | token_scopes(claims)))} if wanted else dict(claims)


def scopes_of(operation: Operation, contract: Contract) -> set[str] | None:
    """Return the scopes of the first requirement that a bearer token meets; None if there is none."""
    for requirement in operation.security:
        if requirement and all(
            scheme_type(contract.security_schemes[name]) in JWT_TYPES for name in requirement
        ):
            return {scope for scopes in requirement.values() for scope in scopes}
    return None


def check_signable(contract: Contract, functions: Mapping[str, Function]) -> None:
    """Raise SetupError if functions verify the tokens of all security schemes, and would refuse one that Relay signs.

    `functions` are those that verify credentials, by scheme.
    """
    schemes = token_schemes(contract)
    if schemes and schemes <= functions.keys():
        raise SetupError(_unsigned(contract, name, functions[name]) for name in sorted(schemes))


def _unsigned(contract: Contract, scheme: str, function: Function) -> Diagnostic:
    function = inspect.unwrap(function)
    name = f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
    message = (
        f"the function {name} verifies the tokens of '{scheme}', so Relay signs none; use one that it accepts"
    )
    return contract.problem(("components", "securitySchemes", scheme), message, "unsigned")


def mint(settings: Settings, claims: Mapping[str, Any], expires: int) -> str:
    """Return a token with these claims, valid for `expires` seconds, that a service with `settings` accepts.

    Issuer, audience and type come from the settings; `claims` may override issuer and audience. Raises
    SetupError if there is no secret to sign with, or if the service rejects this life.
    """
    if settings.jwt_secret is None:
        message = "missing: it signs the tokens; set it"
        if token_keys(settings):
            message = (
                "missing: the service has only public keys, which sign nothing; get a token from its issuer"
            )
        elif settings.environment == "production":
            message += ", or RELAY_ENVIRONMENT=development, which has its own key"
        raise SetupError([Diagnostic("RELAY_JWT_SECRET", message)])
    if expires > longest_life(settings, expires):
        message = f"the service rejects tokens valid for more than {settings.jwt_max_life} seconds"
        raise SetupError([Diagnostic("--expires", f"{message} (RELAY_JWT_MAX_LIFE)")])
    token_verifier(settings)  # rejects a secret that the service would reject
    now = int(time.time())
    required = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    payload = {
        "iat": now,
        "exp": now + expires,
        **{name: value for name, value in required.items() if value},
        **claims,
    }
    headers = {"typ": settings.jwt_type or "JWT"}
    try:
        return jwt.encode(payload, settings.jwt_secret.get_secret_value(), "HS256", headers)
    except (TypeError, ValueError) as exc:
        message = "a registered claim has the wrong type (RFC 7519 section 4.1)"
        raise SetupError([Diagnostic("--claim", message)]) from exc
