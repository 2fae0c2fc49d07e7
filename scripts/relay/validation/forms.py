"""Decodes form bodies to values of the types of their schema.

Supports application/x-www-form-urlencoded as HTML forms send it, and multipart/form-data (RFC 7578). The
schema decides how a part is read (OpenAPI 3.0.3, "Special Considerations for multipart Content"):
`format: binary` stays bytes, an object is JSON, everything else is UTF-8 text. Bodies are decoded in memory,
because the guard limits their size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from python_multipart.multipart import Field, File, FormParser

from relay.contract.model import Contract, Schema

from .coercion import Coercion, additional_properties_of, items_of, properties_of, types_of
from .http import MALFORMED
from .json_strict import parse_json
from .schemas import SchemaCompiler
from .structured_fields import parameters

MAX_FIELDS = 1000

T = TypeVar("T")


class FormDecoder:
    """Decodes the forms of one schema. Raises ValueError for a malformed form."""

    def __init__(self, schema: Schema, contract: Contract, compiler: SchemaCompiler) -> None:
        coercion = Coercion(contract, compiler)
        self._lists: set[str] = set()
        self._texts: dict[str, Callable[[str], Any]] = {}
        self._parts: dict[str, Callable[[bytes], Any]] = {}
        for name, field in properties_of(schema, contract).items():
            element = field
            if "array" in types_of(field, contract):
                self._lists.add(name)
                element = items_of(field, contract)
            self._texts[name] = text = coercion.of(element)
            self._parts[name] = _part_reader(contract.resolve(element), contract, text)
        self._other = coercion.of(additional_properties_of(schema, contract))

    def urlencoded(self, body: bytes) -> dict[str, Any]:
        """Return the fields of an application/x-www-form-urlencoded body."""
        return self._values(parse_urlencoded(body), self._texts, self._other)

    def multipart(self, body: bytes, content_type: str) -> dict[str, Any]:
        """Return the parts of a multipart/form-data body."""
        return self._values(
            parse_multipart(body, content_type), self._parts, lambda part: self._other(part.decode())
        )

    def _values(
        self,
        fields: Mapping[str, list[T]],
        readers: Mapping[str, Callable[[T], Any]],
        other: Callable[[T], Any],
    ) -> dict[str, Any]:
        """Return the value of each field: a list if the schema has an array or the field is repeated."""
        values: dict[str, Any] = {}
        for name, raw in fields.items():
            read = readers.get(name, other)
            several = name in self._lists or len(raw) > 1
            values[name] = [read(one) for one in raw] if several else read(raw[0])
        return values


def parse_urlencoded(text: bytes) -> dict[str, list[str]]:
    """Return each field's values in order, percent-decoded.

    Raises ValueError for text that is not percent-encoded UTF-8, or has more than MAX_FIELDS fields.
    """
    decoded = text.decode("ascii")
    if MALFORMED.search(decoded):
        raise ValueError("not percent-encoded text")
    return _by_name(parse_qsl(decoded, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))


def parse_multipart(body: bytes, content_type: str) -> dict[str, list[bytes]]:
    """Return the bytes of the parts by field name, in order.

    Raises ValueError for a body that does not match its Content-Type or is truncated.
    """
    kind, options = parameters(content_type)
    parts: list[tuple[str, bytes]] = []
    ends: list[bool] = []
    parser = FormParser(
        kind.lower(),
        on_field=lambda field: parts.append(_field(field)),
        on_file=lambda file: parts.append(_file(file)),
        on_end=lambda: ends.append(True),
        boundary=dict(options).get("boundary", "").encode("latin-1"),
        config={"UPLOAD_ERROR_ON_BAD_CTE": True, "MAX_MEMORY_FILE_SIZE": len(body)},
    )
    parser.write(body)
    parser.finalize()
    if not ends:
        raise ValueError("the last part is truncated")
    return _by_name(parts)


def _part_reader(schema: Schema, contract: Contract, text: Callable[[str], Any]) -> Callable[[bytes], Any]:
    if schema.get("format") == "binary":
        return bytes
    if "object" in types_of(schema, contract):
        return parse_json
    return lambda part: text(part.decode())


def _field(field: Field) -> tuple[str, bytes]:
    return (field.field_name or b"").decode(), field.value or b""


def _file(file: File) -> tuple[str, bytes]:
    file.file_object.seek(0)
    content = file.file_object.read()
    file.close()
    return (file.field_name or b"").decode(), content


def _by_name(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    values: dict[str, list[T]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values
