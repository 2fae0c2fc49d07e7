"""Check one exchange against the contract: the response, and whether the request should have been refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Pointer
from relay.contract.methods import METHODS
from relay.contract.model import Contract, LeftOut, Operation, Response
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.server.errors import MalformedPath
from relay.server.routing import Match, Routes
from relay.validation import http as messages
from relay.validation import media_types as media
from relay.validation.errors import ApiError, InvalidRequest, ResponseViolation
from relay.validation.http import BODILESS
from relay.validation.item_content import ItemContent, PartContent
from relay.validation.json_strict import NotJson, parse_json
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler
from relay.validation.violations import Violation

from .contract_rules import finding
from .exchanges import REDACTED, Exchange, Request
from .partial_responses import MULTIPART, whole_of
from .response_validators import Content, ResponseValidators
from .results import Failure
from .secret_spellings import Spellings

_SAFE_EXTRAS = frozenset(
    ["HEAD", "OPTIONS"]
)  # a server may support these in addition to the contract's methods
_INDEX = re.compile(r"/\d+(?=/|$)")
_TRACE = re.compile(rb'Traceback \(most recent call last\)|  File \\?".*?\\?", line \d')


class Where(NamedTuple):
    """The path of the contract that an exchange is about, and its operation if the method is documented.

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
        self._mocked = mocked
        self._unwritten = unwritten
        compiler = SchemaCompiler(contract)
        self.base_path = base_path.rstrip("/")
        self._secrets = Spellings(secrets)
        self._routes = _routes(contract)
        self._decoders = {
            operation.id: RequestDecoder(operation, operation.arguments, compiler)
            for operation in contract.operations
        }
        self._response_validators = {
            response.pointer: ResponseValidators(response, contract, compiler)
            for operation in contract.operations
            for response in operation.responses.values()
        }
        self._envelope = self._common_envelope(compiler)
        if wrong := [problem for problem in compiler.problems if problem.rule == "schema"]:
            raise SetupError(wrong)  # `relay lint` reports the other problems, which do not prevent a check

    def where(self, exchange: Exchange) -> Where | None:
        """Return what an exchange is about; None if the contract does not have its path."""
        return self._where(exchange.request)

    def has_path(self, request: Request) -> bool:
        """Whether the contract has the path of a request."""
        return self._where(request) is not None

    def is_valid_request(self, request: Request, operation: Operation) -> bool:
        """Whether a request matches an operation and conforms to the contract."""
        return self.request_violation(request, operation) is None

    def request_violation(self, request: Request, operation: Operation) -> str | None:
        """Return what is wrong with a request, as a clause that follows the word `request`; None if nothing is."""
        where = self._where(request)
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
        where = self._where(exchange.request) if exchange.status == 501 and ids else None
        operation = where.operation if where else None
        return operation if operation is not None and operation.id in ids else None

    def is_excused(self, exchange: Exchange) -> bool:
        """Return True for a response that the contract need not document: of a stub, or of what cannot be served."""
        where = self._where(exchange.request)
        return where is not None and self._is_excused(exchange, where)

    def _is_excused(self, exchange: Exchange, where: Where) -> bool:
        return (
            exchange.request.method.upper() in where.left_out
            or self.is_unwritten(exchange)
            or self._operation_of_501(exchange, self._mocked) is not None
            or self._is_refused_by_a_stub(exchange, where)
        )

    def _is_refused_by_a_stub(self, exchange: Exchange, where: Where) -> bool:
        """Return True for a 4xx of an operation that is not written yet: Relay sends it, whatever is documented."""
        operation = where.operation
        return operation is not None and operation.id in self._unwritten and 400 <= exchange.status < 500

    def judges_response(self, exchange: Exchange) -> bool:
        """Return True for a response whose headers, media type and body `check` compares with the contract."""
        where = self._where(exchange.request)
        response = where.operation.response(exchange.status) if where and where.operation else None
        if response is None:
            return False
        validators = self._response_validators[response.pointer]
        if _is_bodiless(exchange) or not validators.content:
            return True
        content = validators.find(exchange)
        return content is None or content.judges(exchange.header("content-type") or "")

    def _where(self, request: Request) -> Where | None:
        raw_path = urlsplit(request.url).path
        if not raw_path.startswith(f"{self.base_path}/"):
            return None
        try:
            match = self._routes.find(raw_path.removeprefix(self.base_path))
        except MalformedPath:
            return None
        if match is None:
            return None
        return _found(match, request.method.upper())

    def check(self, exchange: Exchange) -> list[Failure]:
        """Return all violations of the contract in an exchange."""
        where = self.where(exchange)
        about = str(where.operation) if where and where.operation else None
        return [Failure(found, about, exchange) for found in self._findings(exchange, where)]

    def check_unknown_path(self, exchange: Exchange) -> list[Failure]:
        """Return what is wrong with the error response to a path that is not in the contract."""
        label = f"{exchange.request.method} of an unknown path"
        findings = [
            *self._leaks(exchange, label, None),
            *self._error_shape(exchange, f"{exchange.status} of {label}", ("paths",)),
        ]
        return [Failure(found, None, exchange) for found in findings]

    def _findings(self, exchange: Exchange, where: Where | None) -> Iterator[Diagnostic]:
        label = f"{exchange.request.method} {where.path if where else 'outside of the contract'}"
        yield from self._leaks(exchange, label, where)
        if where is None or self._is_excused(exchange, where):
            return
        if where.operation is None:
            yield from self._undocumented_method(exchange, where, label)
        else:
            yield from self._answer(exchange, where.operation)
            if 200 <= exchange.status < 300 and not exchange.broke_off:
                yield from self._request(exchange, where.operation, where.variables)

    def _leaks(self, exchange: Exchange, label: str, where: Where | None) -> Iterator[Diagnostic]:
        pointer = where.operation.pointer if where and where.operation else ("paths",)
        head = "\n".join(f"{name}: {value}" for name, value in exchange.headers)
        body = exchange.body or b""
        if self._secrets.are_in(head.encode() + body):
            message = f"{exchange.status} of {label} contains a secret; remove it from the response"
            yield finding(self.contract, "leaked-secret", pointer, message)
        if _TRACE.search(body):
            message = f"{exchange.status} of {label} contains a traceback; respond with fixed text"
            yield finding(self.contract, "leaked-traceback", pointer, message)

    def _undocumented_method(self, exchange: Exchange, where: Where, label: str) -> Iterator[Diagnostic]:
        pointer = ("paths", where.path)
        if exchange.status == 405:
            allowed = {name.strip().upper() for name in (exchange.header("allow") or "").split(",")}
            if missing := sorted(where.methods.keys() - allowed):
                message = (
                    f"405 of {label} has an Allow without {', '.join(missing)}; list all methods of the path"
                )
                yield finding(self.contract, "incomplete-allow", pointer, message)
            yield from self._error_shape(exchange, f"{exchange.status} of {label}", pointer)
        elif exchange.status < 400 and exchange.request.method.upper() not in _SAFE_EXTRAS:
            message = (
                f"{label} gets a {exchange.status}, but the contract has no such method; respond with 405"
            )
            yield finding(self.contract, "undocumented-method", pointer, message)

    def _answer(self, exchange: Exchange, operation: Operation) -> Iterator[Diagnostic]:
        whole = whole_of(exchange, operation)
        if whole is not None:
            yield from self._part(exchange, operation, whole)
            return
        response = operation.response(exchange.status)
        if response is None:
            known = ", ".join(operation.responses)
            message = f"{operation} responded {exchange.status}; the contract documents {known}"
            yield finding(self.contract, "undocumented-status", (*operation.pointer, "responses"), message)
        else:
            label = f"{exchange.status} of {operation}"
            validators = self._response_validators[response.pointer]
            yield from self._headers(exchange, validators, label)
            yield from self._content(exchange, validators, label)
        if exchange.status == 401 and exchange.header("www-authenticate") is None:
            message = f"401 of {operation} has no WWW-Authenticate; send one that names the scheme"
            pointer = response.pointer if response else operation.pointer
            yield finding(self.contract, "missing-challenge", pointer, message)

    def _part(self, exchange: Exchange, operation: Operation, whole: Response) -> Iterator[Diagnostic]:
        """Check the answer to a range or conditional request by the 200 that it is derived from."""
        label = f"{exchange.status} of {operation}"
        validators = self._response_validators[whole.pointer]
        if exchange.status == 206:
            yield from self._headers(exchange, validators, label)
            if media.essence(exchange.header("content-type") or "") != MULTIPART:
                yield from self._content(replace(exchange, body=None), validators, label)
        elif exchange.status >= 400:
            yield from self._error_shape(exchange, label, validators.pointer)

    def _headers(
        self, exchange: Exchange, validators: ResponseValidators, label: str
    ) -> Iterator[Diagnostic]:
        lines = [(name.lower(), value) for name, value in exchange.headers]
        for violation in validators.headers.violations(lines):
            message = f"{label} violates its header at {violation.path}: {violation.message}"
            yield finding(self.contract, "response-header", validators.pointer, message)

    def _content(
        self, exchange: Exchange, validators: ResponseValidators, label: str
    ) -> Iterator[Diagnostic]:
        is_bodiless = _is_bodiless(exchange)
        if is_bodiless or not validators.content:
            if exchange.body and not is_bodiless and exchange.status >= 400:
                # Contracts document many errors only in words; clients read what it is from a body.
                yield from self._error_shape(exchange, label, validators.pointer)
            elif exchange.body:
                reason = "HTTP allows none" if is_bodiless else "the contract documents none"
                message = f"{label} has a body, but {reason}; remove it"
                yield finding(self.contract, "unexpected-body", validators.pointer, message)
            return
        content_type = exchange.header("content-type") or ""
        name, pointer = media.key_of(content_type), (*validators.pointer, "content")
        content = validators.find(exchange)
        if content is None:
            known = ", ".join(validators.content)
            message = f"{label} has {f'media type {name}' if name else 'no media type'}; the contract documents {known}"
            yield finding(self.contract, "undocumented-media-type", pointer, message)
            return
        yield from self._body(exchange.body, content_type, content, pointer, label)

    def _body(
        self, body: bytes | None, content_type: str, content: Content, pointer: Pointer, label: str
    ) -> Iterator[Diagnostic]:
        if body is None or content.validator is None or not content.judges(content_type):
            return
        if content.items is not None:
            yield from self._items(body, content.items.begun(content_type), pointer, label)
            return
        name, charset, _ = media.parse_media_type(content_type)
        try:
            value = parse_json(body) if media.is_json(name) else body.decode(charset)
        except NotJson as exc:
            message = f"{label} is not JSON that all parsers read the same: {exc}"
            yield finding(self.contract, "not-json", pointer, message)
            return
        except (UnicodeDecodeError, LookupError):
            return  # the contract does not specify charsets
        broken = content.validator.violations(value)
        for message in dict.fromkeys(_violation_message(label, violation) for violation in broken):
            yield finding(self.contract, "response-violation", pointer, message)

    def _items(
        self, body: bytes, items: ItemContent | PartContent, pointer: Pointer, label: str
    ) -> Iterator[Diagnostic]:
        try:
            items.check_written(body)
        except ResponseViolation as exc:
            for message in dict.fromkeys(_violation_message(label, one) for one in exc.violations):
                yield finding(self.contract, "response-violation", pointer, message)

    def _request(
        self, exchange: Exchange, operation: Operation, variables: dict[str, str]
    ) -> Iterator[Diagnostic]:
        """Find violations in a request that got a success response."""
        for violation in self._request_violations(exchange.request, operation, variables):
            message = f"{operation} accepted a request {violation}; refuse it"
            yield finding(self.contract, "request-accepted", operation.pointer, message)

    def _request_violations(
        self, request: Request, operation: Operation, variables: dict[str, str]
    ) -> Iterator[str]:
        """Yield what is wrong with a request, as a clause that follows the word `request`."""
        headers = [
            (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in request.headers
        ]
        url = urlsplit(request.url)
        unrecorded = _unrecorded_parts(request)
        try:
            self._decoders[operation.id].decode(
                messages.Request(
                    variables, url.query.encode(), headers, request.body or b"", url.path.encode()
                )
            )
        except InvalidRequest as exc:
            for one in exc.failures:
                if one.location not in unrecorded:
                    yield f"whose {one.location} violates the contract at {one.path or '/'}: {one.message}"
        except ApiError as exc:
            yield f"that violates the contract: {exc.message}"

    def _error_shape(self, exchange: Exchange, label: str, pointer: Pointer) -> Iterator[Diagnostic]:
        """Check an error response without documented content against the schema that all documented ones share."""
        if self._envelope is None or exchange.request.method.upper() == "HEAD":
            return
        name, content = self._envelope
        content_type = exchange.header("content-type") or ""
        if media.find(content_type, {name: content}) is None:
            found = media.key_of(content_type)
            message = (
                f"{label} has {f'media type {found}' if found else 'no media type'}; "
                f"all documented errors have {name}"
            )
            yield finding(self.contract, "error-shape", pointer, message)
            return
        for broken in self._body(exchange.body, content_type, content, pointer, label):
            yield finding(self.contract, "error-shape", pointer, broken.message)

    def _common_envelope(self, compiler: SchemaCompiler) -> tuple[str, Content] | None:
        """Return media type and schema of errors, if all documented errors share the same ones and have a value."""
        found = [
            (name, schema, (*response.pointer, "content", name))
            for operation in self.contract.operations
            for status, response in operation.responses.items()
            if status.startswith(("4", "5", "default"))
            for name, schema in response.content.items()
        ]
        kinds = [(media.key_of(name), schema) for name, schema, _ in found]
        if not kinds or any(kind != kinds[0] for kind in kinds):
            return None
        name, schema, pointer = found[0]
        try:
            Sampler(self.contract, compiler).sample(schema, pointer)
        except NoSample:
            return None  # no service can send what the schemas exclude
        return next(iter(media.by_name({name: Content.of(schema, pointer, self.contract, compiler)}).items()))


def _routes(contract: Contract) -> Routes[Operation | LeftOut]:
    """Return the routes of a contract's operations, and of what is left out of it."""
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


def _is_bodiless(exchange: Exchange) -> bool:
    return exchange.request.method.upper() == "HEAD" or exchange.status in BODILESS


def _unrecorded_parts(request: Request) -> set[str]:
    """Return the parts of a request that cannot be checked, as they were redacted or not recorded."""
    is_redacted = any(name.lower() == "cookie" and REDACTED in value for name, value in request.headers)
    return ({"body"} if request.body is None else set()) | ({"cookie"} if is_redacted else set())


def _violation_message(label: str, violation: Violation) -> str:
    """Return a message for a violation; items of a list share one message (`/items/*/price`)."""
    path = _INDEX.sub("/*", violation.path)
    where = f" at {path}" if path else ""
    return f"{label} violates its schema{where}: {violation.message} ({violation.rule})"
