"""Contract + handlers package → one ASGI application on Connexion, compiled before the first request."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

from pydantic import SecretStr

from relay.contract.diagnostics import Diagnostic, NotYetThere, SetupError
from relay.contract.loading import load_contract
from relay.contract.model import Contract
from relay.project.settings import Settings
from relay.validation.schemas import SchemaCompiler

from . import docs, health
from .binding import (
    GIVEN,
    Binding,
    accepted_names,
    bind,
    code_place,
    import_package,
    is_package,
    required_names,
    serves_any,
    with_collaborators,
)
from .endpoint import Endpoint
from .guard import Guard
from .lifespan import Lifespan, is_cancelled
from .metrics import Metrics, bind_address
from .missing_handlers import MissingHandlerPolicy, Policies, read_policies
from .observability import Observer
from .package_hooks import PackageHooks, open_collaborators, tokens_needed, verifier_problems
from .security import JWT_TYPES, Authenticator, Verify, scheme_type
from .stages import Extra, build_stack
from .tracing import exporting, traced
from .verification import token_verifier

_log = logging.getLogger("relay")


@dataclass(slots=True)
class Application:
    """A service that is ready to be started; an ASGI application."""

    contract: Contract
    settings: Settings
    package: ModuleType
    exports: PackageHooks
    endpoints: Mapping[str, Endpoint]
    jwt: Verify | None
    observer: Observer
    collaborators: dict[str, Any] = field(default_factory=dict)
    reload_problems: list[Diagnostic] = field(default_factory=list)
    lifespan: Lifespan = field(default_factory=Lifespan)
    _asgi: Any = None

    def __post_init__(self) -> None:
        extras: dict[str, Extra] = {
            "/livez": health.livez,
            "/readyz": lambda: health.readyz(self.collaborators, self.reload_problems),
        }
        if (metrics := self.observer.metrics) is not None and self.settings.metrics_bind is None:
            extras["/metrics"] = metrics.page
        if self.settings.openapi:
            extras |= docs.contract_pages(self.contract)
        if self.settings.docs and self.settings.openapi:
            extras |= {"/": docs.to_docs, **docs.swagger_pages(self.contract)}
        routed = {f"{self.contract.base_path}{one.path}" for one in self.contract.operations}
        edge = Guard(
            build_stack(self.contract, self.endpoints, extras),
            self.exports.render_error,
            self.observer,
            limit=self.settings.max_in_flight,
            exempt=health.PROBES - routed,
        )
        self._asgi = traced(edge, self.contract, extras) if self.settings.tracing else edge

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self.lifespan(self.running(), receive, send)
        else:
            await self._asgi(scope, receive, send)

    @property
    def missing(self) -> list[Binding]:
        """What stands in for a function that the package does not have."""
        return [endpoint.binding for endpoint in self.endpoints.values() if endpoint.binding.missing]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the collaborators and connect the endpoints, until left.

        Raises SetupError when they fail, or a function needs what nobody gives it.
        """
        await self._asgi({"type": "lifespan"}, None, None)  # Connexion builds its stack on its first call
        async with AsyncExitStack() as stack:
            if (metrics := self.observer.metrics) is not None and self.settings.metrics_bind:
                stack.enter_context(metrics.listening(self.settings.metrics_bind))
            if self.settings.tracing:
                await stack.enter_async_context(exporting())
            self._connect(await stack.enter_async_context(self.opened()))
            yield

    @asynccontextmanager
    async def opened(self, *, read_only: bool = False) -> AsyncIterator[Mapping[str, Any]]:
        """Open the package's collaborators, until left; `read_only` is for those that know what it means.

        Raises SetupError when they fail, or a function needs what nobody gives it; NotYetThere where
        `read_only` keeps them from being made.
        """
        accepted = accepted_names(self.exports.collaborators)
        told = {"read_only": True} if read_only and accepted and "read_only" in accepted else {}
        async with AsyncExitStack() as stack:
            try:
                made = self.exports.collaborators(self.settings, **told)
                collaborators = await open_collaborators(made, stack)
                problems = self._unknown_names(collaborators)
            except (SetupError, NotYetThere):
                raise
            except BaseException as exc:
                if is_cancelled():
                    raise
                raise self._collaborators_failed(exc) from exc
            if problems:
                raise SetupError(problems)
            yield collaborators

    def _connect(self, collaborators: Mapping[str, Any]) -> None:
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

    def _unknown_names(self, collaborators: Mapping[str, Any]) -> list[Diagnostic]:
        offered = ", ".join(sorted(collaborators)) or "none"
        problems: list[Diagnostic] = []
        for endpoint in self.endpoints.values():
            binding = endpoint.binding
            for name in binding.unknown_names(collaborators):
                message = (
                    f"{binding.operation} sends no '{name}', nor is there such a collaborator ({offered})"
                )
                problems.append(Diagnostic(binding.where(), message))
            for name in sorted({*binding.names.values(), *GIVEN} & {*collaborators}):
                message = (
                    f"the collaborator '{name}' has the name of an argument of {binding.operation}; rename it"
                )
                problems.append(Diagnostic(binding.where(), message))
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
                    problems.append(Diagnostic(code_place(function), message))
        return problems

    def _collaborators_failed(self, exc: BaseException) -> SetupError:
        """Name the fault but not its text, which may hold an address with a password."""
        _log.debug("collaborators() failed", exc_info=exc)
        message = f"collaborators() failed: {type(exc).__name__}; RELAY_LOG_LEVEL=debug shows where"
        return SetupError([Diagnostic(code_place(self.exports.collaborators), message)])


def create(
    package_name: str, settings: Settings, development_key: Callable[[], str] | None = None
) -> Application:
    """Read the contract, import the package, bind and compile.

    Without a package that is named, and with a policy for every missing function, the contract is
    served alone; a package that is named must exist. `development_key` makes the HS256 secret of a
    service that needs one and has none, in development only. Nothing is opened: the package's
    `collaborators` run when the service starts. Raises SetupError with everything that is wrong.
    """
    problems: list[Diagnostic] = []
    key_problems: list[Diagnostic] = []
    contract = _attempt(lambda: _contract(settings), problems)
    policies = _attempt(lambda: _policies(settings, contract), problems)
    package = _attempt(lambda: _package(package_name, settings, contract, policies), problems)
    jwt = _attempt(lambda: token_verifier(settings), key_problems)
    if (metrics_bind := settings.metrics_bind) is not None:
        _attempt(lambda: bind_address(metrics_bind), problems)
    problems += key_problems
    if contract is None or policies is None or package is None:
        raise SetupError(problems)
    exports = PackageHooks.of(package)
    if not is_package(package):
        exports.trust_the_unverified(contract)
    has_key = jwt is not None or key_problems or settings.environment == "production"
    if development_key and not has_key and tokens_needed(contract, exports):
        settings = settings.model_copy(update={"jwt_secret": SecretStr(development_key())})
        jwt = token_verifier(settings)
    if not key_problems:
        problems += verifier_problems(contract, exports, has_jwt=jwt is not None)
    bindings, found = bind(contract, package, policies)
    compiler = SchemaCompiler(contract)
    observer = Observer(Metrics() if settings.metrics else None)
    endpoints = {
        binding.operation.id: Endpoint(
            binding,
            contract,
            compiler,
            settings=settings,
            render_error=exports.render_error,
            observer=observer,
        )
        for binding in bindings
    }
    problems += found + compiler.problems
    if problems:
        raise SetupError(problems)
    return Application(contract, settings, package, exports, endpoints, jwt, observer)


T = TypeVar("T")


def _attempt(step: Callable[[], T], problems: list[Diagnostic]) -> T | None:
    """Take one step of the set-up, so that the next ones can tell their problems too."""
    try:
        return step()
    except SetupError as exc:
        problems += exc.problems
        return None


def _contract(settings: Settings) -> Contract:
    if settings.spec is None:
        raise SetupError([Diagnostic("RELAY_SPEC", "missing: say which contract to serve, or use --spec")])
    return load_contract(settings.spec)


def _policies(settings: Settings, contract: Contract | None) -> Policies:
    """Read what becomes of missing functions; nothing invented goes out in production."""
    if contract is None:
        return Policies()
    policies = read_policies(settings.missing, contract)
    if settings.environment == "production" and policies.includes(MissingHandlerPolicy.MOCK):
        message = "mock invents answers, which RELAY_ENVIRONMENT=production forbids; write stub, or fail"
        raise SetupError([Diagnostic("RELAY_MISSING", message)])
    return policies


def _package(
    name: str, settings: Settings, contract: Contract | None, policies: Policies | None
) -> ModuleType:
    """Import the handlers package; an empty module stands for one that nobody named, nor needs.

    One that was named is never left out: with it would go what it verifies credentials by.
    """
    if "handlers" in settings.model_fields_set or name != settings.handlers:
        return import_package(name)
    can_serve_alone = contract is not None and policies is not None and policies.cover(contract)
    if importlib.util.find_spec(name) is None:
        if can_serve_alone:
            return ModuleType(name)
        message = (
            f"there is no package '{name}' here; `relay regenerate` writes it, --missing mock serves without"
        )
        raise SetupError([Diagnostic("RELAY_HANDLERS", message)])
    package = import_package(name)
    if can_serve_alone and contract is not None and not serves_any(contract, package):
        return ModuleType(name)
    return package
