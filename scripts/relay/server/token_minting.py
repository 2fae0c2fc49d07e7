"""Bearer tokens for development and tests, and the HS256 secret of a project that signs them where none is set."""

from __future__ import annotations

import inspect
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import jwt
from pydantic import SecretStr

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.project.files import stored_secret
from relay.project.project import Project
from relay.project.settings import Settings, token_keys

from .keys import MIN_SECRET
from .security import JWT_TYPES, scheme_type, token_schemes, token_scopes
from .threads import Function
from .tokens import token_verifier

S = TypeVar("S", bound=Settings)

FOLDER = ".relay"  # the folder of a project's local state; it contains a .gitignore for itself


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
    """Raise SetupError if `functions`, by scheme, verify all tokens: they would refuse Relay's own."""
    schemes = token_schemes(contract)
    if schemes and schemes <= functions.keys():
        problems: list[Diagnostic] = []
        for scheme in sorted(schemes):
            function = inspect.unwrap(functions[scheme])
            name = f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
            verifies = f"the function {name} verifies the tokens of '{scheme}'"
            message = f"{verifies}, so Relay signs none; use one that it accepts"
            pointer = ("components", "securitySchemes", scheme)
            problems.append(contract.problem(pointer, message, "unsigned"))
        raise SetupError(problems)


def mint(settings: Settings, claims: Mapping[str, Any], expires: int) -> str:
    """Return a token with these claims, for `expires` seconds, as the settings say. Raises SetupError."""
    if settings.jwt_secret is None:
        message = "it signs the tokens; set it"
        if token_keys(settings):
            message = "the service has only public keys, which sign nothing; get a token from its issuer"
        elif settings.environment == "production":
            message += ", or RELAY_ENVIRONMENT=development, which has its own key"
        raise SetupError([Diagnostic("RELAY_JWT_SECRET", f"missing: {message}")])
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


def development_key(project: Project, *, keep: bool = True) -> str:
    """Return the project's development secret, 48 random bytes in base64; a new one on the first call.

    Without `keep`, a new one is not written. Nor is it in a folder that is a project only by --spec: its
    key lasts as long as the process. Raises SetupError for a file that cannot be read or written.
    """
    path = project.folder / FOLDER / "development.key"
    if project.is_implicit or not (keep or path.exists()):
        return secrets.token_urlsafe(48)
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.with_name(".gitignore").write_text("*\n", "ascii")
        key = stored_secret(path, lambda: secrets.token_urlsafe(48))
    except OSError as exc:
        message = f"cannot store the development key: {exc.strerror}; set RELAY_JWT_SECRET instead"
        raise SetupError([Diagnostic(display(path), message)]) from exc
    if not key.isascii() or len(key) < MIN_SECRET:
        raise SetupError([Diagnostic(display(path), "is not a development key; delete it to get a new one")])
    return key


def with_development_key(project: Project, settings: S) -> S:
    """Return the settings with the project's development secret, unless they have a key or are for production."""
    if token_keys(settings) or settings.environment == "production" or project.is_implicit:
        return settings
    return settings.model_copy(update={"jwt_secret": SecretStr(development_key(project))})
