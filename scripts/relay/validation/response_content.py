"""The compiled media types and headers of one documented response."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Response, Schema

from . import http
from . import media_types as media
from .binary_schemas import describes_text, is_binary, is_validated, warn_unvalidated
from .encoding_objects import warn_ignored
from .errors import ResponseViolation
from .http import HeaderList, is_field
from .item_content import ListContent, content_at
from .json_strict import NotJson, parse_json
from .json_writing import write_json, write_text
from .media_types import by_weight
from .results import NO_BODY, HeaderDecoder, HeaderLines, Parts, field_lines, without
from .schemas import SchemaCompiler
from .shapes import Shape
from .slicing import Slicer, slicer
from .validators import Validator


def default_media_type(response: Response) -> str | None:
    """Return the media type used if the handler sets none: JSON if documented, else the first non-range."""
    names = [name for name in response.content if "*" not in name]
    return min(names, key=lambda name: not media.is_json(name), default=None)


_VARY = ("vary", "Accept")

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

    def serialise(self, body: Any, *, is_validated: bool = True) -> bytes:
        """Serialise a body. Raises ResponseViolation if it is invalid or cannot be written."""
        validator = self.validator if is_validated else None
        if self.is_json:
            return write_json(body, validator, self.shape)
        return write_text(body, validator, self.charset)

    async def pieces(self, body: Any) -> list[bytes]:
        """Do as `serialise`; other requests run between the slices of a long array."""
        if self.slicer is not None and self.slicer.is_for(body):
            pieces = await self.slicer.serialise(body)
            if pieces is not None:
                return pieces
        return [self.serialise(body)]

    def check_written(self, body: bytes) -> None:
        """Raise ResponseViolation for a body in bytes that is invalid JSON or text."""
        if not self.is_json:
            write_text(body, self.validator, self.charset)
            return
        assert self.validator is not None
        try:
            value = parse_json(body)
        except NotJson as exc:
            raise ResponseViolation.at("", "type", f"the body is not JSON: {exc}") from None
        if not self.validator.accepts(value):
            raise ResponseViolation(self.validator.violations(value))

    def accepts(self, body: Any) -> bool:
        """Return True if a body is valid; False if that is not known before it is serialised."""
        return self.validator is not None and self.validator.takes(body)


AnyContent = Content | ListContent


def begun(content: AnyContent, media_type: str, lines: HeaderLines) -> tuple[AnyContent, HeaderList]:
    """Return what writes one response, and its headers; a media type of parts gets a boundary."""
    if not isinstance(content, Content):
        content = content.begun(media_type)
        media_type = content.media_type
    return content, field_lines([("content-type", with_charset(media_type)), *lines])


class Documented(NamedTuple):
    """How bodies of one documented media type, or range, are written; `items` is set for lists of items."""

    json: Content
    text: Content
    octets: Content
    items: ListContent | None = None

    def sent_as(self, media_type: str) -> AnyContent:
        """Return how a body of a media type is written."""
        if self.items is not None:
            return self.items
        match media.kind_of(media_type):
            case media.JSON:
                return self.json
            case media.TEXT:
                charset = media.parse_media_type(media_type).charset
                return self.text._replace(charset=charset) if self.text.charset else self.text
        return self.octets


class ResponseCompiler:
    """Compiled encoder of one documented response."""

    def __init__(self, response: Response, compiler: SchemaCompiler) -> None:
        self._content = media.by_name(
            {name: _documented(response, name, compiler) for name in response.content}
        )
        self.has_content = bool(self._content)
        self.default = default_media_type(response)
        self._streams = [name for name in response.items if self._content[media.key_of(name)].items]
        of_json = [name for name in response.content if "*" not in name and media.is_json(name)]
        of_json.sort(key=lambda name: name != self.default)
        self._choices = of_json if len(of_json) > 1 else []  # of which Accept chooses one, the default first
        whole = self._choices or ([] if self.default is None else [self.default])
        of_lists = [*dict.fromkeys([*whole, *self._streams])]
        self._of_lists = of_lists if self._streams and len(of_lists) > 1 else []
        self._headers = HeaderDecoder(response.headers, compiler) if response.headers else None
        self.usual: tuple[Content, HeaderList] | None = None
        """Media type and headers of a result that is only a body."""
        is_chosen = self._choices or self._of_lists or self.default in self._streams
        is_usual = self._headers is None and not is_chosen
        if self.default is not None and is_usual and is_field("content-type", self.default):
            lines = field_lines([("content-type", with_charset(self.default))])
            usual = self._content[media.key_of(self.default)].sent_as(self.default)
            self.usual = (usual, lines) if isinstance(usual, Content) else None

    def of_stream(self, parts: Parts, request: HeaderList) -> Parts:
        """Return the parts of a stream with a media type: the handler's, else of those of items the one that a client wants most."""
        is_given = parts.media_type or any(name == "content-type" for name, _ in parts.lines)
        if is_given or not self._streams:
            return parts
        wanted = by_weight(self._streams, http.header(request, b"accept"))
        lines = [_VARY, *parts.lines] if len(self._streams) > 1 else parts.lines
        return parts._replace(media_type=[*wanted, *self._streams][0], lines=lines)

    def select(self, parts: Parts, request: HeaderList | None) -> tuple[AnyContent | None, HeaderList]:
        """Return the media type to serialise a body as, None if there is no body, and the headers."""
        body, _, given, media_type = parts
        if self.usual is not None and not given and media_type is None and body is not NO_BODY:
            usual, ready = self.usual
            return usual, [*ready]
        chosen, lines = without("content-type", given)
        if self._headers and (violations := self._headers.violations(lines)):
            raise ResponseViolation(violations)
        if not self._content:
            if not (body is None or body is NO_BODY or (type(body) in (str, bytes) and not body)):
                raise ResponseViolation.at("", "content", "the contract documents no body")
            return None, field_lines(lines)
        if body is NO_BODY:
            raise ResponseViolation.at("", "content", "the contract documents a body")
        chosen = chosen or media_type
        is_list = bool(self._of_lists) and isinstance(body, list | tuple)
        if chosen is None and (self._choices or is_list):
            accept = http.header(request, b"accept") if request else None
            stream = self._stream_of_list(body, accept) if is_list else None
            chosen = stream or self._negotiated(body, accept)
            lines = [_VARY, *lines]
        chosen = chosen or self.default
        sent_as = chosen or _natural_type(body)
        content = self.find(sent_as)
        if content is None:
            hint = (
                "; only ranges are documented, so the handler must set content-type" if chosen is None else ""
            )
            reason = f"the contract documents no body of {sent_as}{hint}"
            raise ResponseViolation.at("", "content", reason)
        return begun(content, sent_as, lines)

    def _stream_of_list(self, body: Any, accept: str | None) -> str | None:
        """Return the media type of a stream that is wanted more than any other one, and that the list is valid as."""
        wanted = takewhile(self._streams.__contains__, by_weight(self._of_lists, accept))
        return next((name for name in wanted if self._accepts(name, body)), None)

    def _negotiated(self, body: Any, accept: str | None) -> str | None:
        wanted = by_weight(self._choices, accept)
        return next((name for name in wanted if self._accepts(name, body)), wanted[0] if wanted else None)

    def _accepts(self, media_type: str, body: Any) -> bool:
        content = self.find(media_type)
        if content is None or isinstance(content, Content):
            return content is not None and content.accepts(body)
        try:
            content.serialise(body)
        except ResponseViolation:
            return False
        return True

    def find(self, media_type: str) -> AnyContent | None:
        """Return how a body of a media type is written, if it is documented."""
        found = media.find(media_type, self._content)
        return found.sent_as(media_type) if found is not None else None


def _documented(response: Response, name: str, compiler: SchemaCompiler) -> Documented:
    pointer = (*response.pointer, "content", name)
    items = content_at(pointer, "response", compiler)
    may_be_form = media.is_form(name) or media.covers(name, media.MULTIPART)
    read_as = media.MULTIPART if may_be_form else name if items is not None else ""
    warn_ignored(compiler.contract.follow(pointer)[0], read_as, pointer, compiler)
    is_whole = name not in response.items and items is None
    if is_whole and not is_validated(name, response.content[name], compiler.contract):
        warn_unvalidated(media.essence(name), compiler, pointer)
    whole = _whole(response.content[name], compiler, pointer)
    return whole if items is None else whole._replace(items=items)


def _whole(schema: Schema, compiler: SchemaCompiler, pointer: Pointer) -> Documented:
    """Compile the schema of a documented media type; a schema that describes no text validates only JSON."""
    name = media.essence(pointer[-1])
    validator, shape = compiler.compile(schema, "response", pointer), Shape(schema, compiler.contract)
    may_be_json = validator is not None and (media.is_json(name) or media.is_range(name))
    sliced = slicer(schema, validator, compiler, pointer) if validator and may_be_json else None
    of_text = validator if describes_text(schema, compiler.contract) else None
    has_text = of_text is not None and not is_binary(schema, compiler.contract)
    return Documented(
        Content(validator, shape, is_json=True, slicer=sliced),
        Content(of_text, shape, is_json=False, charset="utf-8" if has_text else ""),
        Content(of_text, shape, is_json=False),
    )


def _natural_type(body: Any) -> str:
    if isinstance(body, str):
        return media.TEXT
    return media.OCTETS if body is UNREAD or isinstance(body, bytes) else media.JSON


def with_charset(media_type: str) -> str:
    """Add `charset=utf-8` to a text media type without parameters, because clients would guess."""
    is_plain = media_type.startswith("text/") and ";" not in media_type
    return f"{media_type}; charset=utf-8" if is_plain else media_type
