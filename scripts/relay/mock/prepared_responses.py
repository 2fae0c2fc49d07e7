"""Prepares responses from examples, else from schemas; each is validated like that of a handler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Operation, Response
from relay.validation import http
from relay.validation import media_types as media
from relay.validation.errors import ResponseViolation
from relay.validation.item_content import has_items
from relay.validation.media_types import weight_of
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
