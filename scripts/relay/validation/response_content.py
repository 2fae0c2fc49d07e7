"""The compiled media types and headers of one documented response."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

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
from .validators import Validator
from .violations import Violation


class Content(NamedTuple):
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


class ResponseCompiler:
    """Compiled encoder of one documented response."""

    def __init__(self, response: Response, contract: Contract, compiler: SchemaCompiler) -> None:
        def compiled(name: str, schema: Schema) -> Content:
            pointer = (*response.pointer, "content", name)
            validator, shape = compiler.compile(schema, "response", pointer), Shape(schema, contract)
            if validator is None or not media.is_json(name):
                return Content(validator, shape, is_json=False)
            return Content(validator, shape, True, slicer(schema, validator, contract, compiler, pointer))  # noqa: FBT003

        self._content = media.by_name(
            {name: compiled(name, schema) for name, schema in response.content.items()}
        )
        self.default = default_media_type(response)
        self._choices = _choices(response, self.default)
        self._headers = HeaderDecoder(response, contract, compiler) if response.headers else None
        self.usual: tuple[Content, HeaderList] | None = None
        """Media type and headers of a result that is only a body."""
        is_usual = self._headers is None and not self._choices
        if self.default is not None and is_usual and is_field("content-type", self.default):
            lines = field_lines([("content-type", with_charset(self.default))])
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
        if chosen is None:
            raise ResponseViolation(
                [Violation("", "content", "the handler must set content-type: only ranges are documented")]
            )
        content = self._find(chosen)
        if content is None:
            raise ResponseViolation([Violation("", "content", f"the contract documents no body of {chosen}")])
        return content, field_lines([("content-type", with_charset(chosen)), *lines])

    def _negotiated(self, body: Any, request: HeaderList | None) -> str | None:
        """Return the most wanted media type that the body is valid as, else the most wanted one."""
        accept = http.header(request, b"accept") if request else None
        wanted = by_weight(self._choices, accept)
        return next((name for name in wanted if self._accepts(name, body)), wanted[0] if wanted else None)

    def _accepts(self, media_type: str, body: Any) -> bool:
        content = self._find(media_type)
        return content is not None and content.accepts(body)

    def _find(self, media_type: str) -> Content | None:
        return media.find(media.essence(media_type), self._content)


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


def _write_plain(value: Any, validator: Validator) -> bytes:
    serialised = to_bytes(value)
    if isinstance(value, str) and not validator.accepts(value):
        raise ResponseViolation(validator.violations(value))
    return serialised


def to_bytes(value: Any) -> bytes:
    """Return a body that is not JSON as bytes. Raises ResponseViolation for one that is neither text nor bytes."""
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        raise ResponseViolation([Violation("", "type", "a body that is not JSON must be str or bytes")])
    return value
