"""Encodes a handler's result as a response that matches the contract, or raises ResponseViolation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.model import Contract, Operation, Response, Schema

from . import http
from . import media_types as media
from .accept import accepts_any, by_weight
from .errors import ResponseViolation
from .http import HeaderList, is_field
from .json_strict import NotJson, parse_json
from .json_writing import to_json, to_plain, write_json
from .response_headers import HeaderDecoder, field_lines, header_lines, without
from .results import NO_BODY, Parts, split
from .schemas import SchemaCompiler
from .shapes import Shape
from .slicing import Slicer, slicer
from .validators import Validator
from .violations import Violation

_UNREAD: Any = object()
"""A body that is not in memory, so that it cannot be validated."""


class ResponseEncoder:
    """Encodes the results of one operation's handler as validated, serialised responses."""

    def __init__(self, operation: Operation, contract: Contract, compiler: SchemaCompiler) -> None:
        self.success = min(
            (int(key) for key in operation.responses if key.startswith("2") and key.isdecimal()), default=200
        )
        """The status of a result that is only a body."""
        self._operation = operation
        self._any_shape = Shape({}, contract)
        self._compiled = {
            response.pointer: _ResponseCompiler(response, contract, compiler)
            for response in operation.responses.values()
        }
        self._offered = _offered(operation)
        self._by_status: dict[int, _ResponseCompiler] = {}  # those that were sent
        success = self._documented(self.success)
        self._usual = success.usual if success is not None else None

    async def encode(self, result: Any, request: HeaderList | None = None) -> http.Response:
        """Serialise a handler's result: a body, (body, status), (body, headers) or (body, status, headers).

        A body without a status gets the lowest documented 2xx status. A body with a long array is serialised
        in slices, between which other requests run. `request` has the headers of the request, of which Accept
        chooses among several media types of JSON. Raises ResponseViolation.
        """
        if type(result) is not tuple and self._usual is not None:
            content, lines = self._usual
            if content.slicer is None or not content.slicer.is_for(result):
                return http.Response(self.success, [*lines], content.serialise(result))
        return await self.encode_parts(split(result), request)

    async def encode_parts(self, parts: Parts, request: HeaderList | None = None) -> http.Response:
        """Do as `encode` for a result that was taken apart."""
        body, status = parts.body, self.status(parts)
        content, lines = self._compiled_response(status).select(parts, request)
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
        return status, compiled.select(parts._replace(body=_UNREAD, media_type=media_type), None)[1]

    def unvalidated_head(self, parts: Parts, guess: str | None = None) -> tuple[int, HeaderList]:
        """Do as `head` without validating anything against the contract."""
        status = self.status(parts)
        compiled = self._documented(status)
        chosen, lines = without("content-type", parts.lines)
        chosen = chosen or parts.media_type or (compiled and compiled.default) or guess or "application/json"
        return status, field_lines([("content-type", _with_charset(chosen)), *lines])

    def encode_unvalidated(self, parts: Parts) -> http.Response:
        """Serialise a result without validating it against the contract.

        Raises ResponseViolation if it cannot be serialised.
        """
        status, body = self.status(parts), parts.body
        compiled = self._documented(status)
        if body is None and parts.status is None:
            body, status = NO_BODY, 204  # the contract has no null that it could be
        if body is None and not (compiled and compiled.has_content):
            body = NO_BODY
        if body is NO_BODY or status in http.BODILESS:
            return http.Response(status, field_lines(parts.lines), b"")
        _, lines = self.unvalidated_head(parts)
        chosen = lines[0][1].decode("latin-1")
        if not media.is_json(chosen):
            return http.Response(status, lines, _to_bytes(body))
        shape = (compiled and compiled.shape(chosen)) or self._any_shape
        return http.Response(status, lines, to_json(to_plain(body, shape)))

    @property
    def may_refuse(self) -> bool:
        """Whether the contract documents a 406 for a client that accepts no media type of a success."""
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

    def _compiled_response(self, status: int) -> _ResponseCompiler:
        compiled = self._by_status.get(status) or self._documented(status)
        if compiled is None:
            raise ResponseViolation.undocumented(status)
        self._by_status[status] = compiled
        return compiled

    def _documented(self, status: int) -> _ResponseCompiler | None:
        response = self._operation.response(status) if 100 <= status < 600 else None
        return None if response is None else self._compiled[response.pointer]


class _Content(NamedTuple):
    """One documented media type of a response."""

    validator: Validator | None
    shape: Shape
    is_json: bool
    slicer: Slicer | None = None

    def serialise(self, body: Any) -> bytes:
        """Serialise a valid body. Raises ResponseViolation for an invalid one."""
        assert self.validator is not None  # the server does not start if a schema cannot be compiled
        if self.is_json:
            return write_json(body, self.validator, self.shape)
        return _write_plain(body, self.validator)

    def check_written(self, body: bytes) -> None:
        """Raise ResponseViolation for serialised JSON that is invalid."""
        assert self.validator is not None
        if not self.is_json:
            return
        try:
            value = parse_json(body)
        except NotJson as exc:
            raise ResponseViolation([Violation("", "type", f"the body is not JSON: {exc}")]) from None
        if not self.validator.accepts(value):
            raise ResponseViolation(self.validator.violations(value))

    def accepts(self, body: Any) -> bool:
        """Return True if a body is valid; False if that is not known before it is serialised."""
        with suppress(ValueError, TypeError):
            return self.validator is not None and self.validator.accepts(body)
        return False


class _ResponseCompiler:
    """Compiled encoder of one documented response."""

    def __init__(self, response: Response, contract: Contract, compiler: SchemaCompiler) -> None:
        def compiled(name: str, schema: Schema) -> _Content:
            pointer = (*response.pointer, "content", name)
            validator, shape = compiler.compile(schema, "response", pointer), Shape(schema, contract)
            if validator is None or not media.is_json(name):
                return _Content(validator, shape, is_json=False)
            return _Content(validator, shape, True, slicer(schema, validator, contract, compiler, pointer))  # noqa: FBT003

        self._content = media.by_name(
            {name: compiled(name, schema) for name, schema in response.content.items()}
        )
        self.default = default_media_type(response)
        self._choices = _choices(response, self.default)
        self._headers = HeaderDecoder(response, contract, compiler) if response.headers else None
        self.usual: tuple[_Content, HeaderList] | None = None
        """Media type and headers of a result that is only a body."""
        is_usual = self._headers is None and not self._choices
        if self.default is not None and is_usual and is_field("content-type", self.default):
            lines = field_lines([("content-type", _with_charset(self.default))])
            self.usual = self._content[media.essence(self.default)], lines

    @property
    def has_content(self) -> bool:
        """Whether a body is documented."""
        return bool(self._content)

    def shape(self, media_type: str) -> Shape | None:
        """Return the shape of the documented media type, if it is documented."""
        found = self._find(media_type)
        return found.shape if found else None

    def documented(self, media_type: str | None) -> str | None:
        """Return a media type if it is documented and is not what would be sent anyway."""
        return media_type if media_type and self._find(media_type) is not None else None

    def select(self, parts: Parts, request: HeaderList | None) -> tuple[_Content | None, HeaderList]:
        """Return the media type to serialise a body as, None if there is no body, and the headers."""
        body, _, given, media_type = parts
        if self.usual is not None and not given and media_type is None and body is not NO_BODY:
            usual, ready = self.usual
            return usual, [*ready]
        chosen, lines = without("content-type", given)
        if self._headers and (violations := self._headers.violations(lines)):
            raise ResponseViolation(violations)
        if not self._content:
            if not _is_empty(body):
                raise ResponseViolation([Violation("", "content", "the contract documents no body")])
            return None, field_lines(lines)
        if body is NO_BODY:
            raise ResponseViolation([Violation("", "content", "the contract documents a body")])
        chosen = chosen or media_type
        if chosen is None and self._choices:
            chosen = self._negotiated(body, request)
            lines = [("vary", "Accept"), *lines]
        chosen = chosen or self.default
        if chosen is None:
            raise ResponseViolation(
                [Violation("", "content", "the handler must set content-type: only ranges are documented")]
            )
        content = self._find(chosen)
        if content is None:
            raise ResponseViolation([Violation("", "content", f"the contract documents no body of {chosen}")])
        return content, field_lines([("content-type", _with_charset(chosen)), *lines])

    def _negotiated(self, body: Any, request: HeaderList | None) -> str | None:
        """Return the most wanted media type that the body is valid as, else the most wanted one."""
        accept = http.header(request, b"accept") if request else None
        wanted = by_weight(self._choices, accept)
        return next((name for name in wanted if self._accepts(name, body)), wanted[0] if wanted else None)

    def _accepts(self, media_type: str, body: Any) -> bool:
        content = self._find(media_type)
        return content is not None and content.accepts(body)

    def _find(self, media_type: str) -> _Content | None:
        return media.find(media.essence(media_type), self._content)


def _offered(operation: Operation) -> list[str]:
    """Return the media types of a success, if a 406 is documented."""
    if "406" not in operation.responses:
        return []
    found = (one.content for status, one in operation.responses.items() if status.startswith("2"))
    return [name for content in found for name in content]


def _choices(response: Response, default: str | None) -> list[str]:
    """Return the media types of JSON of which Accept chooses one, the default first; none if there is only one."""
    names = [name for name in response.content if "*" not in name and media.is_json(name)]
    return sorted(names, key=lambda name: name != default) if len(names) > 1 else []


def default_media_type(response: Response) -> str | None:
    """Return the media type used if the handler sets none: JSON if documented, else the first non-range."""
    return min(
        (name for name in response.content if "*" not in name),
        key=lambda name: not media.is_json(name),
        default=None,
    )


def _with_charset(media_type: str) -> str:
    """Add `charset=utf-8` to a text media type without parameters, because clients would guess."""
    is_plain = media_type.startswith("text/") and ";" not in media_type
    return f"{media_type}; charset=utf-8" if is_plain else media_type


def _is_empty(body: Any) -> bool:
    """Return True for a body that can be sent where none is documented."""
    return body is None or body is NO_BODY or (type(body) in (str, bytes) and not body)


def _write_plain(value: Any, validator: Validator) -> bytes:
    serialised = _to_bytes(value)
    if isinstance(value, str) and not validator.accepts(value):
        raise ResponseViolation(validator.violations(value))
    return serialised


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        raise ResponseViolation([Violation("", "type", "a body that is not JSON must be str or bytes")])
    return value
