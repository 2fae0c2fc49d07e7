"""Mock responses made from the contract, for operations without a handler.

A client selects one with the headers Prefer (RFC 7240) and Accept (RFC 9110 section 12.5.1): `code=404` for the
response of a status, `example=name` for one of its examples, and a media type. All are prepared at start, from examples,
else from schemas, and validated like those of a handler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Operation, Response
from relay.validation import http
from relay.validation import media_types as media
from relay.validation.errors import ResponseViolation
from relay.validation.item_content import has_items
from relay.validation.media_types import TOKEN, elements, parameters, quoted, read_accept, unquoted, weight_of
from relay.validation.response_content import default_media_type
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler

from .bodies import Content, bodies, concrete, item_lists
from .files import RANGES
from .headers import header_texts
from .judging import examples
from .samples import Sampler
from .schema_parts import NoSample, SchemaPart

_BODIES = ("mock", "bodies")
_MARK = b"x-mock"
_STATUS = re.compile("[2-5][0-9]{2}")
_TOKEN = re.compile(TOKEN)
_VALUE = re.compile(rf'{TOKEN}|"(?:[^"\\]|\\.)*+"|')


class Mock:
    """The mock responses of one operation; all are prepared at start."""

    def __init__(self, operation: Operation, compiler: SchemaCompiler, encoder: ResponseEncoder) -> None:
        self._operation = operation
        preparer = ResponsePreparer(operation, compiler, encoder)
        self._prepared = {
            response.pointer: preparer.of(response) for response in operation.responses.values()
        }
        documented = [max(statuses.start, 200) for statuses, _ in operation.statuses() if statuses.stop > 200]
        success = [] if operation.response(encoder.success) is None else [encoder.success]
        self._usual = min(success or documented, default=0)
        if not self._usual:
            message = f"{operation} documents no final status, so it cannot be mocked; document one"
            compiler.warn(operation.pointer, message, "mock")

    def answer(self, headers: http.HeaderList) -> http.Response | None:
        """Return the response that the headers select, or the usual one; None if no value was found for it."""
        preferences = read_preferences(preferred) if (preferred := http.header(headers, b"prefer")) else {}
        applied: dict[str, str] = {}
        status = self._usual
        code = preferences.get("code", "")
        if _STATUS.fullmatch(code) and self._operation.response(int(code)) is not None:
            status, applied["code"] = int(code), code
        response = self._operation.response(status)
        prepared = None if response is None else self._prepared[response.pointer]
        if prepared is None:
            return None
        name = preferences.get("example", "")
        contents = [] if status in http.BODILESS else prepared.contents
        answer = http.Response(status, prepared.headers, b"")
        if contents:
            content = contents[0]
            if len(contents) > 1:  # else Accept is not read
                content = prepared.choose(read_accept(http.header(headers, b"accept") or "*/*"), name)
            answer = content.named.get(name, content.usual)
            if name in content.named:
                applied["example"] = name
        mock_headers = {_MARK: b"true"}
        if applied:
            mock_headers[b"preference-applied"] = write_preferences(applied).encode("latin-1")
        documented = [line for line in answer.headers if line[0] not in mock_headers]
        return http.Response(status, [*documented, *mock_headers.items()], answer.body)


def read_preferences(header: str) -> dict[str, str]:
    """Return preference → value by names in lower case; the first of equal names is used (RFC 7240 section 2)."""
    found: dict[str, str] = {}
    for element in elements(header):
        preference, _parameters = parameters(element)
        name, _, value = (part.strip() for part in preference.partition("="))
        if _TOKEN.fullmatch(name) and _VALUE.fullmatch(value):
            found.setdefault(name.lower(), unquoted(value))
    return found


def write_preferences(applied: Mapping[str, str]) -> str:
    """Return the value of Preference-Applied (section 3)."""
    return ", ".join(f"{name}={quoted(value)}" for name, value in applied.items())


class PreparedContent(NamedTuple):
    """The default response of a media type, and those of its examples, by names as headers decode them."""

    media_type: str
    usual: http.Response
    named: Mapping[str, http.Response]


class PreparedResponse(NamedTuple):
    """The prepared responses of one documented response, its default media type first; `headers` without a body."""

    headers: http.HeaderList
    contents: list[PreparedContent]

    def choose(self, weights: Mapping[str, float], example: str) -> PreparedContent:
        """Return the content that a client wants most, of equal ones the one with the example."""
        return max(self.contents, key=lambda one: (weight_of(one.media_type, weights), example in one.named))


class ResponsePreparer:
    """Prepares the responses of one operation; the compiler's problems get a warning for each that is impossible."""

    def __init__(self, operation: Operation, compiler: SchemaCompiler, encoder: ResponseEncoder) -> None:
        self._operation = operation
        self._contract = compiler.contract
        self._compiler = compiler
        self._encoder = encoder
        self._sampler = Sampler(compiler)
        self._statuses = _first_statuses(operation)

    def of(self, response: Response) -> PreparedResponse | None:
        """Return the prepared responses, once for operations that share one; None if no value was found."""
        status = self._statuses.get(response.pointer)
        if status is None:
            return None
        raw, pointer = self._contract.follow(response.pointer)
        key = "mock", str(status in http.BODILESS), *pointer
        memo = self._compiler.memo
        if key not in memo:
            try:
                memo[key] = self._prepared(response, status, raw.get("content") or {}, pointer)
            except NoSample as exc:
                self._warn(pointer, f"{self._operation} answers 501 instead of {status}: {exc}")
                memo[key] = None
        found: PreparedResponse | None = memo[key]
        return found

    def _prepared(
        self, response: Response, status: int, content: Mapping[str, Any], pointer: Pointer
    ) -> PreparedResponse:
        texts = header_texts(response, self._sampler)
        lines = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in texts.items()]
        at = (*pointer, "content")
        if content and status in http.BODILESS:
            what = f"{status} of {self._operation} has no body in HTTP"
            self._warn(at, f"{what}, so its content is not sent; remove it")
        if not content or status in http.BODILESS:
            return PreparedResponse(lines, [])
        default = default_media_type(response)
        contents: list[PreparedContent] = []
        reasons: dict[str, str] = {}
        known = media.by_name({name: name for name in content})
        distinct = [name for essence, name in known.items() if RANGES.get(essence) not in known]
        for name in sorted(distinct, key=lambda name: name != default):  # without ranges of a known one
            try:
                contents.append(self._content(content[name], (*at, name), status, texts))
            except NoSample as exc:
                reasons[name] = str(exc)
        if not contents:
            raise NoSample(next(iter(reasons.values())))
        for name, reason in reasons.items():
            self._warn((*at, name), f"{status} of {self._operation} is not mocked as {name}: {reason}")
        return PreparedResponse(lines, contents)

    def _content(
        self, content: Mapping[str, Any], at: Pointer, status: int, headers: Mapping[str, str]
    ) -> PreparedContent:
        """Return the responses of a media type. Raises NoSample if there is no valid body."""
        schema = content.get("schema", {})
        media_type = concrete(at[-1], self._contract.resolve(schema))
        given = [*examples(self._contract, content, at)]
        found: dict[str, http.Response] = {}
        reason = ""
        if has_items(media_type, content, self._contract):
            made = item_lists(media_type, content, at, given, self._sampler)
        else:
            made = bodies(Content(media_type, given, SchemaPart(schema, (*at, "schema"))), self._sampler)
        for key, value in made:
            try:
                found.setdefault(key, self._encoded(value, status, headers, media_type))
            except ResponseViolation as exc:
                reason = exc.violations[0].message
        if not found:
            raise NoSample(f"no body was found: {reason}; add a valid example")
        named = {key.encode().decode("latin-1"): answer for key, answer in found.items() if key}
        return PreparedContent(media_type, next(iter(found.values())), named)

    def _encoded(self, value: Any, status: int, headers: Mapping[str, str], media_type: str) -> http.Response:
        """Encode a body as a media type; equal bodies are kept once. Raises ResponseViolation."""
        response = self._encoder.encode_body(value, status, headers, media_type)
        known: dict[bytes, bytes] = self._compiler.memo.setdefault(_BODIES, {})
        return response._replace(body=known.setdefault(response.body, response.body))

    def _warn(self, pointer: Pointer, message: str) -> None:
        self._compiler.warn(pointer, message, "mock")


def _first_statuses(operation: Operation) -> dict[Pointer, int]:
    """Return the lowest final status of each response of an operation, by the response's pointer."""
    found: dict[Pointer, int] = {}
    for statuses, response in operation.statuses():
        final = range(max(statuses.start, 200), statuses.stop)
        if (first := next((one for one in final if operation.response(one) is response), None)) is not None:
            found[response.pointer] = first
    return found
