"""Bodies of multipart: forms, and arrays with an item for each part; parts may be such bodies themselves.

In a form, a property with `format: binary` is a file, since OpenAPI 3.1 also one without a type or with a
`contentMediaType`; so is a part with a file name whose schema does not say what it is. An object, or a part whose
encoding says JSON, is JSON; everything else is UTF-8 text (OpenAPI 3.0.3, "Special Considerations for multipart
Content"). `style` and `explode` are for other forms; since OpenAPI 3.1 they replace the media type.
It is one module because the decoders contain each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urlencode

from relay.contract.documents import Pointer
from relay.contract.model import Schema

from . import media_types as media
from .coercion import additional_properties_of, properties_of
from .encoding_objects import described_parts
from .errors import ResponseViolation
from .forms import FormDecoder, decoded, part_styles
from .json_writing import to_json, to_plain
from .multipart import Form
from .part_fields import Decoded, Field, FieldMaker, Nested, NestedMaker, Written, place
from .part_writing import last_delimiter, with_boundary, write_part
from .raw_texts import unencoded
from .schemas import Direction, SchemaCompiler
from .shapes import Shape
from .spools import Spool

MAX_NESTING = 4
"""Levels of parts within the parts of a body."""


class PartDecoder(ABC):
    """Decodes and writes the bodies of one schema; the pointer is that of a Media Type Object, or of an Encoding Object."""

    has_files: bool
    is_named: bool

    @abstractmethod
    def field(self, name: str) -> Field:
        """Return how the parts of a name, or the part at a position, are read and written."""

    @abstractmethod
    def decode(self, form: Form) -> Decoded:
        """Return the value of a form. Raises ValueError if it is malformed."""

    def reads(self, media_type: str) -> bool:
        """Return True for the media type of the decoder; that of forms may be the decoder of a range."""
        return not self.is_named or media_type == media.MULTIPART

    def form(self, content_type: str, spool: Spool, limit: int) -> Form:
        """Return a form to feed with the bytes of a body, of which `limit` may be values."""
        return Form(content_type, spool, self._is_file, limit, is_named=self.is_named)

    def parse(self, body: bytes, content_type: str) -> Form:
        """Return the form of a body that is in memory."""
        form = self.form(content_type, Spool(), len(body))
        form.feed(body)
        form.end()
        return form

    def read(self, content: bytes, content_type: str) -> Decoded:
        """Return the value of a body that is a part of another one. Raises ValueError if it is malformed."""
        return self.decode(self.parse(content, content_type))

    def _is_file(self, name: str, has_file_name: bool) -> bool:  # noqa: FBT001 -- see `IsFile`
        field = self.field(name)
        return field.is_binary or (field.is_open and has_file_name)


class MultipartDecoder(PartDecoder):
    """Decodes and writes multipart forms; the properties with a style are only read."""

    is_named = True

    def __init__(
        self, schema: Schema, compiler: SchemaCompiler, pointer: Pointer, nested: NestedMaker
    ) -> None:
        contract = compiler.contract
        media_type, at = contract.follow(pointer)
        encoding = media_type.get("encoding", {})
        make = FieldMaker(compiler, nested)
        self._refuses_nul = compiler.strictness.nul
        self._fields = {
            name: make.field(field, encoding.get(name, {}), (*at, "encoding", name))
            for name, field in properties_of(schema, contract).items()
        }
        styles = part_styles(encoding, contract)
        self._form = FormDecoder(schema, compiler, styles) if styles else None
        self._other = make.field(additional_properties_of(schema, contract), {}, at, is_declared=False)
        self.has_files = not self._fields or any(one.is_binary for one in self._fields.values())
        self.has_styles = self._form is not None

    def field(self, name: str) -> Field:
        """Return how the parts of a name are read and written."""
        return self._fields.get(name, self._other)

    def _is_file(self, name: str, has_file_name: bool) -> bool:  # noqa: FBT001 -- see `IsFile`
        return not self._has_style(name) and super()._is_file(name, has_file_name)

    def _has_style(self, name: str) -> bool:
        return self._form is not None and self._form.is_styled(name)

    def decode(self, form: Form) -> Decoded:
        """Return the value of a form. Raises ValueError if it is malformed."""
        if form.fault is not None:
            raise form.fault
        styled = self._styled(form)
        found = Decoded({**styled}, {**styled}, [])
        for name, parts in form.parts.items():
            if self._has_style(name):
                continue
            field = self.field(name)
            is_list = field.is_list or len(parts) > 1
            for index, part in enumerate(parts):
                found.violations.extend(field.violations(part, place(name, index if is_list else None)))
            read = [] if found.violations else field.values(parts, name, found.violations)
            if not found.violations:
                values, plain = [one.value for one in read], [one.plain for one in read]
                if field.is_list and field.is_json and len(values) == 1 and isinstance(values[0], list):
                    values = plain = values[0]  # one part for the whole array
                found.value[name] = values if is_list else values[0]
                found.plain[name] = plain if is_list else plain[0]
        return found

    def _styled(self, form: Form) -> dict[str, Any]:
        """Return the values of the fields with a style, whose texts are not percent-encoded."""
        if self._form is None:
            return {}
        texts = {
            name: [
                decoded(one.content, refuses_nul=self._refuses_nul)
                for one in parts
                if isinstance(one.content, bytes)
            ]
            for name, parts in form.parts.items()
            if self._form.is_styled(name)
        }
        return self._form.styled(unencoded(texts))

    def write(self, body: Any, media_type: str, *, is_validated: bool) -> Written:
        """Return a form that is a part of a response. Raises ResponseViolation."""
        if not isinstance(body, dict):
            raise _not_a_form(body)
        boundary, sent = with_boundary(media_type)
        content: list[bytes] = []
        plain: dict[str, Any] = {}
        for name, value in body.items():
            field = self.field(name)
            is_list = field.is_list and isinstance(value, list)
            head = [("content-disposition", _disposition(name, is_file=field.is_binary))]
            written = []
            for index, one in enumerate(value if is_list else [value]):
                at = place(name, index if is_list else None)
                written.append(write_part(field, one, boundary, at, head=head, is_validated=is_validated))
            content += [one.content for one in written]
            plain[name] = [one.plain for one in written] if is_list else written[0].plain
        return Written(b"".join([*content, last_delimiter(boundary)]), sent, plain)


def _not_a_form(body: Any) -> ResponseViolation:
    return ResponseViolation.at("", "type", f"a form must be a dict, not of the type {type(body).__name__}")


def _disposition(name: str, *, is_file: bool) -> str:
    """Return the header that names a part (RFC 7578 section 4.2), with the escapes of browsers."""
    quoted = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22").encode().decode("latin-1")
    return f'form-data; name="{quoted}"' + (f'; filename="{quoted}"' if is_file else "")


class PartsDecoder(PartDecoder):
    """Decodes and writes multipart whose parts have no names: arrays (OpenAPI 3.2, "Encoding By Position")."""

    is_named = False

    def __init__(
        self, schema: Schema, compiler: SchemaCompiler, pointer: Pointer, nested: NestedMaker
    ) -> None:
        make = FieldMaker(compiler, nested)
        described = described_parts(*compiler.contract.follow(pointer), schema, compiler.contract)
        self.fields = described.map(lambda one: make.part(*one))
        self.has_files = any(one.is_binary for one in (*self.fields.first, self.fields.others))

    def field(self, name: str) -> Field:
        """Return how the part at a position is read and written."""
        return self.fields.at(int(name))

    def decode(self, form: Form) -> Decoded:
        """Return the list of the values of the parts. Raises ValueError if the body is malformed."""
        if form.fault is not None:
            raise form.fault
        found = Decoded([], [], [])
        for name, parts in form.parts.items():
            field = self.field(name)
            found.violations.extend(field.violations(parts[0], f"/{name}"))
            for one in field.values(parts, name, found.violations):
                found.value.append(one.value)
                found.plain.append(one.plain)
        return found

    def write(self, body: Any, media_type: str, *, is_validated: bool) -> Written:
        """Return a list as multipart, each part validated but not the whole. Raises ResponseViolation."""
        if not isinstance(body, list | tuple):
            kind = type(body).__name__
            message = f"a body of parts must be a list with an item for each, not of the type {kind}"
            raise ResponseViolation.at("", "type", message)
        boundary, sent = with_boundary(media_type)
        parts = [
            write_part(
                self.fields.at(number), item, boundary, str(number), head=[], is_validated=is_validated
            )
            for number, item in enumerate(body)
        ]
        content = b"".join([*(one.content for one in parts), last_delimiter(boundary)])
        return Written(content, sent, [one.plain for one in parts])


class UrlencodedPart:
    """A part that is an application/x-www-form-urlencoded form."""

    def __init__(self, schema: Schema, compiler: SchemaCompiler, pointer: Pointer) -> None:
        encoding = compiler.contract.follow(pointer)[0].get("encoding", {})
        self._form = FormDecoder(schema, compiler, encoding)
        self._shape = Shape(schema, compiler.contract)
        self.has_styles = self._form.has_styles

    def read(self, content: bytes, _content_type: str) -> Decoded:
        """Return the value of the form. Raises ValueError if it is malformed."""
        value = self._form.urlencoded(content)
        return Decoded(value, value, [])

    def write(self, body: Any, media_type: str, *, is_validated: bool) -> Written:  # noqa: ARG002 -- see `Nested`
        """Return a form whose properties have no style. Raises ResponseViolation."""
        plain = to_plain(body, self._shape)
        if not isinstance(plain, dict):
            raise _not_a_form(body)
        pairs = [
            (name, one if isinstance(one, str) else to_json(one))
            for name, value in plain.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        return Written(urlencode(pairs).encode(), media_type, plain)


class Nesting:
    """Compiles the parts within the parts of a body, to a depth that is bounded."""

    def __init__(self, compiler: SchemaCompiler, direction: Direction, depth: int = 0) -> None:
        self._compiler, self._direction, self._depth = compiler, direction, depth

    def __call__(self, media_type: str, schema: Schema, pointer: Pointer) -> Nested | None:
        """Return how a part is read and written; None, with an error, if it cannot be."""
        if self._depth == MAX_NESTING:
            message = f"parts are nested more than {MAX_NESTING} levels deep; write JSON as contentType"
            self._compiler.refuse(pointer, message, "unreadable-part")
            return None
        inner = Nesting(self._compiler, self._direction, self._depth + 1)
        found: UrlencodedPart | MultipartDecoder
        match media.essence(media_type):
            case media.URLENCODED:
                found = UrlencodedPart(schema, self._compiler, pointer)
            case media.MULTIPART:
                found = MultipartDecoder(schema, self._compiler, pointer, inner)
            case _:
                return PartsDecoder(schema, self._compiler, pointer, inner)
        if found.has_styles and self._direction == "response":
            message = "a form with styles cannot be written as a part of a response; write it without them"
            self._compiler.refuse(pointer, message, "unreadable-part")
        return found
