"""Check one exchange against the contract: the response, and whether the request should have been refused."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from relay.contract.diagnostics import SetupError
from relay.contract.methods import METHODS
from relay.contract.model import Contract, LeftOut, Operation
from relay.server.errors import MalformedPath
from relay.server.routing import Match, Routes
from relay.validation import http as messages
from relay.validation.errors import ApiError, InvalidRequest
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler

from .exchanges import REDACTED, Exchange, Request
from .responses import Finding, ResponseChecker
from .results import Failure
from .secret_spellings import Spellings

_SAFE_EXTRAS = ("HEAD", "OPTIONS")  # a server may support these in addition to the contract's methods
_TRACE = re.compile(rb'Traceback \(most recent call last\)|  File \\?".*?\\?", line \d')


class Where(NamedTuple):
    """The path of the contract that a request is about, and its operation if the method is documented.

    `left_out` are the methods of the path that cannot be served, in upper case; `methods` are the others.
    """

    path: str
    methods: dict[str, Operation]
    operation: Operation | None
    variables: dict[str, str]
    left_out: frozenset[str] = frozenset()


class ConformanceChecker:
    """Checks exchanges against one contract, with the validators that the server uses.

    `base_path` is the prefix of the contract's paths, `secrets` are values that no response may contain.
    A body that was not recorded is not checked. `unwritten` are the ids of operations whose handler is a
    stub, `mocked` those that a mock answers: of their 501 only leaks are reported. Raises SetupError for schemas that
    cannot be compiled.
    """

    def __init__(
        self,
        contract: Contract,
        base_path: str,
        secrets: Iterable[str] = (),
        unwritten: Collection[str] = (),
        mocked: Collection[str] = (),
    ) -> None:
        self.contract = contract
        self.base_path = base_path.rstrip("/")
        self._mocked, self._unwritten = mocked, unwritten
        self._secrets = Spellings(secrets)
        self._routes = _routes(contract)
        compiler = SchemaCompiler(contract)
        self._decoders = {
            operation.id: RequestDecoder(operation, operation.arguments, compiler)
            for operation in contract.operations
        }
        self._responses = ResponseChecker(contract, compiler)
        if wrong := [problem for problem in compiler.problems if problem.rule == "schema"]:
            raise SetupError(wrong)  # `relay lint` reports the other problems, which do not prevent a check

    def where(self, request: Request) -> Where | None:
        """Return what a request is about; None if the contract does not have its path."""
        raw_path = urlsplit(request.url).path
        if not raw_path.startswith(f"{self.base_path}/"):
            return None
        try:
            match = self._routes.find(raw_path.removeprefix(self.base_path))
        except MalformedPath:
            return None
        return _found(match, request.method.upper()) if match else None

    def operation_of(self, request: Request) -> Operation | None:
        """Return the operation that a request is for."""
        where = self.where(request)
        return where.operation if where else None

    def is_valid_request(self, request: Request, operation: Operation) -> bool:
        """Return True if a request matches an operation and conforms to the contract."""
        return self.request_violation(request, operation) is None

    def request_violation(self, request: Request, operation: Operation) -> str | None:
        """Return what is wrong with a request, as a clause that follows the word `request`; None if nothing is."""
        where = self.where(request)
        if where is None or where.operation is not operation:
            return "that has another path"
        return next(self._request_violations(request, operation, where.variables), None)

    def is_unwritten(self, exchange: Exchange) -> bool:
        """Return True for the 501 of an operation that is not written yet."""
        return self._operation_of_501(exchange, self._unwritten) is not None

    def unmockable(self, exchanges: Iterable[Exchange]) -> list[Operation]:
        """Return the operation of each 501 of a mock, which has found no response that conforms to the contract."""
        found = (self._operation_of_501(exchange, self._mocked) for exchange in exchanges)
        return [operation for operation in found if operation is not None]

    def _operation_of_501(self, exchange: Exchange, ids: Collection[str]) -> Operation | None:
        operation = self.operation_of(exchange.request) if exchange.status == 501 and ids else None
        return operation if operation is not None and operation.id in ids else None

    def is_excused(self, exchange: Exchange) -> bool:
        """Return True for a response that the contract need not document: of a stub, or of what cannot be served."""
        where = self.where(exchange.request)
        if where is None:
            return False
        operation = where.operation
        # Of an operation that is not written yet, Relay sends a 4xx, whatever is documented.
        is_refused = operation is not None and operation.id in self._unwritten and exchange.status // 100 == 4
        return (
            is_refused
            or exchange.request.method.upper() in where.left_out
            or self.is_unwritten(exchange)
            or bool(self.unmockable([exchange]))
        )

    def judges_response(self, exchange: Exchange) -> bool:
        """Return True for a response whose headers, media type and body `check` compares with the contract."""
        operation = self.operation_of(exchange.request)
        return operation is not None and self._responses.judges(exchange, operation)

    def check(self, exchange: Exchange) -> list[Failure]:
        """Return all violations of the contract in an exchange."""
        where = self.where(exchange.request)
        return self._failures(self._findings(exchange, where), where and where.operation, exchange)

    def check_unknown_path(self, exchange: Exchange) -> list[Failure]:
        """Return what is wrong with the error response to a path that is not in the contract."""
        label = f"{exchange.request.method} of an unknown path"
        shape = self._responses.error_shape(exchange, f"{exchange.status} of {label}", ("paths",))
        return self._failures([*self._leaks(exchange, label, None), *shape], None, exchange)

    def _failures(
        self, findings: Iterable[Finding], operation: Operation | None, exchange: Exchange
    ) -> list[Failure]:
        about = str(operation) if operation else None
        return [
            Failure(self.contract.place(pointer), message, rule, operation=about, exchange=exchange)
            for rule, pointer, message in findings
        ]

    def _findings(self, exchange: Exchange, where: Where | None) -> Iterator[Finding]:
        label = f"{exchange.request.method} {where.path if where else 'outside of the contract'}"
        yield from self._leaks(exchange, label, where)
        if where is None or self.is_excused(exchange):
            return
        if where.operation is None:
            yield from self._undocumented_method(exchange, where, label)
            return
        yield from self._responses.findings(exchange, where.operation)
        if 200 <= exchange.status < 300 and not exchange.broke_off:
            for violation in self._request_violations(exchange.request, where.operation, where.variables):
                message = f"{where.operation} accepted a request {violation}; refuse it"
                yield "request-accepted", where.operation.pointer, message

    def _leaks(self, exchange: Exchange, label: str, where: Where | None) -> Iterator[Finding]:
        pointer = where.operation.pointer if where and where.operation else ("paths",)
        head = "\n".join(f"{name}: {value}" for name, value in exchange.headers)
        body = exchange.body or b""
        if self._secrets.are_in(head.encode() + body):
            message = f"{exchange.status} of {label} contains a secret; remove it from the response"
            yield "leaked-secret", pointer, message
        if _TRACE.search(body):
            message = f"{exchange.status} of {label} contains a traceback; respond with fixed text"
            yield "leaked-traceback", pointer, message

    def _undocumented_method(self, exchange: Exchange, where: Where, label: str) -> Iterator[Finding]:
        pointer = ("paths", where.path)
        if exchange.status == 405:
            allowed = {name.strip().upper() for name in (exchange.header("allow") or "").split(",")}
            if missing := ", ".join(sorted(where.methods.keys() - allowed)):
                message = f"405 of {label} has an Allow without {missing}; list all methods of the path"
                yield "incomplete-allow", pointer, message
            yield from self._responses.error_shape(exchange, f"405 of {label}", pointer)
        elif exchange.status < 400 and exchange.request.method.upper() not in _SAFE_EXTRAS:
            message = (
                f"{label} gets a {exchange.status}, but the contract has no such method; respond with 405"
            )
            yield "undocumented-method", pointer, message

    def _request_violations(
        self, request: Request, operation: Operation, variables: dict[str, str]
    ) -> Iterator[str]:
        """Yield what is wrong with a request, as a clause that follows the word `request`."""
        headers = [
            (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in request.headers
        ]
        url = urlsplit(request.url)
        path, query = url.path.encode(), url.query.encode()
        sent = messages.Request(variables, query, headers, request.body or b"", path)
        unrecorded = _unrecorded_parts(request)
        try:
            self._decoders[operation.id].decode(sent)
        except InvalidRequest as exc:
            for one in exc.failures:
                if one.location not in unrecorded:
                    yield f"whose {one.location} violates the contract at {one.path or '/'}: {one.message}"
        except ApiError as exc:
            yield f"that violates the contract: {exc.message}"


def _routes(contract: Contract) -> Routes[Operation | LeftOut]:
    routes: dict[tuple[str, str], Operation | LeftOut] = {
        (one.method, one.path): one for one in contract.operations
    }
    for left_out in contract.left_out:
        if left_out.path.startswith("/"):
            for method in [left_out.method] if left_out.method else METHODS:
                routes.setdefault((method, left_out.path), left_out)
    return Routes.of(routes)


def _found(match: Match[Operation | LeftOut], method: str) -> Where:
    methods = {name: one for name, one in match.methods.items() if isinstance(one, Operation)}
    operation = methods.get(method)
    path = (operation or next(iter(methods.values() or match.methods.values()))).path
    variables = match.variables(method) if operation else {}
    return Where(path, methods, operation, variables, frozenset(match.routes.keys() - methods.keys()))


def _unrecorded_parts(request: Request) -> set[str]:
    """Return the parts of a request that cannot be checked, as they were redacted or not recorded."""
    is_redacted = any(name.lower() == "cookie" and REDACTED in value for name, value in request.headers)
    return ({"body"} if request.body is None else set()) | ({"cookie"} if is_redacted else set())
