"""The compiled media types and headers of one documented response."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Response, Schema

from . import http
from . import media_types as media
from .accept import by_weight
from .errors import ResponseViolation
from .http import HeaderList, is_field
from .json_strict import NotJson, parse_json
from .json_writing import write_json
from .response_headers import HeaderDecoder, field_lines, without
from .results import NO_BODY, Parts
from .schemas import SchemaCompiler
from .shapes import Shape
from .slicing import Slicer, slicer
from .unvalidated import describes_text, is_binary, is_validated, warn_unvalidated
from .validators import Validator
from .violations import Violation

UNREAD: Any = object()
"""A body that is not in memory, so that it cannot be validated."""


class Content(NamedTuple):
    """How a body of one media type is validated and written; without a validator, it is not validated."""

    validator: Validator | None
    shape: Shape
    is_json: bool
    slicer: Slicer | None = None
    charset: str = ""
    """The charset of text in bytes, which is validated as text; empty for other bytes."""

    def serialise(self, body: Any) -> bytes:
        """Serialise a valid body. Raises ResponseViolation for an invalid one."""
        if self.is_json:
            assert self.validator is not None  # the server does not start if a schema cannot be compiled
            return write_json(body, self.validator, self.shape)
        return _write_plain(body, self.validator, self.charset)

    def check_written(self, body: bytes) -> None:
        """Raise ResponseViolation for a body in bytes that is invalid JSON or text."""
        if not self.is_json:
            _write_plain(body, self.validator, self.charset)
            return
        assert self.validator is not None
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


class Documented(NamedTuple):
    """One documented media type, or a range, whose bodies are written as the media type of each says."""

    json: Content
    text: Content
    octets: Content

    def sent_as(self, media_type: str) -> Content:
        """Return how a body of a media type is written."""
        match media.kind_of(media_type):
            case media.JSON:
                return self.json
            case media.TEXT:
                charset = media.parse_media_type(media_type).charset
                return self.text._replace(charset=charset) if self.text.charset else self.text
        return self.octets


class ResponseCompiler:
    """Compiled encoder of one documented response."""

    def __init__(self, response: Response, contract: Contract, compiler: SchemaCompiler) -> None:
        self._content = media.by_name(
            {
                name: _documented(schema, contract, compiler, (*response.pointer, "content", name))
                for name, schema in response.content.items()
            }
        )
        self.default = default_media_type(response)
        self._choices = _choices(response, self.default)
        self._headers = HeaderDecoder(response, contract, compiler) if response.headers else None
        self.usual: tuple[Content, HeaderList] | None = None
        """Media type and headers of a result that is only a body."""
        is_usual = self._headers is None and not self._choices
        if self.default is not None and is_usual and is_field("content-type", self.default):
            lines = field_lines([("content-type", with_charset(self.default))])
            self.usual = self._content[media.key_of(self.default)].sent_as(self.default), lines

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

    def select(self, parts: Parts, request: HeaderList | None) -> tuple[Content | None, HeaderList]:
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
        sent_as = chosen or _natural_type(body)
        content = self._find(sent_as)
        if content is None:
            reason = f"the contract documents no body of {sent_as}"
            if chosen is None:
                reason += "; only ranges are documented, so the handler must set content-type"
            raise ResponseViolation([Violation("", "content", reason)])
        return content, field_lines([("content-type", with_charset(sent_as)), *lines])

    def _negotiated(self, body: Any, request: HeaderList | None) -> str | None:
        """Return the most wanted media type that the body is valid as, else the most wanted one."""
        accept = http.header(request, b"accept") if request else None
        wanted = by_weight(self._choices, accept)
        return next((name for name in wanted if self._accepts(name, body)), wanted[0] if wanted else None)

    def _accepts(self, media_type: str, body: Any) -> bool:
        content = self._find(media_type)
        return content is not None and content.accepts(body)

    def _find(self, media_type: str) -> Content | None:
        found = media.find(media_type, self._content)
        return found.sent_as(media_type) if found is not None else None


def _documented(schema: Schema, contract: Contract, compiler: SchemaCompiler, pointer: Pointer) -> Documented:
    """Compile the schema of a documented media type; a schema that describes no text validates only JSON."""
    name = media.essence(pointer[-1])
    validator, shape = compiler.compile(schema, "response", pointer), Shape(schema, contract)
    may_be_json = validator is not None and (media.is_json(name) or media.is_range(name))
    sliced = slicer(schema, validator, contract, compiler, pointer) if validator and may_be_json else None
    if not is_validated(name, schema, contract):
        warn_unvalidated(name, contract, compiler, pointer)
    of_text = validator if describes_text(schema, contract) else None
    has_text = of_text is not None and not is_binary(schema, contract)
    return Documented(
        Content(validator, shape, is_json=True, slicer=sliced),
        Content(of_text, shape, is_json=False, charset="utf-8" if has_text else ""),
        Content(of_text, shape, is_json=False),
    )


def _natural_type(body: Any) -> str:
    """Return the media type of a body for which neither handler nor contract name one."""
    if isinstance(body, str):
        return media.TEXT
    return media.OCTETS if body is UNREAD or isinstance(body, bytes) else media.JSON


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


def with_charset(media_type: str) -> str:
    """Add `charset=utf-8` to a text media type without parameters, because clients would guess."""
    is_plain = media_type.startswith("text/") and ";" not in media_type
    return f"{media_type}; charset=utf-8" if is_plain else media_type


def _is_empty(body: Any) -> bool:
    """Return True for a body that can be sent where none is documented."""
    return body is None or body is NO_BODY or (type(body) in (str, bytes) and not body)


def _write_plain(value: Any, validator: Validator | None, charset: str) -> bytes:
    """Serialise text or bytes; text is validated, also that in bytes of a charset that is known."""
    serialised = to_bytes(value)
    if validator is not None and charset and isinstance(value, bytes):
        with suppress(UnicodeDecodeError, LookupError):
            value = value.decode(charset)
    if validator is not None and isinstance(value, str) and not validator.accepts(value):
        raise ResponseViolation(validator.violations(value))
    return serialised


def to_bytes(value: Any) -> bytes:
    """Return a body that is not JSON as bytes. Raises ResponseViolation for one that is neither text nor bytes."""
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        raise ResponseViolation([Violation("", "type", "a body that is not JSON must be str or bytes")])
    return value
