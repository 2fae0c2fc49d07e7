"""Multipart whose parts have no names: an array with an item for each part (OpenAPI 3.2, "Encoding By Position")."""

from __future__ import annotations

from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from .encoding_objects import DescribedParts
from .errors import ResponseViolation
from .multipart import Form
from .part_compiling import FieldMaker, NestedMaker
from .part_decoder import PartDecoder
from .part_fields import Decoded, Field, Written
from .part_writing import last_delimiter, with_boundary, write_part
from .schemas import SchemaCompiler
from .spools import Spool
from .violations import Violation


class PartsDecoder(PartDecoder):
    """Decodes and writes the bodies of one schema; `pointer` is that of the Media Type Object, or of an Encoding Object."""

    def __init__(
        self,
        schema: Schema,
        contract: Contract,
        compiler: SchemaCompiler,
        pointer: Pointer,
        nested: NestedMaker,
    ) -> None:
        make = FieldMaker(contract, compiler, nested)
        described = DescribedParts.of(*contract.follow(pointer), schema, contract)
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
