"""Decodes the parts of multipart forms to values, as schema and Encoding Object describe them.

A property with `format: binary` is a file, since OpenAPI 3.1 also one without a type or with a `contentMediaType`; so is a part with a file name whose schema does not say what it is. An object,
or a part whose encoding says JSON, is JSON; everything else is UTF-8 text (OpenAPI 3.0.3, "Special Considerations for
multipart Content"). `style` and `explode` are for other forms; since OpenAPI 3.1 they replace the media type.
"""

from __future__ import annotations

from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from . import media_types as media
from .coercion import additional_properties_of, properties_of
from .errors import ResponseViolation
from .forms import FormDecoder, decoded, part_styles
from .multipart import Form
from .part_compiling import FieldMaker, NestedMaker
from .part_decoder import PartDecoder
from .part_fields import Decoded, Field, Written, place
from .part_writing import last_delimiter, with_boundary, write_part
from .raw_texts import unencoded
from .schemas import SchemaCompiler
from .spools import Spool
from .violations import Violation


class MultipartDecoder(PartDecoder):
    """Decodes the multipart forms of one schema; `pointer` is that of the Media Type Object, or of an Encoding Object."""

    def __init__(
        self,
        schema: Schema,
        contract: Contract,
        compiler: SchemaCompiler,
        pointer: Pointer,
        nested: NestedMaker,
    ) -> None:
        media_type, at = contract.follow(pointer)
        encoding = media_type.get("encoding", {})
        make = FieldMaker(contract, compiler, nested)
        self._refuses_nul = compiler.strictness.nul
        self._fields = {
            name: make.field(field, encoding.get(name, {}), (*at, "encoding", name))
            for name, field in properties_of(schema, contract).items()
        }
        styles = part_styles(encoding, contract)
        self._form = FormDecoder(schema, contract, compiler, styles) if styles else None
        self._other = make.field(additional_properties_of(schema, contract), {}, at, is_declared=False)
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
