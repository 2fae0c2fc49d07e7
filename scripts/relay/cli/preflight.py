"""Checks of everything that a service needs before it is served; nothing is changed."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

from relay.contract.diagnostics import Diagnostic, NotYetThere, SetupError, Severity
from relay.project.project import Project, variable
from relay.project.settings import Settings, token_keys
from relay.server.app import Application
from relay.server.application import build
from relay.server.errors import report
from relay.server.handler_modules import is_package
from relay.server.info_functions import replaced_functions
from relay.server.keys import KeyProblem
from relay.server.observability import BIND, bind_address
from relay.server.tokens import token_verifier

from . import startup_banner
from .output import without_rest

_PROBE_SECONDS = 1.0


async def examine(project: Project, settings: Settings) -> AsyncIterator[Diagnostic]:
    """Yield errors, warnings and notes in the order of the checks."""
    try:
        application = build(project, settings, keep_key=False)
    except SetupError as exc:
        for problem in exc.problems:
            yield problem
        return
    for one in (*_compiled(application), *_replaced(application), *_weaknesses(application)):
        yield one
    for part in (_keys(application.settings), _addresses(settings), _collaborators(application)):
        async for one in part:
            yield one


def _ok(where: str, message: str) -> Diagnostic:
    return Diagnostic(where, message, "ok", Severity.INFO)


def _wrong(where: str, message: str) -> Diagnostic:
    return Diagnostic(where, message, "setup", Severity.ERROR)


def _compiled(application: Application) -> list[Diagnostic]:
    settings = application.settings
    return [
        _ok("settings", f"RELAY_ENVIRONMENT is {settings.environment}"),
        _ok("contract", f"{application.contract.place(()).file}, {startup_banner.operations(application)}"),
        *(_ok("handlers", line) for line in _functions(application)),
        *(_ok("handlers", line) for line in startup_banner.missing(application)),
        *without_rest(startup_banner.weakened(application)),
    ]


def _functions(application: Application) -> Iterator[str]:
    bindings = [endpoint.binding for endpoint in application.endpoints.values()]
    named = sum(one.is_named for one in bindings)
    own = sum(one.missing is None for one in bindings) - named
    if is_package(application.package):
        counted = startup_banner.counted(own) if own else "no operation"
        yield f"the package {application.settings.handlers} serves {counted}"
    if named:
        yield f"the project has the functions that {named} operationIds name"


def _replaced(application: Application) -> Iterator[Diagnostic]:
    """Warn of a key that verifies tokens instead of the function that the contract names."""
    if application.is_alone:
        return
    keys = token_keys(application.settings) if application.jwt is not None else {}
    replaced = replaced_functions(application.contract, application.hooks.verified) if keys else ()
    for scheme, source in replaced:
        message = f"it verifies the tokens of '{scheme}', so the function of {source} is not called; unset it to use that"
        yield Diagnostic(variable(next(iter(keys))), message, "replaced-function", Severity.WARNING)


async def _keys(settings: Settings) -> AsyncIterator[Diagnostic]:
    """Fetch the keys that tokens are verified with, as the first token would."""
    verifier = token_verifier(settings)
    if verifier is None:
        return
    name = variable(next(iter(token_keys(settings))))
    try:
        algorithms = await verifier.check()
    except KeyProblem as exc:
        yield _wrong(name, str(exc))
    else:
        count = len(algorithms)
        yield _ok(name, f"{count} key{'s' * (count != 1)}: {', '.join(sorted({*algorithms}))}")


async def _addresses(settings: Settings) -> AsyncIterator[Diagnostic]:
    """Bind all addresses of the service at the same time, and release them."""
    wanted = [("RELAY_HOST, RELAY_PORT", settings.host, settings.port, "/livez", b'"live"')]
    if settings.metrics and settings.metrics_bind:
        wanted.append((BIND, *bind_address(settings.metrics_bind), "/metrics", b"relay_"))
    with ExitStack() as stack:
        for where, host, port, path, ours in wanted:
            try:
                await _listen(stack, host, port)
            except (OSError, OverflowError) as exc:
                if await _answers(host, port, path, ours):
                    yield _ok(where, f"{host}:{port} is taken by a running service of this kind")
                else:
                    code = getattr(exc, "errno", None)
                    reason = os.strerror(code) if code and code > 0 else type(exc).__name__
                    yield _wrong(where, f"cannot listen on {host}:{port}: {reason}")
            else:
                yield _ok(where, f"{host}:{port} is free" if port else f"{host} has free ports")


async def _listen(stack: ExitStack, host: str, port: int) -> None:
    """Listen on every address of a host as the server would, without accepting connections."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(found):
        one = stack.enter_context(socket.socket(family, kind, protocol))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen()


async def _answers(host: str, port: int, path: str, ours: bytes) -> bool:
    """Return True if a Relay service listens there."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- what is bound, not ours to bind
    name = f"[{near}]" if ":" in near else near
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(near, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
                return ours in await reader.read()
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, OverflowError, TimeoutError):
        return False


async def _collaborators(application: Application) -> AsyncIterator[Diagnostic]:
    try:
        async with application.opened(read_only=True) as collaborators:
            for warning in application.argument_warnings:
                yield warning
            for name, one in collaborators.items():
                async for found in _collaborator(name, one):
                    yield found
    except NotYetThere as exc:
        yield _ok("collaborators", f"{exc}; the first start creates it, and checks the arguments of handlers")
    except SetupError as exc:
        for problem in exc.problems:
            yield problem


async def _collaborator(name: str, one: Any) -> AsyncIterator[Diagnostic]:
    try:
        if hasattr(one, "ready"):
            await one.ready()
        lines = await one.check() if hasattr(one, "check") else []
    except Exception as exc:  # noqa: BLE001 -- a package's own, whatever it is
        reason = getattr(exc, "reason", "") if report(exc) else ""
        cause = reason or f"{_names(exc)}; is it running, and reachable from here?"
        yield _wrong(name, f"not ready: {cause}")
        return
    for line in lines:
        yield Diagnostic(name, line, "repair", Severity.WARNING)
    if hasattr(one, "ready"):
        yield _ok(name, "it is ready")


def _names(exc: Exception) -> str:
    """Describe a failure by class names only: its text may contain a password."""
    known, cause = report(exc), type(exc.__cause__ or exc).__name__
    return f"{known.code} ({cause})" if known else cause


def _weaknesses(application: Application) -> list[Diagnostic]:
    """Return a warning for each weak setting of a service in production."""
    if application.settings.environment != "production":
        return []
    return [Diagnostic(where, what, "weak", Severity.WARNING) for where, what in _weak(application)]


def _weak(application: Application) -> Iterator[tuple[str, str]]:
    settings = application.settings
    if application.jwt is not None:
        if settings.jwt_issuer is None:
            yield "RELAY_JWT_ISSUER", "not set: tokens of any issuer are accepted; set it"
        if settings.jwt_audience is None:
            yield "RELAY_JWT_AUDIENCE", "not set: tokens without an audience are accepted; set it"
    if settings.openapi:
        served = "the contract and Swagger UI are" if settings.docs else "the contract is"
        yield "RELAY_OPENAPI", f"{served} public; set it to false unless that is intended"
    if settings.metrics and not settings.metrics_bind:
        message = "every client can read the metrics; set RELAY_METRICS_BIND, or block /metrics at the proxy"
        yield "RELAY_METRICS", message
    if settings.log_level == "debug":
        yield "RELAY_LOG_LEVEL", "debug may log personal data; set it to info"
    if settings.response_violations == "report":
        message = "responses that violate the contract are sent; set it to enforce once the log shows none"
        yield "RELAY_RESPONSE_VIOLATIONS", message
    if getattr(settings, "store", "") is None:
        yield "RELAY_STORE", "not set: the data is in this user's data folder; name a store"
    for one in application.missing:
        message = f"{one.operation} has no function and answers 501; write it, or remove it from the contract"
        yield "RELAY_MISSING", message
