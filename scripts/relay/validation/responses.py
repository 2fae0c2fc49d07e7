"""Encodes a handler's result as a response that matches the contract, or raises ResponseViolation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import orjson

from relay.contract.documents import Pointer
from relay.contract.json_text import is_64_bit
from relay.contract.model import Contract, Operation, Response, Schema

from . import http
from . import media_types as media
from .errors import ResponseViolation
from .http import HeaderList, is_field
from .parameters import LocatedViolation, ParameterDecoder
from .raw_texts import Raw
from .schemas import SchemaCompiler
from .slicing import Slicer, slicer
from .unvalidated import describes_text, is_binary, is_validated, warn_unvalidated
from .validators import Validator
from .violations import Violation


class ResponseEncoder:
    """Encodes the results of one operation's handler as validated, serialised responses."""

    def __init__(self, operation: Operation, contract: Contract, compiler: SchemaCompiler) -> None:
        self.success = min(
            (int(key) for key in operation.responses if key.startswith("2") and key.isdecimal()), default=200
        )
        """The status of a result that is only a body."""
        self._operation = operation
        self._compiled = {
            response.pointer: _ResponseCompiler(response, contract, compiler)
            for response in operation.responses.values()
        }
        self._by_status: dict[int, _ResponseCompiler] = {}  # those that were sent

    async def encode(self, result: Any) -> http.Response:
        """Serialise a handler's result: a body, or (body, status) or (body, status, headers).

        A body without a status gets the lowest documented 2xx status. A body with a long array is serialised
        in slices, between which other requests run. Raises ResponseViolation.
        """
        body, status, headers = self._split(result)
        content, lines = self._compiled_response(status).select(body, headers or {}, None)
        if content is not None and content.slicer is not None and content.slicer.is_for(body):
            pieces = await content.slicer.serialise(body)
            if pieces is not None:
                return http.Response(status, lines, pieces[0], pieces[1:])
        return http.Response(status, lines, content.serialise(body) if content is not None else b"")

    def encode_unvalidated(self, result: Any) -> http.Response:
        """Serialise a handler's result without validating it against the contract.

        Raises ResponseViolation if it cannot be serialised.
        """
        body, status, headers = self._split(result)
        names = {name.lower(): _text(name, value) for name, value in (headers or {}).items()}
        compiled = self._documented(status)
        has_body = compiled is not None and compiled.default is not None and status not in http.BODILESS
        if body is None and not has_body:
            return http.Response(status, _field_lines(names), b"")
        default = (compiled and compiled.default) or _natural_type(body)
        chosen = names.pop("content-type", None) or default
        serialised = _to_json(body) if media.is_json(chosen) else _to_bytes(body)
        return http.Response(
            status, _field_lines({"content-type": _with_charset(chosen), **names}), serialised
        )

    def _split(self, result: Any) -> tuple[Any, int, Mapping[str, str] | None]:
        if type(result) is not tuple:
            return result, self.success, None
        body, status, *rest = result
        return body, int(status), rest[0] if rest else None

    def encode_body(
        self, body: Any, status: int, headers: Mapping[str, str] | None = None, media_type: str | None = None
    ) -> http.Response:
        """Serialise a body for a status, as `media_type` if it is given. Raises ResponseViolation."""
        content, lines = self._compiled_response(status).select(body, headers or {}, media_type)
        return http.Response(status, lines, content.serialise(body) if content is not None else b"")

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
    """How a body of one media type is validated and written; without a validator, it is not validated."""

    validator: Validator | None
    is_json: bool
    slicer: Slicer | None = None
    charset: str = ""
    """The charset of text in bytes, which is validated as text; empty for other bytes."""

    def serialise(self, body: Any) -> bytes:
        """Serialise a valid body. Raises ResponseViolation for an invalid one."""
        if self.is_json:
            assert self.validator is not None  # the server does not start if a schema cannot be compiled
            return _write_json(body, self.validator)
        return _write_plain(body, self.validator, self.charset)


class _Documented(NamedTuple):
    """One documented media type, or a range, whose bodies are written as the media type of each says."""

    json: _Content
    text: _Content
    octets: _Content

    def sent_as(self, media_type: str) -> _Content:
        """Return how a body of a media type is written."""
        match media.kind_of(media_type):
            case media.JSON:
                return self.json
            case media.TEXT:
                charset = media.parse_media_type(media_type).charset
                return self.text._replace(charset=charset) if self.text.charset else self.text
        return self.octets


class _ResponseCompiler:
    """Compiled encoder of one documented response."""

    def __init__(self, response: Response, contract: Contract, compiler: SchemaCompiler) -> None:
        self._content = media.by_name(
            {
                name: _documented(schema, contract, compiler, (*response.pointer, "content", name))
                for name, schema in response.content.items()
            }
        )
        self.default = default_media_type(response)
        self._headers = HeaderDecoder(response, contract, compiler) if response.headers else None
        self._usual: tuple[_Content, HeaderList] | None = None  # precomputed for a result without headers
        if self.default is not None and self._headers is None and is_field("content-type", self.default):
            lines = _field_lines({"content-type": _with_charset(self.default)})
            self._usual = self._content[media.key_of(self.default)].sent_as(self.default), lines

    def select(
        self, body: Any, headers: Mapping[str, str], media_type: str | None
    ) -> tuple[_Content | None, HeaderList]:
        """Return the media type to serialise a body as, None if there is no body, and the headers."""
        if self._usual is not None and not headers and media_type is None:
            usual, lines = self._usual
            return usual, [*lines]
        names = {name.lower(): _text(name, value) for name, value in headers.items()}
        chosen = media_type or names.pop("content-type", None) or self.default
        if self._headers and (violations := self._headers.violations(names)):
            raise ResponseViolation(violations)
        if not self._content:
            if body is not None:
                raise ResponseViolation([Violation("", "content", "the contract documents no body")])
            return None, _field_lines(names)
        sent_as = chosen or _natural_type(body)
        content = media.find(sent_as, self._content)
        if content is None:
            reason = f"the contract documents no body of {sent_as}"
            if chosen is None:
                reason += "; only ranges are documented, so the handler must set content-type"
            raise ResponseViolation([Violation("", "content", reason)])
        return content.sent_as(sent_as), _field_lines({"content-type": _with_charset(sent_as), **names})


def _documented(
    schema: Schema, contract: Contract, compiler: SchemaCompiler, pointer: Pointer
) -> _Documented:
    """Compile the schema of a documented media type; a schema that describes no text validates only JSON."""
    name = media.essence(pointer[-1])
    validator = compiler.compile(schema, "response", pointer)
    may_be_json = validator is not None and (media.is_json(name) or media.is_range(name))
    sliced = slicer(schema, validator, contract, compiler, pointer) if validator and may_be_json else None
    if not is_validated(name, schema, contract):
        warn_unvalidated(name, contract, compiler, pointer)
    of_text = validator if describes_text(schema, contract) else None
    has_text = of_text is not None and not is_binary(schema, contract)
    return _Documented(
        _Content(validator, is_json=True, slicer=sliced),
        _Content(of_text, is_json=False, charset="utf-8" if has_text else ""),
        _Content(of_text, is_json=False),
    )


def _natural_type(body: Any) -> str:
    """Return the media type of a body for which neither handler nor contract name one."""
    if isinstance(body, str):
        return media.TEXT
    return media.OCTETS if isinstance(body, bytes) else media.JSON


class HeaderDecoder:
    """Compiled decoder of the documented headers of one response."""

    def __init__(self, response: Response, contract: Contract, compiler: SchemaCompiler) -> None:
        self._decoders = [ParameterDecoder(header, contract, compiler) for header in response.headers]
        self._names = [header.name for header in response.headers]

    def violations(self, headers: Mapping[str, str]) -> list[Violation]:
        """Return the violations of a response's headers, whose names are in lower case."""
        raw = {name: [headers[name.lower()]] for name in self._names if name.lower() in headers}
        failures: list[LocatedViolation] = []
        for decoder in self._decoders:
            decoder.decode(Raw(raw), {}, "", failures)
        return [failure.violation for failure in failures]


def default_media_type(response: Response) -> str | None:
    """Return the media type used if the handler sets none: JSON if documented, else the first non-range."""
    return min(
        (name for name in response.content if "*" not in name),
        key=lambda name: not media.is_json(name),
        default=None,
    )


def _text(name: str, value: Any) -> str:
    """Return a header's value as text, spelled as `ParameterDecoder` reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ResponseViolation(
        [Violation(f"/{name}", "header", "a header must be a string, a number or a boolean")]
    )


def _field_lines(headers: Mapping[str, str]) -> HeaderList:
    """Return headers as bytes. Raises ResponseViolation for one that could inject a header or a response."""
    wrong = [name for name, value in headers.items() if not is_field(name, value) or name == "connection"]
    if wrong:
        message = "a handler must not set this header, or its name or value is invalid"
        raise ResponseViolation([Violation(f"/{name}", "header", message) for name in wrong])
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]


def _with_charset(media_type: str) -> str:
    """Add `charset=utf-8` to a text media type without parameters, because clients would guess."""
    is_plain = media_type.startswith("text/") and ";" not in media_type
    return f"{media_type}; charset=utf-8" if is_plain else media_type


def _write_json(value: Any, validator: Validator) -> bytes:
    """Serialise a valid value. Raises ResponseViolation for an invalid one.

    Dates, UUIDs, enums and subclasses may be valid only in their serialised form.
    """
    try:
        if validator.accepts(value):
            return orjson.dumps(value)
    except (ValueError, TypeError):
        pass
    serialised = _to_json(value)
    value = json.loads(serialised)  # orjson would round large integers
    if not validator.accepts(value):
        raise ResponseViolation(validator.violations(value))
    return serialised


def _write_plain(value: Any, validator: Validator | None, charset: str) -> bytes:
    """Serialise text or bytes; text is validated, also that in bytes of a charset that is known."""
    serialised = _to_bytes(value)
    if validator is not None and charset and isinstance(value, bytes):
        with suppress(UnicodeDecodeError, LookupError):
            value = value.decode(charset)
    if validator is not None and isinstance(value, str) and not validator.accepts(value):
        raise ResponseViolation(validator.violations(value))
    return serialised


def _to_json(value: Any) -> bytes:
    """Serialise a value, including integers of more than 64 bits, which requests may also contain."""
    with suppress(TypeError):
        return orjson.dumps(value)
    try:
        return orjson.dumps(_with_large_integers(value))
    except (TypeError, ValueError, RecursionError) as exc:
        raise ResponseViolation([Violation("", "type", "the body cannot be serialised as JSON")]) from exc


def _with_large_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_large_integers(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_large_integers(one) for one in value]
    is_large = type(value) is int and not is_64_bit(value)
    return orjson.Fragment(str(value)) if is_large else value


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        raise ResponseViolation([Violation("", "type", "a body that is not JSON must be str or bytes")])
    return value
