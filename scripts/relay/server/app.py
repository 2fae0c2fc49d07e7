"""Compile a contract and a handlers package into one ASGI application, before the first request."""

from __future__ import annotations

import importlib.util
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pydantic import SecretStr

from relay.contract.diagnostics import Diagnostic, NotYetThere, SetupError, Severity, errors
from relay.contract.loading import load_contract
from relay.contract.model import Contract, LeftOut
from relay.contract.names import RESERVED_ARGUMENTS
from relay.project.settings import Settings
from relay.validation.schemas import SchemaCompiler, Strictness

from . import docs, health
from .binding import Binding, bind
from .bodies import BodyReader
from .cors import Cors, cors
from .deadline import Deadline
from .endpoint import Endpoint, ServedOperation
from .error_responses import ErrorResponses
from .foreign_errors import ErrorTranslator, read_errors
from .functions import code_place, required_names, takes_upload
from .guard import Guard
from .handler_modules import has_any_handler, import_package, is_package
from .info_functions import info_functions
from .lifespan import Lifespan, is_cancelled, not_started
from .metrics import BIND, Metrics, bind_address
from .missing_handlers import MissingHandlerPolicy, Policies, read_policies
from .named_functions import NamedFunctions, no_package_message
from .observability import Observer
from .package_hooks import PackageHooks, open_collaborators, tokens_needed, verifier_problems
from .package_middleware import PackageMiddleware, read_middleware
from .pipeline import Pipeline, Service
from .proxies import TrustedProxies
from .request import Request
from .request_scope import CONTEXT_NAMES, RequestScope, scope_names, scope_problem
from .results import ResultEncoder
from .security import JWT_TYPES, Authenticator, ScopedVerifier, Verify, scheme_type
from .stages.pages import Extra, Pages, not_found
from .threads import Threads, accepted_names
from .tracing import check_installed, exporting, traced
from .undocumented_bodies import undocumented_bodies
from .verification import token_verifier

METRICS_CONNECTIONS = 16
"""Connections to the metrics' own address."""

_log = logging.getLogger("relay")


@dataclass(slots=True)
class Application:
    """A compiled service: an ASGI application that is ready to start."""

    contract: Contract
    settings: Settings
    package: ModuleType
    hooks: PackageHooks
    endpoints: Mapping[str, Endpoint]
    middleware: list[PackageMiddleware]
    cors: Cors | None
    translate: ErrorTranslator
    jwt: Verify | None
    observer: Observer
    left_out: list[LeftOut]
    warnings: list[Diagnostic]
    collaborators: dict[str, Any] = field(default_factory=dict)
    """The objects that handlers get by name, while the service runs."""
    reload_problems: list[Diagnostic] = field(default_factory=list)
    lifespan: Lifespan = field(default_factory=Lifespan)
    _asgi: Any = not_started

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self.lifespan(self.running(), receive, send)
        else:
            await self._asgi(scope, receive, send)

    @property
    def missing(self) -> list[Binding]:
        """The bindings of operations without a handler."""
        return [endpoint.binding for endpoint in self.endpoints.values() if endpoint.binding.missing]

    @property
    def is_alone(self) -> bool:
        """True if the contract is served without any function of a person."""
        return not is_package(self.package) and len(self.missing) == len(self.endpoints)

    @property
    def named_modules(self) -> frozenset[str]:
        """The modules and packages of the functions that the contract names."""
        bound = [one.binding.function for one in self.endpoints.values() if one.binding.is_named]
        functions = [*bound, *(one.function for one in self.hooks.named_verifiers.values())]
        return frozenset(inspect.unwrap(one).__module__.partition(".")[0] for one in functions)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the collaborators and connect the endpoints; close them on exit.

        Raises SetupError if a collaborator fails, or if a function has a required argument that Relay
        does not pass.
        """
        errors = ErrorResponses(self.hooks.render, self.translate, self.observer)
        async with AsyncExitStack() as stack:
            if (metrics := self.observer.metrics) is not None and self.settings.metrics_bind:
                await stack.enter_async_context(self._serving(metrics, self.settings.metrics_bind))
            if self.settings.tracing:
                await stack.enter_async_context(exporting())
            handlers = stack.enter_context(Threads("relay-handlers", self.settings.threads))
            # Threads of its own: handlers that block must not delay authentication.
            identity = stack.enter_context(Threads("relay-identity", self.settings.threads))
            self.collaborators = dict(await stack.enter_async_context(self.opened()))
            self._asgi = self._pipeline(errors, self._served(handlers, identity))
            yield

    @asynccontextmanager
    async def opened(self, *, read_only: bool = False) -> AsyncIterator[Mapping[str, Any]]:
        """Open the package's collaborators; close them on exit.

        `read_only` is passed only to a `collaborators` function that accepts it. Raises SetupError if a
        collaborator fails, or if a function has a required argument that Relay does not pass; NotYetThere
        if `read_only` prevents a collaborator from being created.
        """
        accepted = accepted_names(self.hooks.collaborators)
        options = {"read_only": True} if read_only and accepted and "read_only" in accepted else {}
        async with AsyncExitStack() as stack:
            try:
                made = self.hooks.collaborators(self.settings, **options)
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

    @asynccontextmanager
    async def _serving(self, metrics: Metrics, bind: str) -> AsyncIterator[None]:
        """Serve the metrics at their own address, with the limits of the service; SetupError if it is not free."""
        from .transport.listening import listening  # imports uvicorn

        host, port = bind_address(bind)
        guard = Guard(
            Pages(not_found, pages={"/metrics": metrics.page}),
            errors=ErrorResponses(self.hooks.render, self.translate, Observer(None)),
            limit=METRICS_CONNECTIONS,
        )
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(listening(guard, METRICS_CONNECTIONS, host, port))
            except OSError as exc:
                message = f"cannot listen on {host}:{port}: {exc.strerror or exc}"
                raise SetupError([Diagnostic(BIND, message)]) from exc
            yield

    def _pipeline(self, errors: ErrorResponses, served: Mapping[str, ServedOperation]) -> Any:
        """Return the application that answers requests with the collaborators."""
        pages = self._pages()
        service = Service(
            self.contract,
            served,
            self.left_out,
            pages=pages,
            middleware=self.middleware,
            cors=self.cors,
            errors=errors,
            limit=self.settings.max_in_flight,
        )
        outermost = Pipeline(service).app
        return traced(outermost, self.contract, pages) if self.settings.tracing else outermost

    def _pages(self) -> dict[str, Extra]:
        """Return what is served outside the contract, by path."""
        pages: dict[str, Extra] = {
            "/livez": health.livez,
            "/readyz": lambda: health.readyz(self.collaborators, self.reload_problems, len(self.left_out)),
        }
        if (metrics := self.observer.metrics) is not None and self.settings.metrics_bind is None:
            pages["/metrics"] = metrics.page
        if self.settings.openapi:
            pages |= docs.contract_pages(self.contract)
        if self.settings.docs and self.settings.openapi:
            pages |= {"/": docs.to_docs, **docs.swagger_pages(self.contract)}
        return pages

    def _served(self, handlers: Threads, identity: Threads) -> dict[str, ServedOperation]:
        """Return the operations by id, with what authenticates them and the collaborators of their functions."""
        verifiers: dict[str, Verify | ScopedVerifier] = {
            name: identity.bound(function, self.collaborators)
            for name, function in self.hooks.verifiers.items()
        }
        verifiers |= {name: one.verifier(identity) for name, one in self.hooks.named_verifiers.items()}
        if self.jwt is not None:
            for name, scheme in self.contract.security_schemes.items():
                if scheme_type(scheme) in JWT_TYPES:
                    verifiers.setdefault(name, self.jwt)
        identify = identity.bound(self.hooks.identify, self.collaborators)
        function = self.hooks.scope
        request_scope = RequestScope(function, self.collaborators, handlers) if function else None
        deadline = Deadline(self.settings.handler_seconds)
        make_request = partial(Request, proxies=TrustedProxies(self.settings.trusted_proxies))

        def served(endpoint: Endpoint) -> ServedOperation:
            operation = endpoint.operation
            return ServedOperation(
                endpoint,
                authenticate=Authenticator(operation, self.contract, verifiers, identify, self.translate)
                if operation.security
                else None,
                handler=handlers.bound(endpoint.binding.function, self.collaborators),
                request_scope=request_scope,
                results=ResultEncoder(endpoint.encoder, deadline, handlers),
                deadline=deadline,
                observer=self.observer,
                bodies=BodyReader(
                    operation,
                    endpoint.decoder.forms,
                    self.settings,
                    takes_upload=takes_upload(endpoint.binding.function),
                ),
                make_request=make_request if endpoint.binding.takes("request", self.collaborators) else None,
                reports_only=self.settings.response_violations == "report",
            )

        return {id_: served(endpoint) for id_, endpoint in self.endpoints.items()}

    def _unknown_names(self, collaborators: Mapping[str, Any]) -> list[Diagnostic]:
        scoped = scope_names(self.hooks.scope) if self.hooks.scope else ()
        offered = ", ".join(sorted({*collaborators, *(scoped or ())})) or "none"
        problems: list[Diagnostic] = []
        for endpoint in self.endpoints.values():
            binding = endpoint.binding
            # A scope whose names are not known may yield every name.
            for name in () if scoped is None else binding.unknown_names([*collaborators, *scoped]):
                message = f"{binding.operation} does not send '{name}', and no collaborator has that name (collaborators: {offered})"
                problems.append(Diagnostic(binding.where(), message))
            for name in sorted(
                {*binding.names.values(), *RESERVED_ARGUMENTS} & {*collaborators, *(scoped or ())}
            ):
                message = (
                    f"the collaborator '{name}' has the name of an argument of {binding.operation}; rename it"
                )
                problems.append(Diagnostic(binding.where(), message))
        needed = {
            self.hooks.identify: [name for name in required_names(self.hooks.identify) if name != "claims"]
        }
        needed |= {function: required_names(function)[1:] for function in self.hooks.verifiers.values()}
        if self.hooks.scope is not None:
            needed[self.hooks.scope] = [
                name for name in required_names(self.hooks.scope) if name not in CONTEXT_NAMES
            ]
        for function, names in needed.items():
            for name in names:
                if name not in collaborators:
                    message = f"{function.__name__} needs '{name}', and no collaborator has that name (collaborators: {offered})"
                    problems.append(Diagnostic(code_place(function), message))
        return problems

    def _collaborators_failed(self, exc: BaseException) -> SetupError:
        """Report the exception class but not its text, which may contain a URL with a password."""
        _log.debug("collaborators() failed", exc_info=exc)
        message = f"collaborators() failed: {type(exc).__name__}; RELAY_LOG_LEVEL=debug shows where"
        return SetupError([Diagnostic(code_place(self.hooks.collaborators), message)])


def create(
    settings: Settings, development_key: Callable[[], str] | None = None, folder: Path | None = None
) -> Application:
    """Read the contract, import the package, bind the handlers and compile the endpoints.

    If no package is configured and every operation has a policy for missing handlers, the contract is
    served without a package; a configured package must exist. `development_key` creates the HS256 secret
    of a service that needs one and has none, in development only. `folder` is the project's, whose modules the
    contract may name. The package's `collaborators` are
    opened later, when the service starts. Raises SetupError with all errors.
    """
    problems: list[Diagnostic] = []
    key_problems: list[Diagnostic] = []
    is_strict = settings.strict or settings.environment == "production"
    contract = _attempt(lambda: _contract(settings), problems)
    if contract is not None and is_strict:
        problems += contract.faults
    policies = _attempt(lambda: _policies(settings, contract), problems)
    named = NamedFunctions(folder, settings.handlers)
    package = _attempt(lambda: _package(settings, contract, policies, named), problems)
    jwt = _attempt(lambda: token_verifier(settings), key_problems)
    _attempt(lambda: _check_monitoring(settings), problems)
    problems += key_problems
    if contract is None or policies is None or package is None:
        raise SetupError(problems)
    hooks = PackageHooks.of(package)
    if hooks.scope is not None and (message := scope_problem(hooks.scope)):
        problems.append(Diagnostic("scope", message))
    is_mocking = policies.includes(MissingHandlerPolicy.MOCK)  # which production refuses
    allowed_origins = _attempt(
        lambda: cors(settings.cors_origins, contract, allows_local=is_mocking), problems
    )
    middleware = _attempt(lambda: read_middleware(hooks.middleware), problems) or []
    translate = _attempt(lambda: read_errors(hooks.errors), problems) or ErrorTranslator({})
    bindings, found = bind(contract, package, policies, named)
    is_alone = not is_package(package) and all(binding.missing for binding in bindings)
    wrong: list[Diagnostic] = []
    if is_alone:
        hooks.accept_unverified(contract)
    else:
        hooks.named_verifiers, wrong = info_functions(
            contract, hooks.verifiers, named, has_key=jwt is not None
        )
    has_key = jwt is not None or key_problems or settings.environment == "production"
    if development_key and not has_key and tokens_needed(contract, hooks):
        if (secret := _attempt(development_key, key_problems)) is not None:
            settings = settings.model_copy(update={"jwt_secret": SecretStr(secret)})
            jwt = token_verifier(settings)
        problems += key_problems
    if not key_problems and not wrong:
        problems += verifier_problems(contract, hooks, has_jwt=jwt is not None)
    observer = Observer(Metrics() if settings.metrics else None)
    compiled = _Compiled(contract, bindings, settings)
    if is_alone:
        compiled.render_as_documented(hooks)
    problems += [*wrong, *errors(found), *(compiled.errors if is_strict else [])]
    if problems:
        raise SetupError(problems)
    bodies = undocumented_bodies(bindings, contract)
    warnings = [*contract.faults, *found, *compiled.errors, *compiled.warnings, *bodies]
    return Application(
        contract,
        settings,
        package,
        hooks,
        compiled.endpoints,
        middleware,
        allowed_origins,
        translate,
        jwt,
        observer,
        compiled.left_out,
        warnings,
    )


class _Compiled:
    """The endpoints of operations that can be compiled, by operation id; what is wrong with the others."""

    def __init__(
        self,
        contract: Contract,
        bindings: Iterable[Binding],
        settings: Settings,
    ) -> None:
        self._contract = contract
        strictness = Strictness(
            read_only=settings.read_only == "refuse",
            nul=settings.refuse_nul,
            unknown_query=settings.unknown_query == "refuse",
        )
        self._compiler = compiler = SchemaCompiler(contract, strictness)
        self.errors: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.left_out = [*contract.left_out]
        self.endpoints: dict[str, Endpoint] = {}
        for binding in bindings:
            self._add(Endpoint.of(binding, contract, compiler))
        for endpoint in [*self.endpoints.values()]:
            if endpoint.binding.missing is MissingHandlerPolicy.MOCK:
                self._add(self._mocked(endpoint))
        compiler.prepare()

    def _mocked(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint with mock responses, which use the validators of all operations."""
        from relay.mock import Mock  # not imported in production, which has no mocks

        mock = Mock(endpoint.operation, self._contract, self._compiler, endpoint.encoder)
        return replace(endpoint, mock=mock)

    def render_as_documented(self, hooks: PackageHooks) -> None:
        """Let errors have the bodies that the contract documents; what prevents that is a warning."""
        hooks.render_as_documented(self._contract, self._compiler)
        found = self._compiler.take_problems()
        self.warnings += [one for one in found if one.severity is Severity.WARNING]

    def _add(self, endpoint: Endpoint) -> None:
        """Keep an endpoint, unless compiling it has reported an error."""
        found = self._compiler.take_problems()
        wrong = errors(found)
        self.errors += wrong
        self.warnings += [one for one in found if one not in wrong]
        operation = endpoint.binding.operation
        if wrong:
            place = self._contract.place(operation.pointer)
            self.left_out.append(LeftOut.of(operation.method, operation.path, place, wrong[0]))
            self.endpoints.pop(operation.id, None)
        else:
            self.endpoints[operation.id] = endpoint


T = TypeVar("T")


def _attempt(step: Callable[[], T], problems: list[Diagnostic]) -> T | None:
    """Run one step of the set-up and collect its errors, so that the next steps can report theirs too."""
    try:
        return step()
    except SetupError as exc:
        problems += exc.problems
        return None


def _contract(settings: Settings) -> Contract:
    if settings.spec is None:
        raise SetupError(
            [Diagnostic("RELAY_SPEC", "missing: set it to the contract to serve, or use --spec")]
        )
    contract = load_contract(settings.spec, settings.contract_root).named(settings.names)
    if problems := settings.limits.problems(contract):
        raise SetupError(problems)
    return contract


def _check_monitoring(settings: Settings) -> None:
    """Raise SetupError if metrics or traces cannot be offered as the settings say."""
    if settings.metrics_bind is not None:
        bind_address(settings.metrics_bind)
    if settings.tracing:
        check_installed()


def _policies(settings: Settings, contract: Contract | None) -> Policies:
    """Read the policies for missing handlers; mocks are not allowed in production."""
    if contract is None:
        return Policies()
    policies = read_policies(settings.missing, contract)
    if settings.environment == "production" and policies.includes(MissingHandlerPolicy.MOCK):
        message = "mock responses are not allowed with RELAY_ENVIRONMENT=production; use stub or fail"
        raise SetupError([Diagnostic("RELAY_MISSING", message)])
    return policies


def _package(
    settings: Settings, contract: Contract | None, policies: Policies | None, named: NamedFunctions
) -> ModuleType:
    """Import the handlers package; return an empty module if it is neither configured nor needed.

    A configured package is always imported, because it may verify the credentials.
    """
    name = settings.handlers
    if "handlers" in settings.model_fields_set:
        return import_package(name)
    can_serve_alone = contract is not None and policies is not None and policies.cover(contract)
    names_any = contract is not None and named.has_any_module(contract)
    if importlib.util.find_spec(name) is None:
        if can_serve_alone or names_any or contract is None:
            return ModuleType(name)
        raise SetupError([Diagnostic("RELAY_HANDLERS", no_package_message(name, contract)), *named.notes()])
    package = import_package(name)
    if contract is None or has_any_handler(contract, package):
        return package
    if names_any:
        return package if named.owns(package) else ModuleType(name)
    return ModuleType(name) if can_serve_alone else package
