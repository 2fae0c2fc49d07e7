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
from .json_writing import write_text
from .media_types import by_weight
from .response_content import UNREAD, AnyContent, Content, ResponseCompiler, begun
from .results import NO_BODY, PLAIN, Parts, field_lines, header_lines, without
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

    def encode_usual(self, result: Any) -> http.Response | None:
        """Return the response of a plain body with one media type, else None. Raises ResponseViolation."""
        if self._usual is None or type(result) not in PLAIN:
            return None
        content, lines = self._usual
        if content.slicer is not None and content.slicer.is_for(result):
            return None
        return http.Response(self.success, [*lines], content.serialise(result))

    async def encode_parts(self, parts: Parts, request: HeaderList | None = None) -> http.Response:
        """Serialise the body of a result; without a status, it gets the lowest documented 2xx status.

        A body with a long array is serialised in slices, between which other requests run. `request` has the
        headers of the request, of which Accept chooses among several media types of JSON. Raises ResponseViolation.
        """
        status, content, lines = self._selected(parts, request)
        body, *more = [b""] if content is None else await content.pieces(parts.body)
        return http.Response(status, lines, body, tuple(more))

    def encode_written(self, parts: Parts, *, is_validated: bool = True) -> http.Response:
        """Return a body that is bytes already as it is. Raises ResponseViolation."""
        if not (is_validated or parts.body):
            return self.encode_unvalidated(parts._replace(body=NO_BODY))
        status, content, lines = self._selected(parts, is_validated=is_validated)
        if content is not None and is_validated:
            content.check_written(parts.body)
        return http.Response(status, lines, parts.body)

    def encode_body(
        self, body: Any, status: int, headers: Mapping[str, Any] | None = None, media_type: str | None = None
    ) -> http.Response:
        """Serialise a body for a status, as `media_type` if it is given. Raises ResponseViolation."""
        _, content, lines = self._selected(Parts(body, status, header_lines(headers), media_type))
        return http.Response(status, lines, content.serialise(body) if content is not None else b"")

    def head(
        self, parts: Parts, guess: str | None = None, *, is_validated: bool = True
    ) -> tuple[int, HeaderList]:
        """Return status and headers of a body that is not in memory, and so not validated.

        `guess` is its media type where nothing else says one and the contract documents it. Raises
        ResponseViolation.
        """
        status, _, lines = self._selected(parts._replace(body=UNREAD), None, guess, is_validated=is_validated)
        return status, lines

    def stream_head(
        self, parts: Parts, request: HeaderList, *, is_validated: bool = True
    ) -> tuple[int, HeaderList, Items | None]:
        """Return status and headers of a body that is made while it is sent, and how its items are written.

        None for a body that is no stream of items, and so not validated. Raises ResponseViolation.
        """
        parts = parts._replace(body=UNREAD)
        if is_validated:
            parts = self._compiled_response(self.status(parts)).of_stream(parts, request)
        status, content, lines = self._selected(parts, is_validated=is_validated)
        if isinstance(content, PartContent) and is_validated:
            content.check_stream()
        return status, lines, content.items if isinstance(content, ItemContent) else None

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
        guess = media.OCTETS if isinstance(body, bytes) else None
        _, content, lines = self._selected(parts, None, guess, is_validated=False)
        if content is None or (not isinstance(content, Content) and isinstance(body, str | bytes)):
            return http.Response(status, lines, write_text(body, None, ""))
        return http.Response(status, lines, content.serialise(body, is_validated=False))

    @property
    def may_refuse(self) -> bool:
        """True if the contract documents a 406 for a client that accepts no media type of a success."""
        return bool(self._offered)

    def is_acceptable(self, request: HeaderList) -> bool:
        """Return True if a client accepts a media type of a success, or one is a range; always, without a documented 406."""
        accept = http.header(request, b"accept") if self._offered else None
        return (
            not accept or any("*" in name for name in self._offered) or bool(by_weight(self._offered, accept))
        )

    def status(self, parts: Parts) -> int:
        """Return the status of a result; a lone NO_BODY is a 204, if that is documented."""
        if parts.status is not None:
            return parts.status
        is_empty = parts.body is NO_BODY and self._documented(204) is not None
        return 204 if is_empty else self.success

    def _selected(
        self,
        parts: Parts,
        request: HeaderList | None = None,
        guess: str | None = None,
        *,
        is_validated: bool = True,
    ) -> tuple[int, AnyContent | None, HeaderList]:
        """Return the status, the media type to serialise a body as, None if there is no body, and the headers."""
        status = self.status(parts)
        if is_validated:
            compiled = self._compiled_response(status)
            if guess is not None and parts.media_type is None and compiled.find(guess) is not None:
                parts = parts._replace(media_type=guess)
            return status, *compiled.select(parts, request)
        documented = self._documented(status)
        chosen, lines = without("content-type", parts.lines)
        chosen = chosen or parts.media_type or (documented and documented.default) or guess or media.JSON
        content = documented and documented.find(chosen)
        undocumented = Content(None, self._any_shape, is_json=media.is_json(chosen))
        return status, *begun(content or undocumented, chosen, lines)

    def _compiled_response(self, status: int) -> ResponseCompiler:
        compiled = self._by_status.get(status) or self._documented(status)
        if compiled is None:
            raise ResponseViolation.at("", "status", f"the contract documents no status {status}")
        self._by_status[status] = compiled
        return compiled

    def _documented(self, status: int) -> ResponseCompiler | None:
        response = self._operation.response(status) if 100 <= status < 600 else None
        return None if response is None else self._compiled[response.pointer]
