"""Encodes a handler's result as a response that matches the contract, or raises ResponseViolation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.contract.model import Operation

from . import http
from . import media_types as media
from .errors import ResponseViolation
from .http import HeaderList
from .item_content import ItemContent, PartContent
from .items import Items
from .json_writing import to_json, to_plain, write_text
from .media_types import accepts_any
from .response_content import UNREAD, Content, ResponseCompiler, with_charset
from .results import NO_BODY, PLAIN, Parts, field_lines, header_lines, split, without
from .schemas import SchemaCompiler
from .shapes import Shape


class ResponseEncoder:
    """Encodes the results of one operation's handler as validated, serialised responses."""

    def __init__(self, operation: Operation, compiler: SchemaCompiler) -> None:
        self.success = min(
            (int(key) for key in operation.responses if key.startswith("2") and key.isdecimal()), default=200
        )
        """The status of a result that is only a body."""
        self._operation = operation
        self._any_shape = Shape({}, compiler.contract)
        self._compiled = {
            response.pointer: ResponseCompiler(response, compiler)
            for response in operation.responses.values()
        }
        successes = [one.content for status, one in operation.responses.items() if status.startswith("2")]
        documents_406 = "406" in operation.responses
        self._offered = [name for content in successes for name in content] if documents_406 else []
        self._by_status: dict[int, ResponseCompiler] = {}  # those that were sent
        success = self._documented(self.success)
        self._usual = success.usual if success is not None else None

    async def encode(self, result: Any, request: HeaderList | None = None) -> http.Response:
        """Serialise a handler's result: a body, (body, status), (body, headers) or (body, status, headers).

        A body without a status gets the lowest documented 2xx status. A body with a long array is serialised
        in slices, between which other requests run. `request` has the headers of the request, of which Accept
        chooses among several media types of JSON. Raises ResponseViolation.
        """
        return self.encode_usual(result) or await self.encode_parts(split(result), request)

    def encode_usual(self, result: Any) -> http.Response | None:
        """Return the response of a plain body with one media type, else None. Raises ResponseViolation."""
        if self._usual is None or type(result) not in PLAIN:
            return None
        content, lines = self._usual
        if content.slicer is not None and content.slicer.is_for(result):
            return None
        return http.Response(self.success, [*lines], content.serialise(result))

    async def encode_parts(self, parts: Parts, request: HeaderList | None = None) -> http.Response:
        """Do as `encode` for a result that was taken apart."""
        body, status = parts.body, self.status(parts)
        content, lines = self._compiled_response(status).select(parts, request)
        if isinstance(content, ItemContent | PartContent):
            return http.Response(status, lines, b"", await content.pieces(body))
        if content is not None and content.slicer is not None and content.slicer.is_for(body):
            pieces = await content.slicer.serialise(body)
            if pieces is not None:
                return http.Response(status, lines, pieces[0], pieces[1:])
        return http.Response(status, lines, content.serialise(body) if content is not None else b"")

    def encode_written(self, parts: Parts) -> http.Response:
        """Validate a body that is bytes already, and return it as it is. Raises ResponseViolation."""
        status = self.status(parts)
        content, lines = self._compiled_response(status).select(parts, None)
        if content is not None:
            content.check_written(parts.body)
        return http.Response(status, lines, parts.body)

    def encode_body(
        self, body: Any, status: int, headers: Mapping[str, Any] | None = None, media_type: str | None = None
    ) -> http.Response:
        """Serialise a body for a status, as `media_type` if it is given. Raises ResponseViolation."""
        parts = Parts(body, status, header_lines(headers), media_type)
        content, lines = self._compiled_response(status).select(parts, None)
        return http.Response(status, lines, content.serialise(body) if content is not None else b"")

    def head(self, parts: Parts, guess: str | None = None) -> tuple[int, HeaderList]:
        """Return status and headers of a body that is not in memory, and so not validated.

        `guess` is its media type where nothing else says one and the contract documents it. Raises
        ResponseViolation.
        """
        status = self.status(parts)
        compiled = self._compiled_response(status)
        media_type = parts.media_type or compiled.documented(guess)
        return status, compiled.select(parts._replace(body=UNREAD, media_type=media_type), None)[1]

    def stream_head(self, parts: Parts, request: HeaderList) -> tuple[int, HeaderList, Items | None]:
        """Return status and headers of a body that is made while it is sent, and how its items are written.

        None for a body that is no stream of items, and so not validated. Raises ResponseViolation.
        """
        status = self.status(parts)
        compiled = self._compiled_response(status)
        content, lines = compiled.select(compiled.of_stream(parts._replace(body=UNREAD), request), None)
        if isinstance(content, PartContent):
            content.check_stream()
        return status, lines, content.items if isinstance(content, ItemContent) else None

    def unvalidated_stream_head(self, parts: Parts) -> tuple[int, HeaderList, Items | None]:
        """Do as `stream_head` without validating anything against the contract."""
        status, lines = self.unvalidated_head(parts)
        content, lines = self._begun(status, lines)
        return status, lines, content.items if isinstance(content, ItemContent) else None

    def unvalidated_head(self, parts: Parts, guess: str | None = None) -> tuple[int, HeaderList]:
        """Do as `head` without validating anything against the contract."""
        status = self.status(parts)
        compiled = self._documented(status)
        chosen, lines = without("content-type", parts.lines)
        chosen = chosen or parts.media_type or (compiled and compiled.default) or guess or "application/json"
        return status, field_lines([("content-type", with_charset(chosen)), *lines])

    def encode_unvalidated(self, parts: Parts) -> http.Response:
        """Serialise a result without validating it. Raises ResponseViolation if that is not possible."""
        status, body = self.status(parts), parts.body
        compiled = self._documented(status)
        if body is None and parts.status is None:
            body, status = NO_BODY, 204  # the contract has no null that it could be
        if body is None and not (compiled and compiled.has_content):
            body = NO_BODY
        if body is NO_BODY or status in http.BODILESS:
            return http.Response(status, field_lines(parts.lines), b"")
        _, lines = self.unvalidated_head(parts, media.OCTETS if isinstance(body, bytes) else None)
        chosen = lines[0][1].decode("latin-1")
        stream, lines = self._begun(status, lines)
        if stream is not None and not isinstance(body, str | bytes):
            return http.Response(status, lines, stream.serialise(body, is_validated=False))
        if not media.is_json(chosen):
            return http.Response(status, lines, write_text(body, None, ""))
        content = compiled and compiled.find(chosen)
        shape = content.shape if isinstance(content, Content) else self._any_shape
        return http.Response(status, lines, to_json(to_plain(body, shape)))

    def _begun(self, status: int, lines: HeaderList) -> tuple[ItemContent | PartContent | None, HeaderList]:
        compiled = self._documented(status)
        (name, value), *others = lines
        content = compiled and compiled.find(value.decode("latin-1"))
        if not isinstance(content, ItemContent | PartContent):
            return None, lines
        content = content.begun(value.decode("latin-1"))
        return content, [(name, content.media_type.encode("latin-1")), *others]

    @property
    def may_refuse(self) -> bool:
        """True if the contract documents a 406 for a client that accepts no media type of a success."""
        return bool(self._offered)

    def is_acceptable(self, request: HeaderList) -> bool:
        """Return True if a client accepts one of the media types of a success; always, without a documented 406."""
        accept = http.header(request, b"accept") if self._offered else None
        return not accept or accepts_any(self._offered, accept)

    def status(self, parts: Parts) -> int:
        """Return the status of a result; a lone NO_BODY is a 204, if that is documented."""
        if parts.status is not None:
            return parts.status
        is_empty = parts.body is NO_BODY and self._documented(204) is not None
        return 204 if is_empty else self.success

    def _compiled_response(self, status: int) -> ResponseCompiler:
        compiled = self._by_status.get(status) or self._documented(status)
        if compiled is None:
            raise ResponseViolation.at("", "status", f"the contract documents no status {status}")
        self._by_status[status] = compiled
        return compiled

    def _documented(self, status: int) -> ResponseCompiler | None:
        response = self._operation.response(status) if 100 <= status < 600 else None
        return None if response is None else self._compiled[response.pointer]
