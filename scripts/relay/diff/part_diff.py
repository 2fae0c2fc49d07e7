"""Compares the parts of multipart bodies, as Encoding Objects describe them: media types, headers, and parts within parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Parameter, Schema
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_file
from relay.validation.coercion import items_of, properties_of, types_of
from relay.validation.encoding_objects import (
    ByPosition,
    DescribedPart,
    content_types,
    described_parts,
    has_parts,
    is_nested,
)
from relay.validation.part_decoders import MAX_NESTING
from relay.validation.schemas import Direction

from .changes import Difference, Places
from .parameter_diff import by_name, compare_headers, compare_parameters
from .pointer_names import canonical, raw
from .schema_diff import SchemaComparison
from .schema_view import Shape, View
from .sites import Site

_OF_VALUES = frozenset(("request-type-narrowed", "request-null-refused"))
"""Rules for what a file has not: a type, and null."""


class _Part(NamedTuple):
    """A part, or the whole body: its Encoding or Media Type Object, and the schema of its value; a field has a name."""

    contract: Contract
    at: Pointer
    words: Mapping[str, Any]
    schema: Schema
    name: str | None = None

    @property
    def default_type(self) -> str:
        """Its media type if none is stated (OpenAPI 3.0.3 and 3.1.1, "Encoding Object", `contentType`)."""
        schema = self.contract.resolve(self.schema)
        types = types_of(schema, self.contract)
        if schema.get("format") == "binary" or not (types or self.contract.version == "3.0"):
            return "application/octet-stream"
        composed = {"object", "array"} if self.name is None else {"object"}
        return "text/plain" if types.isdisjoint(composed) else media.JSON

    @property
    def has_parts(self) -> bool:
        """True if it consists of parts."""
        return is_nested(self.schema, self.words, self.contract)

    @property
    def headers(self) -> dict[str, Parameter]:
        """The headers by their names in lower case."""
        return by_name(self.contract.headers(self.words, self.at))

    def field(self, name: str) -> _Part | None:
        """Return the part of a form with a name; each item of an array is a part."""
        schema = properties_of(self.schema, self.contract).get(name)
        encoding = self.words.get("encoding", {}).get(name)
        if schema is None and encoding is None:
            return None
        field = _Part(self.contract, (*self.at, "encoding", name), encoding or {}, schema or {}, name)
        if "array" in types_of(field.schema, self.contract):
            item = field._replace(schema=items_of(field.schema, self.contract))
            return field if field.has_parts and not item.has_parts else item
        return field


def compare_parts(at: Places, schemas: SchemaComparison, direction: Direction) -> Iterator[Difference]:
    """Yield the differences of the parts of two Media Type Objects; before 3.2, responses have no encodings."""
    if direction == "request" and _become_parts(at, schemas):
        what = "it was bytes, and its parts are read and validated now"
        yield Difference("request-parts-validated", what, *at / "schema")
    if direction == "response" and {schemas.old.version, schemas.new.version} != {"3.2"}:
        return
    pending = [(_media_type(schemas.old, at.old), _media_type(schemas.new, at.new), 0)]
    while pending:
        before, after, depth = pending.pop()
        for one, other in _pairs(before, after):
            places = Places(one.at, other.at)
            yield from _types(one, other, places, direction)
            compare = compare_headers if direction == "response" else compare_parameters
            yield from compare(one.headers, other.headers, places, schemas)
            if depth < MAX_NESTING and one.has_parts and other.has_parts:
                pending.append((one, other, depth + 1))


def _become_parts(at: Places, schemas: SchemaComparison) -> bool:
    """Return True for bodies with the same type of schema that are read only by the newer version."""
    before, after = schemas.raw(at)
    is_new = schemas.old.version != "3.2" and "array" in types_of(before.get("schema", {}), schemas.old)
    return is_new and has_parts(at.new[-1], after, schemas.new)


def _media_type(contract: Contract, at: Pointer) -> _Part:
    words = raw(contract, at)
    schema = {"items": words["itemSchema"]} if "itemSchema" in words else words.get("schema", {})
    return _Part(contract, canonical(contract, at), words, schema)


def _pairs(old: _Part, new: _Part) -> Iterator[tuple[_Part, _Part]]:
    """Yield the parts that both have and one describes; those after the last position stand for all others."""
    for name in dict.fromkeys([*old.words.get("encoding", {}), *new.words.get("encoding", {})]):
        before, after = old.field(name), new.field(name)
        if before is not None and after is not None:
            yield before, after
    if {"prefixEncoding", "itemEncoding"}.isdisjoint([*old.words, *new.words]):
        return
    sides = [(one, described_parts(one.words, one.at, one.schema, one.contract)) for one in (old, new)]
    most = max((len(parts.first) for one, parts in sides if one.contract.version == "3.2"), default=0)
    for number in range(most + 1):
        before, after = (_item(one.contract, parts, number) for one, parts in sides)
        if {"not": {}} not in (before.schema, after.schema):
            yield before, after


def _item(contract: Contract, parts: ByPosition[DescribedPart], number: int) -> _Part:
    schema, encoding, at = parts.at(number)
    return _Part(contract, at, encoding, schema)


def _types(old: _Part, new: _Part, at: Places, direction: Direction) -> Iterator[Difference]:
    """Report media types that the side which reads the part does not expect; without one it expects any."""
    producer, consumer = (old, new) if direction == "request" else (new, old)
    accepted = media.by_name(dict.fromkeys(content_types(consumer.words), True))
    before, after = (one.words.get("contentType") or one.default_type for one in (old, new))
    sent = content_types(producer.words) or [producer.default_type]
    if accepted and not all(media.find(one, accepted) for one in sent):
        what = f"its media type changed from {before} to {after}"
        yield Difference(f"{direction}-part-type-changed", what, *at / "contentType", name=new.name)


def without_files(found: list[Difference], at: Places, schemas: SchemaComparison) -> list[Difference]:
    """Return the differences of a form without those of files, which are bytes and never null."""
    old, new = frozenset(_files(schemas.old, at.old)), frozenset(_files(schemas.new, at.new))
    return [
        one for one in found if not (one.rule in _OF_VALUES and one.old[:-1] in old and one.new[:-1] in new)
    ]


def _files(contract: Contract, at: Pointer) -> Iterator[Pointer]:
    """Yield the pointers of the schemas of files."""
    encodings = raw(contract, at).get("encoding") or {}
    form = Shape(View(contract, "request"), (Site.at(contract, (*at, "schema")),))
    for name, pointer in form.properties.items():
        is_list = "array" in types_of(raw(contract, pointer), contract)
        found = canonical(contract, (*pointer, "items") if is_list else pointer)
        if is_file(raw(contract, found), contract, content_types(encodings.get(name, {}))):
            yield found
