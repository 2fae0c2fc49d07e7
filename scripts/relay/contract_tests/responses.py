"""Compare a response with the one that the contract documents."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, Response, Schema
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation import media_types as media
from relay.validation.binary_schemas import describes_text
from relay.validation.errors import ResponseViolation
from relay.validation.http import BODILESS
from relay.validation.item_content import ListContent, content_at
from relay.validation.json_strict import NotJson, parse_json
from relay.validation.results import HeaderDecoder
from relay.validation.schemas import SchemaCompiler
from relay.validation.validators import Validator
from relay.validation.violations import Violation

from .exchanges import Exchange

Finding = tuple[str, Pointer, str]
"""A rule that an exchange violates, what of the contract that is about, and a message."""

_INDEX = re.compile(r"/\d+(?=/|$)")
_BYTERANGES = "multipart/byteranges"  # several parts (RFC 9110 section 14.6)
_PART = frozenset(["range"])
_CONDITIONS = frozenset(["if-none-match", "if-modified-since", "if-match", "if-unmodified-since"])
_ASKED_BY = {206: _PART, 416: _PART, 304: _CONDITIONS, 412: _CONDITIONS}


class _Content(NamedTuple):
    """A documented media type; `describes_text` is False for a schema that no text conforms to.

    `items` is set for a list of items.
    """

    validator: Validator | None
    describes_text: bool
    items: ListContent | None = None

    def judges(self, content_type: str) -> bool:
        """Return True for JSON, and for text unless the schema describes what the text stands for, such as rows."""
        name = media.essence(content_type)
        is_text = name.startswith("text/") and self.describes_text
        return self.items is not None or media.is_json(name) or is_text


class _Documented(NamedTuple):
    """The validators of one documented response, its media types as `media_types.by_name` spells them."""

    pointer: Pointer
    headers: HeaderDecoder
    content: dict[str, _Content]


class ResponseChecker:
    """Compares responses with one contract, by the validators that the server uses."""

    def __init__(self, contract: Contract, compiler: SchemaCompiler) -> None:
        self._contract = contract
        self._compiler = compiler
        self._documented = {
            response.pointer: self._compiled(response)
            for operation in contract.operations
            for response in operation.responses.values()
        }
        self._envelope = self._common_envelope()

    def judges(self, exchange: Exchange, operation: Operation) -> bool:
        """Return True for a response whose headers, media type and body are compared with the contract."""
        response = operation.response(exchange.status)
        if response is None:
            return False
        documented = self._documented[response.pointer]
        if _is_bodiless(exchange) or not documented.content:
            return True
        content_type = exchange.header("content-type") or ""
        content = media.find(content_type, documented.content)
        return content is None or content.judges(content_type)

    def findings(self, exchange: Exchange, operation: Operation) -> Iterator[Finding]:
        """Yield how a response of an operation violates the contract."""
        if (whole := _whole_of(exchange, operation)) is not None:
            yield from self._part(exchange, operation, self._documented[whole.pointer])
            return
        response = operation.response(exchange.status)
        if response is None:
            message = f"{operation} responded {exchange.status}; the contract documents {', '.join(operation.responses)}"
            yield "undocumented-status", (*operation.pointer, "responses"), message
        else:
            label = f"{exchange.status} of {operation}"
            yield from self._headers(exchange, self._documented[response.pointer], label)
            yield from self._content(exchange, self._documented[response.pointer], label)
        if exchange.status == 401 and exchange.header("www-authenticate") is None:
            message = f"401 of {operation} has no WWW-Authenticate; send one that names the scheme"
            yield "missing-challenge", response.pointer if response else operation.pointer, message

    def error_shape(self, exchange: Exchange, label: str, pointer: Pointer) -> Iterator[Finding]:
        """Check an error response without documented content against the schema that all documented ones share."""
        if self._envelope is None or exchange.request.method.upper() == "HEAD":
            return
        name, content = self._envelope
        content_type = exchange.header("content-type") or ""
        if media.find(content_type, {name: content}) is None:
            message = f"{label} has {_named(content_type)}; all documented errors have {name}"
            yield "error-shape", pointer, message
            return
        for _, _, message in self._body(exchange.body, content_type, content, pointer, label):
            yield "error-shape", pointer, message

    def _part(self, exchange: Exchange, operation: Operation, whole: _Documented) -> Iterator[Finding]:
        """Check the answer to a range or conditional request by the 200 that it is derived from."""
        label = f"{exchange.status} of {operation}"
        if exchange.status == 206:
            yield from self._headers(exchange, whole, label)
            if media.essence(exchange.header("content-type") or "") != _BYTERANGES:
                yield from self._content(replace(exchange, body=None), whole, label)
        elif exchange.status >= 400:
            yield from self.error_shape(exchange, label, whole.pointer)

    def _headers(self, exchange: Exchange, documented: _Documented, label: str) -> Iterator[Finding]:
        lines = [(name.lower(), value) for name, value in exchange.headers]
        for violation in documented.headers.violations(lines):
            message = f"{label} violates its header at {violation.path}: {violation.message}"
            yield "response-header", documented.pointer, message

    def _content(self, exchange: Exchange, documented: _Documented, label: str) -> Iterator[Finding]:
        is_bodiless = _is_bodiless(exchange)
        if is_bodiless or not documented.content:
            if exchange.body and not is_bodiless and exchange.status >= 400:
                # Contracts document many errors only in words; clients read what it is from a body.
                yield from self.error_shape(exchange, label, documented.pointer)
            elif exchange.body:
                reason = "HTTP allows none" if is_bodiless else "the contract documents none"
                message = f"{label} has a body, but {reason}; remove it"
                yield "unexpected-body", documented.pointer, message
            return
        content_type, pointer = exchange.header("content-type") or "", (*documented.pointer, "content")
        content = media.find(content_type, documented.content)
        if content is None:
            known = ", ".join(documented.content)
            message = f"{label} has {_named(content_type)}; the contract documents {known}"
            yield "undocumented-media-type", pointer, message
        else:
            yield from self._body(exchange.body, content_type, content, pointer, label)

    def _body(
        self, body: bytes | None, content_type: str, content: _Content, pointer: Pointer, label: str
    ) -> Iterator[Finding]:
        if body is None or content.validator is None or not content.judges(content_type):
            return
        try:
            broken = _violations(body, content_type, content)
        except NotJson as exc:
            yield "not-json", pointer, f"{label} is not JSON that all parsers read the same: {exc}"
            return
        for message in dict.fromkeys(_message(label, violation) for violation in broken):
            yield "response-violation", pointer, message

    def _compiled(self, response: Response) -> _Documented:
        content = {}
        for name, schema in response.content.items():
            pointer = (*response.pointer, "content", name)
            items = content_at(pointer, "response", self._compiler)
            content[name] = self._schema(schema, pointer)._replace(items=items)
        headers = HeaderDecoder(response.headers, self._compiler)
        return _Documented(response.pointer, headers, media.by_name(content))

    def _schema(self, schema: Schema, pointer: Pointer) -> _Content:
        validator = self._compiler.compile(schema, "response", pointer)
        return _Content(validator, describes_text(schema, self._contract))

    def _common_envelope(self) -> tuple[str, _Content] | None:
        """Return media type and schema of errors, if all documented errors share the same ones and have a value."""
        found = [
            (name, schema, (*response.pointer, "content", name))
            for operation in self._contract.operations
            for status, response in operation.responses.items()
            if status.startswith(("4", "5", "default"))
            for name, schema in response.content.items()
        ]
        kinds = [(media.key_of(name), schema) for name, schema, _ in found]
        if not kinds or any(kind != kinds[0] for kind in kinds):
            return None
        _, schema, pointer = found[0]
        try:
            Sampler(self._compiler).sample(schema, pointer)
        except NoSample:
            return None  # no service can send what the schemas exclude
        return kinds[0][0], self._schema(schema, pointer)


def _whole_of(exchange: Exchange, operation: Operation) -> Response | None:
    """Return the documented 200 of a GET to which a range or conditional request gets another status.

    None if the request asked for none, or if the status is documented itself: a 4XX also by its range or `default`.
    """
    status, request = exchange.status, exchange.request
    asked = {name.lower() for name, _ in request.headers}
    if request.method.upper() != "GET" or _ASKED_BY.get(status, frozenset()).isdisjoint(asked):
        return None
    documented = operation.response(status) if status >= 400 else operation.responses.get(str(status))
    return operation.response(200) if documented is None else None


def _violations(body: bytes, content_type: str, content: _Content) -> list[Violation]:
    """Return how a body violates its schema; raise NotJson."""
    if content.items is not None:
        try:
            content.items.begun(content_type).check_written(body)
        except ResponseViolation as exc:
            return exc.violations
        return []
    name, charset, _ = media.parse_media_type(content_type)
    try:
        value = parse_json(body) if media.is_json(name) else body.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return []  # the contract does not specify charsets
    return content.validator.violations(value) if content.validator else []


def _is_bodiless(exchange: Exchange) -> bool:
    return exchange.request.method.upper() == "HEAD" or exchange.status in BODILESS


def _named(content_type: str) -> str:
    found = media.key_of(content_type)
    return f"media type {found}" if found else "no media type"


def _message(label: str, violation: Violation) -> str:
    """Return a message for a violation; items of a list share one message (`/items/*/price`)."""
    path = _INDEX.sub("/*", violation.path)
    where = f" at {path}" if path else ""
    return f"{label} violates its schema{where}: {violation.message} ({violation.rule})"
