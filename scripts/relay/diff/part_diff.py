"""Compares the parts of multipart bodies, as Encoding Objects describe them: media types, headers, and parts within parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Parameter, Schema
from relay.validation import media_types as media
from relay.validation.coercion import items_of, properties_of, types_of
from relay.validation.encoding_objects import (
    DescribedPart,
    DescribedParts,
    content_types,
    has_parts,
    is_nested,
)
from relay.validation.part_decoders import MAX_NESTING
from relay.validation.schemas import Direction

from .changes import Difference
from .header_diff import by_name, compare_headers
from .parameter_diff import compare_parameter
from .pointer_names import canonical, raw
from .schema_diff import SchemaComparison


class _Owner(NamedTuple):
    """A Media Type Object, or an Encoding Object, and the schema of the value that its parts are."""

    contract: Contract
    at: Pointer
    schema: Schema

    @property
    def words(self) -> Mapping[str, Any]:
        """What the object says."""
        words: Mapping[str, Any] = raw(self.contract, self.at)
        return words

    @property
    def parts(self) -> DescribedParts:
        """What describes the parts by their positions."""
        return DescribedParts.of(self.words, self.at, self.schema, self.contract)


class _Part(NamedTuple):
    """A part with its Encoding Object, the pointer of that, and the schema of its value; `name` is that of a field."""

    encoding: Mapping[str, Any]
    at: Pointer
    element: Schema
    name: str | None
    contract: Contract

    @property
    def default_type(self) -> str:
        """Its media type if none is stated (OpenAPI 3.0.3 and 3.1.1, "Encoding Object", `contentType`)."""
        schema = self.contract.resolve(self.element)
        types = types_of(schema, self.contract)
        if schema.get("format") == "binary" or not (types or self.contract.version == "3.0"):
            return "application/octet-stream"
        composed = {"object", "array"} if self.name is None else {"object"}
        return "text/plain" if types.isdisjoint(composed) else media.JSON

    @property
    def headers(self) -> dict[str, Parameter]:
        """The headers by their names in lower case."""
        return by_name(self.contract.headers(self.encoding, self.at))


def compare_parts(
    old: Pointer, new: Pointer, schemas: SchemaComparison, direction: Direction
) -> Iterator[Difference]:
    """Yield the differences of the parts of two Media Type Objects; before 3.2, responses have no encodings."""
    if direction == "request" and _become_parts(old, new, schemas):
        what = "it was bytes, and its parts are read and validated now"
        yield Difference("request-parts-validated", what, (*old, "schema"), (*new, "schema"))
    if direction == "response" and {schemas.old.version, schemas.new.version} != {"3.2"}:
        return
    owners = (_media_type(schemas.old, old), _media_type(schemas.new, new))
    pending = [(*owners, 0)]
    while pending:
        before, after, depth = pending.pop()
        for one, other in _pairs(before, after):
            yield from _types(one, other, direction)
            yield from _headers(one, other, schemas, direction)
            if depth < MAX_NESTING and _has_parts(one) and _has_parts(other):
                pending.append((_within(one), _within(other), depth + 1))


def _become_parts(old: Pointer, new: Pointer, schemas: SchemaComparison) -> bool:
    """Return True for bodies with the same type of schema that are read only by the newer version."""
    types = types_of(raw(schemas.old, old).get("schema", {}), schemas.old)
    is_new = schemas.old.version != "3.2" and "array" in types
    return is_new and has_parts(new[-1], raw(schemas.new, new), schemas.new)


def _media_type(contract: Contract, at: Pointer) -> _Owner:
    """Return a Media Type Object; the items of a stream are its parts."""
    words = raw(contract, at)
    schema = {"items": words["itemSchema"]} if "itemSchema" in words else words.get("schema", {})
    return _Owner(contract, canonical(contract, at), schema)


def _has_parts(part: _Part) -> bool:
    return is_nested(part.element, part.encoding, part.contract)


def _within(part: _Part) -> _Owner:
    return _Owner(part.contract, part.at, part.element)


def _pairs(old: _Owner, new: _Owner) -> Iterator[tuple[_Part, _Part]]:
    """Yield the parts that both have and one describes."""
    for name in dict.fromkeys([*old.words.get("encoding", {}), *new.words.get("encoding", {})]):
        before, after = _field(old, name), _field(new, name)
        if before is not None and after is not None:
            yield before, after
    yield from _by_position(old, new)


def _by_position(old: _Owner, new: _Owner) -> Iterator[tuple[_Part, _Part]]:
    """Yield the parts without names; those after the last position stand for all others."""
    if {"prefixEncoding", "itemEncoding"}.isdisjoint([*old.words, *new.words]):
        return
    ours, theirs = old.parts, new.parts
    described = [one for owner, one in ((old, ours), (new, theirs)) if owner.contract.version == "3.2"]
    for number in range(max((len(one.first) for one in described), default=0) + 1):
        before, after = _item(ours.part(number), old), _item(theirs.part(number), new)
        if {"not": {}} not in (before.element, after.element):
            yield before, after


def _field(owner: _Owner, name: str) -> _Part | None:
    """Return the part of a form with a name; each item of an array is a part."""
    contract = owner.contract
    schema = properties_of(owner.schema, contract).get(name)
    encoding = owner.words.get("encoding", {}).get(name)
    if schema is None and encoding is None:
        return None
    schema, encoding = schema or {}, encoding or {}
    if "array" in types_of(schema, contract):
        item = items_of(schema, contract)
        is_one_part = is_nested(schema, encoding, contract) and not is_nested(item, encoding, contract)
        schema = schema if is_one_part else item
    return _Part(encoding, (*owner.at, "encoding", name), schema, name, contract)


def _item(described: DescribedPart, owner: _Owner) -> _Part:
    return _Part(described.encoding, described.at, described.schema, None, owner.contract)


def _types(old: _Part, new: _Part, direction: Direction) -> Iterator[Difference]:
    """Report media types that the side which reads the part does not expect; without one it expects any."""
    producer, consumer = (old, new) if direction == "request" else (new, old)
    accepted = media.by_name(dict.fromkeys(content_types(consumer.encoding), True))
    before, after = (one.encoding.get("contentType") or one.default_type for one in (old, new))
    sent = content_types(producer.encoding) or [producer.default_type]
    if accepted and not all(media.find(one, accepted) for one in sent):
        what = f"its media type changed from {before} to {after}"
        places = (*old.at, "contentType"), (*new.at, "contentType")
        yield Difference(f"{direction}-part-type-changed", what, *places, name=new.name)


def _headers(old: _Part, new: _Part, schemas: SchemaComparison, direction: Direction) -> Iterator[Difference]:
    """Report the headers of a part: those of a request as parameters, those of a response as its headers."""
    before, after = old.headers, new.headers
    if direction == "response":
        yield from compare_headers(old.at, new.at, before, after, schemas)
        return
    for key, header in after.items():
        there = canonical(schemas.new, header.pointer)
        if key in before:
            yield from compare_parameter(before[key], header, schemas)
        elif header.required:
            yield Difference(
                "parameter-required-added", "added and required", old.at, there, name=header.name
            )
        else:
            yield Difference("parameter-added", "added", old.at, there, name=header.name)
    for key, header in before.items():
        if key not in after:
            here = canonical(schemas.old, header.pointer)
            yield Difference("parameter-removed", "removed", here, new.at, "old", header.name)
