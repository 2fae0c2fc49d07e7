"""Contract + handlers package → one ASGI application on Connexion, compiled before the first request."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import quote

from . import docs, health
from .auth import Authenticate, Verify, compile_security, missing_verifiers, scheme_type, schemes_in_use, JWT_TYPES
from .binding import (
    Binding,
    accepted_names,
    bind,
    code_place,
    import_package,
    required_names,
    with_collaborators,
)
from .contract import Contract, load_contract
from .edge import ALWAYS, Edge, read_body, send_answer
from .errors import MethodNotAllowed, NotFound, RenderError, ResponseViolation, problem_details, report
from .framework import (
    ROUTING_CONTEXT,
    AbstractOperation,
    ConnexionMiddleware,
    Resolution,
    Resolver,
    RoutedAPI,
    RoutedMiddleware,
    SpecMiddleware,
)
from .problems import Problem, SetupError
from .routing import Routes
from .schemas import SchemaCompiler
from .settings import HostSettings, token_verifier
from .validation import Answer, Request, RequestDecoder, ResponseEncoder

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
    identify: Callable[..., Any] | None
    verifiers: Mapping[str, Callable[..., Any]]
    render_error: RenderError

    @classmethod
    def of(cls, package: ModuleType) -> Exports:
        """Read a package's exports."""
        return cls(
            collaborators=getattr(package, "collaborators", _no_collaborators),
            identify=getattr(package, "identify", None),
            verifiers=getattr(package, "verifiers", {}),
            render_error=getattr(package, "render_error", problem_details),
        )


@asynccontextmanager
async def _no_collaborators(_settings: Any) -> AsyncIterator[Mapping[str, Any]]:
    yield {}


class Endpoint:
    """One operation, compiled: request → authenticated, validated, handled, validated → answer."""

    __slots__ = ("_authenticate", "_body_limit", "_decoder", "_encoder", "_handler", "_identify", "_wants", "binding")

    def __init__(self, binding: Binding, contract: Contract, compiler: SchemaCompiler, body_limit: int) -> None:
        self.binding = binding
        self._body_limit = body_limit
        self._decoder = RequestDecoder(binding.operation, binding.names, compiler, contract)
        self._encoder = ResponseEncoder(binding.operation, contract, compiler)
        accepted = accepted_names(binding.function)
        self._wants = frozenset({"caller", "claims"}) if accepted is None else accepted & {"caller", "claims"}

    def connect(
        self, authenticate: Authenticate, identify: Callable[..., Awaitable[Any]] | None, collaborators: Mapping[str, Any]
    ) -> None:
        """Give the endpoint what exists only while the service runs."""
        self._authenticate = authenticate if self.binding.operation.security else None
        self._identify = identify
        self._handler = with_collaborators(self.binding.function, collaborators)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        claims = caller = None
        if self._authenticate is not None:
            claims = await self._authenticate(scope["headers"], scope["query_string"])
            if claims is not None and self._identify is not None:
                caller = await self._identify(claims=claims)
        decoder = self._decoder
        if decoder.wants_nothing:
            arguments = {}
        else:
            body = await read_body(scope, receive, self._body_limit) if decoder.wants_body else b""
            arguments = decoder.decode(Request(scope["path_params"], scope["query_string"], scope["headers"], body))
        if "caller" in self._wants:
            arguments["caller"] = caller
        if "claims" in self._wants:
            arguments["claims"] = claims
        try:
            result = await self._handler(**arguments)
        except Exception as exc:
            self._check_documented(exc)
            raise
        answer = self._encoder.encode(result)
        answer.headers.extend(ALWAYS)
        await send_answer(send, answer)

    def _check_documented(self, exc: Exception) -> None:
        """Hold a failure that the handler chose to the contract too: its status has to be documented."""
        found = report(exc)
        if found is not None and found.status < 500 and self.binding.operation.response(found.status) is None:
            raise ResponseViolation.undocumented(found.status) from exc


class _Router(SpecMiddleware):  # type: ignore[misc]  # Connexion ships no types
    """Finds the operation of a request and leaves its id where Connexion's middlewares look for it."""

    def __init__(self, app: Any, extras: Mapping[str, docs.Page | Callable[[], Awaitable[Answer]]]) -> None:
        self._app = app
        self._extras = extras
        self._routes: Routes[dict[str, str]] = Routes()

    def add_api(self, specification: Any, *, base_path: str, resolver: Resolver, **_kwargs: Any) -> None:
        """Register every operation of the contract."""
        for path, item in specification["paths"].items():
            for method, operation in item.items():
                context = {"api_base_path": base_path, "operation_id": operation["operationId"]}
                self._routes.add(base_path + path, method, context)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw_path = scope.get("raw_path")
        match = self._routes.find(raw_path.decode("latin-1") if raw_path else quote(scope["path"]))
        if match is not None:
            context = match.methods.get(scope["method"])
            if context is None:
                raise MethodNotAllowed({"allow": ", ".join(sorted(match.methods))})
            scope["path_params"] = match.variables
            scope.setdefault("extensions", {})[ROUTING_CONTEXT] = context
            await self._app(scope, receive, send)
            return
        extra = self._extras.get(scope["path"])
        if extra is None:
            raise NotFound
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed({"allow": "GET, HEAD"})
        answer = extra.answer(scope["headers"]) if isinstance(extra, docs.Page) else await extra()
        await send_answer(send, answer)


class _Api(RoutedAPI):  # type: ignore[misc]  # Connexion ships no types
    """The endpoints, under the ids by which Connexion hands requests to them."""

    def __init__(self, specification: Any, *, next_app: Any, resolver: Resolver, base_path: str, **_kwargs: Any) -> None:
        super().__init__(specification, next_app=next_app, resolver=resolver, base_path=base_path)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> Any:
        """Return the compiled endpoint that the resolver found for Connexion's operation."""
        return operation.function


class _Endpoints(RoutedMiddleware):  # type: ignore[misc]  # Connexion ships no types
    """The end of the stack: hands a routed request to its endpoint."""

    api_cls = _Api

    def __init__(self) -> None:
        super().__init__(_nothing_behind)


async def _nothing_behind(_scope: Any, _receive: Any, _send: Any) -> None:
    """Stand where Connexion would have an application: every operation ends before it."""


class _EndpointResolver(Resolver):  # type: ignore[misc]  # Connexion ships no types
    """operationId → compiled endpoint; Connexion asks once per middleware, so nothing is done here."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        super().__init__()
        self._endpoints = endpoints

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Find the endpoint of one of Connexion's operations."""
        return Resolution(self._endpoints[operation.operation_id], operation.operation_id)


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
        extras: dict[str, docs.Page | Callable[[], Awaitable[Answer]]] = {
            "/livez": health.livez,
            "/readyz": lambda: health.readyz(self.collaborators),
        }
        if self.settings.openapi:
            extras |= docs.contract_pages(self.contract)
        if self.settings.docs and self.settings.openapi:
            extras |= docs.swagger_pages(self.contract)
        middleware = ConnexionMiddleware(
            _Endpoints(),
            middlewares=[lambda app: _Router(app, extras)],
            resolver=_EndpointResolver(self.endpoints),
        )
        middleware.add_api(_skeleton(self.contract), base_path=self.contract.base_path)
        self._asgi = Edge(middleware, self.exports.render_error)

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
            name: with_collaborators(function, collaborators) for name, function in self.exports.verifiers.items()
        }
        if self.jwt is not None:
            for name, scheme in self.contract.security_schemes.items():
                if scheme_type(scheme) in JWT_TYPES:
                    verifiers.setdefault(name, self.jwt)
        identify = self.exports.identify and with_collaborators(self.exports.identify, collaborators)
        for endpoint in self.endpoints.values():
            operation = endpoint.binding.operation
            endpoint.connect(compile_security(operation, self.contract, verifiers), identify, collaborators)

    def _unknown_names(self, collaborators: Mapping[str, Any]) -> list[Problem]:
        offered = ", ".join(sorted(collaborators)) or "none"
        problems: list[Problem] = []
        for endpoint in self.endpoints.values():
            binding = endpoint.binding
            for name in binding.unknown_names(collaborators):
                message = f"{binding.operation} sends no '{name}' and no collaborator has that name (there are: {offered})"
                problems.append(Problem(binding.where(), message))
            for name in sorted({*binding.names.values(), "body", "caller", "claims"} & {*collaborators}):
                message = f"the collaborator '{name}' has the name of an argument of {binding.operation}; rename it"
                problems.append(Problem(binding.where(), message))
        if self.exports.identify is not None:
            for name in required_names(self.exports.identify):
                if name != "claims" and name not in collaborators:
                    message = f"identify: no collaborator is called '{name}' (there are: {offered})"
                    problems.append(Problem(code_place(self.exports.identify), message))
        return problems

    async def _lifespan(self, receive: Any, send: Any) -> None:
        """Speak ASGI's lifespan protocol; what goes wrong is kept for the command to print."""
        await receive()
        try:
            await self._stack.enter_async_context(self.running())
        except SetupError as exc:
            self.startup_error = exc
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def create(package_name: str, settings: HostSettings) -> Application:
    """Read the contract, import the package, bind and compile; raise SetupError with all that is wrong.

    Opens nothing: what a package's `collaborators` opens is opened when the service starts.
    """
    problems: list[Problem] = []
    contract = _attempt(lambda: _contract(settings), problems)
    package = _attempt(lambda: import_package(package_name), problems)
    jwt = _attempt(lambda: token_verifier(settings), problems)
    keys_are_good = not any(problem.where.startswith("RELAY_JWT") for problem in problems)
    if contract is not None and package is not None:
        exports = Exports.of(package)
        if keys_are_good:
            problems += _verifier_problems(contract, exports, has_jwt=jwt is not None)
        endpoints = _attempt(lambda: _compile(contract, package, settings), problems)
        if endpoints is not None and not problems:
            return Application(contract, settings, exports, endpoints, jwt)
    raise SetupError(problems)


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


def _compile(contract: Contract, package: ModuleType, settings: HostSettings) -> dict[str, Endpoint]:
    compiler = SchemaCompiler(contract)
    bindings = bind(contract, package)
    endpoints = {
        binding.operation.id: Endpoint(binding, contract, compiler, settings.body_limit) for binding in bindings
    }
    if compiler.problems:
        raise SetupError(compiler.problems)
    return endpoints


def _verifier_problems(contract: Contract, exports: Exports, *, has_jwt: bool) -> list[Problem]:
    in_use = schemes_in_use(contract)
    by_jwt = [
        name
        for name in in_use
        if name not in exports.verifiers and scheme_type(contract.security_schemes[name]) in JWT_TYPES
    ]
    if by_jwt and not has_jwt:
        names = ", ".join(by_jwt)
        hint = "set it, or RELAY_JWT_PUBLIC_KEY or RELAY_JWT_JWKS; `relay serve --demo` brings its own"
        return [
            Problem("RELAY_JWT_SECRET", f"missing: the contract's security scheme {names} needs a key; {hint}"),
            *missing_verifiers(contract, {**exports.verifiers, **dict.fromkeys(by_jwt)}),
        ]
    return missing_verifiers(contract, {**exports.verifiers, **dict.fromkeys(by_jwt)})


def _skeleton(contract: Contract) -> dict[str, Any]:
    """Return what Connexion needs of the contract: which operation lives where.

    It copies and resolves whatever it is given once per middleware, which for a large contract
    takes seconds; everything else is compiled from `Contract`.
    """
    paths: dict[str, Any] = {}
    for operation in contract.operations:
        paths.setdefault(operation.path, {})[operation.method] = {
            "operationId": operation.id,
            "responses": {"default": {"description": ""}},
        }
    return {"openapi": "3.0.3", "info": {"title": contract.title, "version": "-"}, "paths": paths}
