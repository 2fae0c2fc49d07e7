"""What a handlers package exports beside its operations, and which credentials it leaves unverified."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract

from .errors import RenderError, problem_details
from .security import JWT_TYPES, Claims, missing_verifiers, nobody, scheme_type, schemes_in_use

Collaborators = Callable[..., AbstractAsyncContextManager[Mapping[str, Any]]]


@dataclass(slots=True)
class PackageHooks:
    """What a handlers package may export beside its operations.

    collaborators(settings): async context manager that yields name → object, for the life of the service;
    one that takes `read_only`, too, creates nothing where that is true, and raises NotYetThere if it would;
    identify(claims, …): makes the `caller` of verified claims, or raises;
    verifiers: security scheme name → function that turns a credential into claims;
    render_error(report): body and media type of an error, see `errors.ErrorReport`.
    """

    collaborators: Collaborators
    identify: Callable[..., Any]
    verifiers: Mapping[str, Callable[..., Any]]
    render_error: RenderError

    @classmethod
    def of(cls, package: ModuleType) -> PackageHooks:
        """Read a package's exports."""
        return cls(
            collaborators=getattr(package, "collaborators", _no_collaborators),
            identify=getattr(package, "identify", nobody),
            verifiers=getattr(package, "verifiers", {}),
            render_error=getattr(package, "render_error", problem_details),
        )

    def trust_the_unverified(self, contract: Contract) -> None:
        """Take any credential of the schemes that only a package could verify: where nothing is served by one."""
        self.verifiers = {
            name: _trust
            for name in schemes_in_use(contract)
            if scheme_type(contract.security_schemes[name]) not in JWT_TYPES
        }


@asynccontextmanager
async def _no_collaborators(_settings: Any) -> AsyncIterator[Mapping[str, Any]]:
    yield {}


async def _trust(_credential: str) -> Claims:
    return {"sub": "anybody"}


def verifier_problems(contract: Contract, exports: PackageHooks, *, has_jwt: bool) -> list[Diagnostic]:
    """Find the schemes whose credentials nothing could verify; every call would be 401."""
    by_jwt = [
        name
        for name in schemes_in_use(contract)
        if name not in exports.verifiers and scheme_type(contract.security_schemes[name]) in JWT_TYPES
    ]
    problems = missing_verifiers(contract, {*exports.verifiers, *by_jwt})
    if by_jwt and not has_jwt:
        message = f"missing: the contract's security scheme {', '.join(by_jwt)} needs a key; "
        hint = "set it, or RELAY_JWT_PUBLIC_KEY, or RELAY_JWT_JWKS"
        problems.append(Diagnostic("RELAY_JWT_SECRET", message + hint))
    return problems
