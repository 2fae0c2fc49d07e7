"""Bodies of multipart: forms, and arrays with an item for each part; parts may be such bodies themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urlencode

from relay.contract.documents import Pointer
from relay.contract.model import Schema

from . import media_types as media
from .coercion import additional_properties_of, properties_of
from .encoding_objects import DescribedParts
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
from .violations import Violation


class PartDecoder(ABC):
    """Decodes bodies of multipart."""

    @abstractmethod
    def form(self, content_type: str, spool: Spool, limit: int) -> Form:
        """Return a form to feed with the bytes of a body, of which `limit` may be values."""

    @abstractmethod
    def decode(self, form: Form) -> Decoded:
        """Return the value of a form. Raises ValueError if it is malformed."""

    def parse(self, body: bytes, content_type: str) -> Form:
        """Return the form of a body that is in memory."""
        form = self.form(content_type, Spool(), len(body))
        form.feed(body)
        form.end()
        return form

    def read(self, content: bytes, content_type: str) -> Decoded:
        """Return the value of a body that is a part of another one. Raises ValueError if it is malformed."""
        return self.decode(self.parse(content, content_type))


class MultipartDecoder(PartDecoder):
    """Decodes the multipart forms of one schema; `pointer` is that of the Media Type Object, or of an Encoding Object."""

    def __init__(
        self, schema: Schema, compiler: SchemaCompiler, pointer: Pointer, nested: NestedMaker
    ) -> None:
        media_type, at = compiler.contract.follow(pointer)
        encoding = media_type.get("encoding", {})
        make = FieldMaker(compiler, nested)
        self._refuses_nul = compiler.strictness.nul
        self._fields = {
            name: make.field(field, encoding.get(name, {}), (*at, "encoding", name))
            for name, field in properties_of(schema, compiler.contract).items()
        }
        styles = part_styles(encoding, compiler.contract)
        self._form = FormDecoder(schema, compiler, styles) if styles else None
        self._other = make.field(
            additional_properties_of(schema, compiler.contract), {}, at, is_declared=False
        )
        self.has_files = not self._fields or any(one.is_binary for one in self._fields.values())

    @property
    def has_styles(self) -> bool:
        """Whether a property has a style, by which it is read and cannot be written."""
        return self._form is not None

    def field(self, name: str) -> Field:
        """Return how the parts of a name are read and written."""
        return self._fields.get(name, self._other)

    def is_file(self, name: str, has_file_name: bool) -> bool:  # noqa: FBT001 -- see `IsFile`
        """Return True for a part whose content is a file."""
        field = self.field(name)
        return not self._has_style(name) and (field.is_binary or (field.is_open and has_file_name))

    def _has_style(self, name: str) -> bool:
        return self._form is not None and self._form.is_styled(name)

    def form(self, content_type: str, spool: Spool, limit: int) -> Form:
        """Return a form to feed with the bytes of a body, of which `limit` may be values."""
        return Form(content_type, spool, self.is_file, limit)

    def reads(self, media_type: str) -> bool:
        """Return True for the media type of forms; the decoder may be that of a range."""
        return media_type == media.MULTIPART

    def decode(self, form: Form) -> Decoded:
        """Return the value of a form. Raises ValueError if it is malformed."""
        if form.fault is not None:
            raise form.fault
        found = Decoded({}, {}, [])
        styled = self._styled(form)
        found.value.update(styled)
        found.plain.update(styled)
        for name, parts in form.parts.items():
            if self._has_style(name):
                continue
            field = self.field(name)
            is_list = field.is_list or len(parts) > 1
            for index, part in enumerate(parts):
                at = place(name, index if is_list else None)
                found.violations.extend(field.violations(part, at))
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
            raise not_a_form(body)
        boundary, sent = with_boundary(media_type)
        parts: list[bytes] = []
        plain: dict[str, Any] = {}
        for name, value in body.items():
            field = self.field(name)
            is_list = field.is_list and isinstance(value, list)
            head = [("content-disposition", _disposition(name, is_file=field.is_binary))]
            written = [
                write_part(
                    field,
                    one,
                    boundary,
                    place(name, index if is_list else None),
                    head=head,
                    is_validated=is_validated,
                )
                for index, one in enumerate(value if is_list else [value])
            ]
            parts += [one.content for one in written]
            plain[name] = [one.plain for one in written] if is_list else written[0].plain
        return Written(b"".join([*parts, last_delimiter(boundary)]), sent, plain)


def not_a_form(body: Any) -> ResponseViolation:
    """Return the error for a value that cannot be written as a form."""
    message = f"a form must be a dict, not of the type {type(body).__name__}"
    return ResponseViolation([Violation("", "type", message)])


def _disposition(name: str, *, is_file: bool) -> str:
    """Return the header that names a part (RFC 7578 section 4.2), with the escapes of browsers."""
    quoted = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22").encode().decode("latin-1")
    return f'form-data; name="{quoted}"' + (f'; filename="{quoted}"' if is_file else "")


class PartsDecoder(PartDecoder):
    """Decodes and writes the bodies of one schema; `pointer` is that of the Media Type Object, or of an Encoding Object."""

    def __init__(
        self, schema: Schema, compiler: SchemaCompiler, pointer: Pointer, nested: NestedMaker
    ) -> None:
        make = FieldMaker(compiler, nested)
        described = DescribedParts.of(*compiler.contract.follow(pointer), schema, compiler.contract)
        self._first = [make.part(*one) for one in described.first]
        self._other = make.part(*described.others)
        self.has_files = any(one.is_binary for one in (*self._first, self._other))

    def at(self, number: int) -> Field:
        """Return how a part is read and written."""
        return self._first[number] if number < len(self._first) else self._other

    def reads(self, media_type: str) -> bool:  # noqa: ARG002 -- as that of forms
        """Return True: the decoder is that of one media type."""
        return True

    def form(self, content_type: str, spool: Spool, limit: int) -> Form:
        """Return a form to feed with the bytes of a body, of which `limit` may be values."""
        return Form(content_type, spool, self._is_file, limit, is_named=False)

    def decode(self, form: Form) -> Decoded:
        """Return the list of the values of the parts. Raises ValueError if the body is malformed."""
        if form.fault is not None:
            raise form.fault
        found = Decoded([], [], [])
        for name, parts in form.parts.items():
            field = self.at(int(name))
            found.violations.extend(field.violations(parts[0], f"/{name}"))
            for one in field.values(parts, name, found.violations):
                found.value.append(one.value)
                found.plain.append(one.plain)
        return found

    def write(self, body: Any, media_type: str, *, is_validated: bool) -> Written:
        """Return a list as multipart, with a boundary if the media type has none.

        The parts are validated, but for the schema of the list. Raises ResponseViolation.
        """
        if not isinstance(body, list | tuple):
            message = (
                f"a body of parts must be a list with an item for each, not of the type {type(body).__name__}"
            )
            raise ResponseViolation([Violation("", "type", message)])
        boundary, sent = with_boundary(media_type)
        parts = [
            write_part(self.at(number), item, boundary, str(number), head=[], is_validated=is_validated)
            for number, item in enumerate(body)
        ]
        content = b"".join([*(one.content for one in parts), last_delimiter(boundary)])
        return Written(content, sent, [one.plain for one in parts])

    def _is_file(self, name: str, has_file_name: bool) -> bool:  # noqa: FBT001 -- see `IsFile`
        field = self.at(int(name))
        return field.is_binary or (field.is_open and has_file_name)


MAX_NESTING = 4
"""Levels of parts within the parts of a body."""


class Nesting:
    """Compiles the parts within the parts of a body, to a depth that is bounded."""

    def __init__(self, compiler: SchemaCompiler, direction: Direction, depth: int = 0) -> None:
        self._contract, self._compiler = compiler.contract, compiler
        self._direction, self._depth = direction, depth

    def __call__(self, media_type: str, schema: Schema, pointer: Pointer) -> Nested | None:
        """Return how a part is read and written; None, with an error, if it cannot be."""
        if self._depth == MAX_NESTING:
            self._refuse(
                pointer, f"parts are nested more than {MAX_NESTING} levels deep; write JSON as contentType"
            )
            return None
        arguments = schema, self._compiler, pointer
        inner = Nesting(self._compiler, self._direction, self._depth + 1)
        found: UrlencodedPart | MultipartDecoder
        match media.essence(media_type):
            case media.URLENCODED:
                found = UrlencodedPart(*arguments)
            case media.MULTIPART:
                found = MultipartDecoder(*arguments, inner)
            case _:
                return PartsDecoder(*arguments, inner)
        if found.has_styles and self._direction == "response":
            self._refuse(
                pointer, "a form with styles cannot be written as a part of a response; write it without them"
            )
        return found

    def _refuse(self, pointer: Pointer, message: str) -> None:
        self._compiler.problems.append(self._contract.problem(pointer, message, "unreadable-part"))


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
            raise not_a_form(body)
        pairs = [
            (name, one if isinstance(one, str) else to_json(one))
            for name, value in plain.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        return Written(urlencode(pairs).encode(), media_type, plain)
