"""Parts of multipart that are forms, or multipart, themselves (OpenAPI 3.2, "Encoding Object", nested encodings)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from . import media_types as media
from .form_parts import MultipartDecoder, not_a_form
from .forms import FormDecoder
from .json_writing import to_json, to_plain
from .part_fields import Decoded, Nested, Written
from .part_lists import PartsDecoder
from .schemas import Direction, SchemaCompiler
from .shapes import Shape

MAX_NESTING = 4
"""Levels of parts within the parts of a body."""


class Nesting:
    """Compiles the parts within the parts of a body, to a depth that is bounded."""

    def __init__(
        self, contract: Contract, compiler: SchemaCompiler, direction: Direction, depth: int = 0
    ) -> None:
        self._contract, self._compiler = contract, compiler
        self._direction, self._depth = direction, depth

    def __call__(self, media_type: str, schema: Schema, pointer: Pointer) -> Nested | None:
        """Return how a part is read and written; None, with an error, if it cannot be."""
        if self._depth == MAX_NESTING:
            self._refuse(
                pointer, f"parts are nested more than {MAX_NESTING} levels deep; write JSON as contentType"
            )
            return None
        arguments = schema, self._contract, self._compiler, pointer
        inner = Nesting(self._contract, self._compiler, self._direction, self._depth + 1)
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

    def __init__(
        self, schema: Schema, contract: Contract, compiler: SchemaCompiler, pointer: Pointer
    ) -> None:
        encoding = contract.follow(pointer)[0].get("encoding", {})
        self._form = FormDecoder(schema, contract, compiler, encoding)
        self._shape = Shape(schema, contract)
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
