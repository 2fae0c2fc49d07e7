"""Contract + handlers package → one ASGI application on Connexion, compiled before the first request."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

from . import docs, health
from .auth import (
    JWT_TYPES,
    Authenticator,
    Verify,
    missing_verifiers,
    nobody,
    scheme_type,
    schemes_in_use,
)
from .binding import (
    GIVEN,
    bind,
    code_place,
    import_package,
    required_names,
    with_collaborators,
)
from .contract import Contract, load_contract
from .edge import Edge
from .endpoint import Endpoint
from .errors import RenderError, problem_details
from .problems import Problem, SetupError
from .schemas import SchemaCompiler
from .settings import HostSettings, token_verifier
from .stack import Extra, build_stack

_log = logging.getLogger("relay")

Collaborators = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any]]]


@dataclass(slots=True)
class Exports:
    """What a handlers package may export beside its operations.

    collaborators(settings): async context manager that yields name → object, for the life of the service;
    identify(claims, …): makes the `caller` of verified claims, or raises;
    verifiers: security scheme name → function that turns a credential into claims;
    render_error(report): body and media type of an error, see `errors.ErrorReport`.
    """

    collaborators: Collaborators
    identify: Callable[..., Any]
    verifiers: Mapping[str, Callable[..., Any]]
    render_error: RenderError

    @classmethod
    def of(cls, package: ModuleType) -> Exports:
        """Read a package's exports."""
        return cls(
            collaborators=getattr(package, "collaborators", _no_collaborators),
            identify=getattr(package, "identify", nobody),
            verifiers=getattr(package, "verifiers", {}),
            render_error=getattr(package, "render_error", problem_details),
        )


@asynccontextmanager
async def _no_collaborators(_settings: Any) -> AsyncIterator[Mapping[str, Any]]:
    yield {}


@dataclass(slots=True)
class Application:
    """A service that is ready to be started; an ASGI application."""

    contract: Contract
    settings: HostSettings
    exports: Exports
    endpoints: Mapping[str, Endpoint]
    jwt: Verify | None
    collaborators: dict[str, Any] = field(default_factory=dict)
    startup_error: SetupError | None = None
    _asgi: Any = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        extras: dict[str, Extra] = {
            "/livez": health.livez,
            "/readyz": lambda: health.readyz(self.collaborators),
        }
        if self.settings.openapi:
            extras |= docs.contract_pages(self.contract)
        if self.settings.docs and self.settings.openapi:
            extras |= docs.swagger_pages(self.contract)
        self._asgi = Edge(build_stack(self.contract, self.endpoints, extras), self.exports.render_error)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._asgi(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the collaborators and connect the endpoints, until left.

        Raises SetupError when a function needs what nobody gives it.
        """
        await self._asgi({"type": "lifespan"}, None, None)  # Connexion builds its stack on its first call
        async with self.exports.collaborators(self.settings) as collaborators:
            self._connect(collaborators)
            yield

    def _connect(self, collaborators: Mapping[str, Any]) -> None:
        if problems := self._unknown_names(collaborators):
            raise SetupError(problems)
        self.collaborators = dict(collaborators)
        verifiers: dict[str, Verify] = {
            name: with_collaborators(function, collaborators)
            for name, function in self.exports.verifiers.items()
        }
        if self.jwt is not None:
            for name, scheme in self.contract.security_schemes.items():
                if scheme_type(scheme) in JWT_TYPES:
                    verifiers.setdefault(name, self.jwt)
        identify = with_collaborators(self.exports.identify, collaborators)
        for endpoint in self.endpoints.values():
            operation = endpoint.binding.operation
            authenticate = (
                Authenticator(operation, self.contract, verifiers, identify) if operation.security else None
            )
            endpoint.connect(authenticate, collaborators)

    def _unknown_names(self, collaborators: Mapping[str, Any]) -> list[Problem]:
        offered = ", ".join(sorted(collaborators)) or "none"
        problems: list[Problem] = []
        for endpoint in self.endpoints.values():
            binding = endpoint.binding
            for name in binding.unknown_names(collaborators):
                message = (
                    f"{binding.operation} sends no '{name}', nor is there such a collaborator ({offered})"
                )
                problems.append(Problem(binding.where(), message))
            for name in sorted({*binding.names.values(), *GIVEN} & {*collaborators}):
                message = (
                    f"the collaborator '{name}' has the name of an argument of {binding.operation}; rename it"
                )
                problems.append(Problem(binding.where(), message))
        needed = {
            self.exports.identify: [
                name for name in required_names(self.exports.identify) if name != "claims"
            ]
        }
        needed |= {function: required_names(function)[1:] for function in self.exports.verifiers.values()}
        for function, names in needed.items():
            for name in names:
                if name not in collaborators:
                    message = (
                        f"{function.__name__} needs '{name}', and there is no such collaborator ({offered})"
                    )
                    problems.append(Problem(code_place(function), message))
        return problems

    async def _lifespan(self, receive: Any, send: Any) -> None:
        """Speak ASGI's lifespan protocol; what goes wrong is kept for the command to print."""
        await receive()
        try:
            await self._stack.enter_async_context(self.running())
        except Exception as exc:  # noqa: BLE001 -- a package's collaborators may raise anything
            self.startup_error = exc if isinstance(exc, SetupError) else self._collaborators_failed(exc)
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    def _collaborators_failed(self, exc: Exception) -> SetupError:
        """Name the fault but not its text, which may hold an address with a password."""
        _log.debug("collaborators() failed", exc_info=exc)
        message = f"collaborators() failed: {type(exc).__name__}; RELAY_LOG_LEVEL=debug shows where"
        return SetupError([Problem(code_place(self.exports.collaborators), message)])


def create(package_name: str, settings: HostSettings) -> Application:
    """Read the contract, import the package, bind and compile; raise SetupError with all that is wrong.

    Opens nothing: what a package's `collaborators` opens is opened when the service starts.
    """
    problems: list[Problem] = []
    key_problems: list[Problem] = []
    contract = _attempt(lambda: _contract(settings), problems)
    package = _attempt(lambda: import_package(package_name), problems)
    jwt = _attempt(lambda: token_verifier(settings), key_problems)
    problems += key_problems
    if contract is None or package is None:
        raise SetupError(problems)
    exports = Exports.of(package)
    if not key_problems:
        problems += _verifier_problems(contract, exports, has_jwt=jwt is not None)
    bindings, found = bind(contract, package)
    compiler = SchemaCompiler(contract)
    endpoints = {
        binding.operation.id: Endpoint(
            binding, contract, compiler, body_limit=settings.body_limit, render_error=exports.render_error
        )
        for binding in bindings
    }
    problems += found + compiler.problems
    if problems:
        raise SetupError(problems)
    return Application(contract, settings, exports, endpoints, jwt)


T = TypeVar("T")


def _attempt(step: Callable[[], T], problems: list[Problem]) -> T | None:
    """Take one step of the set-up, so that the next ones can tell their problems too."""
    try:
        return step()
    except SetupError as exc:
        problems += exc.problems
        return None


def _contract(settings: HostSettings) -> Contract:
    if settings.spec is None:
        raise SetupError([Problem("RELAY_SPEC", "missing: say which contract to serve, or use --spec")])
    return load_contract(settings.spec)


def _verifier_problems(contract: Contract, exports: Exports, *, has_jwt: bool) -> list[Problem]:
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
        problems.append(Problem("RELAY_JWT_SECRET", message + hint))
    return problems
