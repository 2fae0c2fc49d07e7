"""A compiled service: it opens its collaborators, answers requests, and closes them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

from relay.contract.diagnostics import Diagnostic, NotYetThere, SetupError

from .binding import Binding
from .bodies import BodyReader
from .deadline import Deadline
from .endpoint import Endpoint, ServedOperation
from .error_responses import ErrorResponses, ErrorTranslator
from .errors import RenderOperationError
from .function_checks import check_names
from .functions import code_place, named_arguments, takes_upload
from .guard import Guard
from .handler_modules import is_package
from .info_functions import info_verifier
from .lifespan import Lifespan, is_cancelled, not_started
from .observability import BIND, Metrics, Observer, bind_address
from .package_hooks import PackageHooks, open_collaborators
from .pages import contract_pages, livez, readyz, swagger_pages, to_docs
from .pipeline import Compiled, Pipeline
from .proxies import TrustedProxies
from .request import Request, RequestScope
from .results import ResultEncoder
from .security import Authenticator, Requiring, Verify, requiring, token_schemes
from .stages.outermost import Extra, Pages, not_found
from .threads import ThreadPools, accepted_names
from .tracing import Traced, exporting

METRICS_CONNECTIONS = 16
"""Connections to the metrics' own address."""

_log = logging.getLogger("relay")


@dataclass(slots=True)
class Application(Compiled):
    """A compiled service: an ASGI application that is ready to start."""

    package: ModuleType
    hooks: PackageHooks
    render_error: RenderOperationError
    translate: ErrorTranslator
    jwt: Verify | None
    observer: Observer
    warnings: list[Diagnostic]
    collaborators: dict[str, Any] = field(default_factory=dict)
    """The objects that handlers get by name, while the service runs."""
    argument_warnings: list[Diagnostic] = field(default_factory=list)
    """Arguments that nothing has the name of, found when the collaborators were opened."""
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
        """Open the collaborators and connect the endpoints, until left. Raises SetupError as `opened`."""
        errors = ErrorResponses(self.render_error, self.translate, self.observer)
        async with AsyncExitStack() as stack:
            if (metrics := self.observer.metrics) is not None and self.settings.metrics_bind:
                await stack.enter_async_context(self._serving(metrics, self.settings.metrics_bind))
            if self.settings.tracing:
                await stack.enter_async_context(exporting())
            threads = stack.enter_context(ThreadPools.opened(self.settings.threads))
            self.collaborators = dict(await stack.enter_async_context(self.opened()))
            pages = self._pages()
            outermost = Pipeline(self, self._served(threads), pages, errors).app
            self._asgi = Traced(outermost, self.contract, pages) if self.settings.tracing else outermost
            yield

    @asynccontextmanager
    async def opened(self, *, read_only: bool = False) -> AsyncIterator[Mapping[str, Any]]:
        """Open the package's collaborators; close them on exit.

        Raises SetupError if a collaborator fails, or a function requires an argument that Relay does not pass;
        NotYetThere if `read_only`, which `collaborators` may accept, prevents one from being created.
        """
        function = self.hooks.collaborators
        options = {"read_only": True} if read_only and "read_only" in (accepted_names(function) or ()) else {}
        async with AsyncExitStack() as stack:
            try:
                collaborators = await open_collaborators(function(self.settings, **options), stack)
            except (SetupError, NotYetThere):
                raise
            except BaseException as exc:
                if is_cancelled():
                    raise
                # The text of the exception may contain a URL with a password.
                _log.debug("collaborators() failed", exc_info=exc)
                message = f"collaborators() failed: {type(exc).__name__}; RELAY_LOG_LEVEL=debug shows where"
                raise SetupError([Diagnostic(code_place(function), message)]) from exc
            bindings = [endpoint.binding for endpoint in self.endpoints.values()]
            self.argument_warnings = check_names(bindings, self.hooks, collaborators)
            yield collaborators

    @asynccontextmanager
    async def _serving(self, metrics: Metrics, bind: str) -> AsyncIterator[None]:
        """Serve the metrics at their own address, with the limits of the service; SetupError if it is not free."""
        from .transport.servers import listening  # imports uvicorn

        host, port = bind_address(bind)
        pages = Pages(not_found, pages={"/metrics": metrics.page})
        errors = ErrorResponses(self.render_error, self.translate, Observer(None))
        guard = Guard(pages, errors=errors, limit=METRICS_CONNECTIONS)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(listening(guard, METRICS_CONNECTIONS, host, port))
            except OSError as exc:
                message = f"cannot listen on {host}:{port}: {exc.strerror or exc}"
                raise SetupError([Diagnostic(BIND, message)]) from exc
            yield

    def _pages(self) -> dict[str, Extra]:
        pages: dict[str, Extra] = {
            "/livez": livez,
            "/readyz": lambda: readyz(self.collaborators, self.reload_problems, len(self.left_out)),
        }
        if (metrics := self.observer.metrics) is not None and self.settings.metrics_bind is None:
            pages["/metrics"] = metrics.page
        if self.settings.openapi:
            pages |= contract_pages(self.contract)
        if self.settings.docs and self.settings.openapi:
            pages |= {"/": to_docs, **swagger_pages(self.contract)}
        return pages

    def _served(self, threads: ThreadPools) -> dict[str, ServedOperation]:
        settings, collaborators, scope = self.settings, self.collaborators, self.hooks.scope
        verifiers = self._verifiers(threads)
        identify = threads.identity.bound(self.hooks.identify, collaborators)
        request_scope = RequestScope(scope, collaborators, threads) if scope else None
        deadline = Deadline(settings.handler_seconds)
        proxies = TrustedProxies(settings.trusted_proxies)
        senders = proxies if settings.trusted_proxies else None  # of client certificates
        make_request = partial(Request, proxies=proxies)
        report = self.observer.violated if settings.response_violations == "report" else None

        def served(endpoint: Endpoint) -> ServedOperation:
            operation, function = endpoint.operation, endpoint.binding.function
            authenticate = Authenticator(
                operation, self.contract, verifiers, identify, self.translate, senders
            )
            known = {*endpoint.binding.names.values(), *collaborators}
            takes_request = "request" in named_arguments(function) - known
            return ServedOperation(
                endpoint,
                authenticate=authenticate if operation.security else None,
                handler=threads.handlers.bound(function, collaborators),
                request_scope=request_scope,
                results=ResultEncoder(endpoint.encoder, deadline, threads.handlers, report=report),
                deadline=deadline,
                observer=self.observer,
                bodies=BodyReader(operation, endpoint.decoder, settings, takes_upload=takes_upload(function)),
                make_request=make_request if takes_request else None,
                reports_only=report is not None,
            )

        return {id_: served(endpoint) for id_, endpoint in self.endpoints.items()}

    def _verifiers(self, threads: ThreadPools) -> dict[str, Requiring]:
        hooks = self.hooks
        verifiers: dict[str, Requiring] = {}
        if self.jwt is not None:
            verifiers |= dict.fromkeys(token_schemes(self.contract), requiring(self.jwt))
        for name, function in hooks.verifiers.items():
            verifiers[name] = requiring(threads.identity.bound(function, self.collaborators))
        for name, info in hooks.named_verifiers.items():
            verifiers[name] = info_verifier(info, threads.identity)
        return verifiers
