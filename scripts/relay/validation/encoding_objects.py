"""The Encoding Objects of parts: their media types and headers, and which consist of parts themselves (OpenAPI 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from . import media_types as media
from .coercion import items_of, prefix_items_of, types_of
from .errors import ResponseViolation
from .media_types import kind_of_items
from .parameters import ParameterDecoder
from .raw_texts import Raw
from .schemas import SchemaCompiler
from .violations import Violation

T = TypeVar("T")
U = TypeVar("U")

_BY_POSITION = ("prefixEncoding", "itemEncoding")
_IGNORED = "ineffective-keyword"


class DescribedPart(NamedTuple):
    """The schema of a part without a name, its Encoding Object, and the pointer of that."""

    schema: Schema
    encoding: Mapping[str, Any]
    at: Pointer


class ByPosition(NamedTuple, Generic[T]):
    """Something for each of the first parts of a body, and for all others."""

    first: Sequence[T]
    others: T

    def at(self, number: int) -> T:
        """Return what is known of a part."""
        return self.first[number] if number < len(self.first) else self.others

    def map(self, make: Callable[[T], U]) -> ByPosition[U]:
        """Return what is made of what is known."""
        return ByPosition([*map(make, self.first)], make(self.others))


def described_parts(
    owner: Mapping[str, Any], at: Pointer, schema: Schema, contract: Contract
) -> ByPosition[DescribedPart]:
    """Describe the parts of a Media Type or Encoding Object at a pointer; `schema` is that of the list of them."""
    schemas, encodings = prefix_items_of(schema, contract), owner.get("prefixEncoding", [])
    item, by_default = items_of(schema, contract), owner.get("itemEncoding", {})
    others = DescribedPart(item, by_default, (*at, "itemEncoding"))
    first = []
    for number in range(max(len(schemas), len(encodings))):
        one = others._replace(schema=schemas[number]) if number < len(schemas) else others
        if number < len(encodings):
            one = one._replace(encoding=encodings[number], at=(*at, "prefixEncoding", str(number)))
        first.append(one)
    return ByPosition(first, others)


def content_types(encoding: Mapping[str, Any]) -> list[str]:
    """Return the media types and ranges that a part may have; none if they are not stated."""
    return [name for one in str(encoding.get("contentType", "")).split(",") if (name := one.strip())]


def is_by_position(media_type: str, schema: Schema, contract: Contract) -> bool:
    """Return True for multipart whose parts are the items of an array, one by one."""
    is_known = contract.version == "3.2" and kind_of_items(media_type) == "parts"
    return is_known and "array" in types_of(schema, contract)


def is_nested(schema: Schema, encoding: Mapping[str, Any], contract: Contract) -> bool:
    """Return True for a part that is a form, or multipart of another kind, by its media type and its schema."""
    listed = content_types(encoding)
    if contract.version != "3.2" or len(listed) != 1:
        return False
    if media.is_form(listed[0]):
        return "object" in types_of(schema, contract)
    return is_by_position(listed[0], schema, contract)


def is_contradictory(schema: Schema, encoding: Mapping[str, Any], contract: Contract) -> bool:
    """Return True for a part whose schema takes only objects or arrays, and that is neither JSON nor consists of parts."""
    listed, types = content_types(encoding), types_of(schema, contract)
    is_composed = bool(types) and types <= {"object", "array", "null"}
    is_parsed = any(map(media.is_json, listed)) or is_nested(schema, encoding, contract)
    return bool(listed) and is_composed and not is_parsed


def has_parts(media_type: str, media_object: Mapping[str, Any], contract: Contract) -> bool:
    """Return True for a Media Type Object whose bodies are lists with an item for each part."""
    is_whole = "itemSchema" not in media_object
    return is_whole and is_by_position(media_type, media_object.get("schema", {}), contract)


def warn_ignored(
    owner: Mapping[str, Any], media_type: str, pointer: Pointer, compiler: SchemaCompiler
) -> None:
    """Add a warning for each word by which parts are not read; their `media_type` may be none, ""."""
    if compiler.contract.version != "3.2" or "itemSchema" in owner:
        return
    read = ("encoding",) if media.is_form(media_type) else _BY_POSITION if media_type else ()
    for word in (one for one in (*_BY_POSITION, "encoding") if one in owner and one not in read):
        kind, type_ = ("form-data", "object") if word == "encoding" else ("mixed", "array")
        needed = f"one media type such as multipart/{kind}, and a schema with `type: {type_}`"
        compiler.warn((*pointer, word), f"'{word}' is ignored: it needs {needed}", _IGNORED)


def warn_nested_in_stream(
    media_object: Mapping[str, Any], pointer: Pointer, compiler: SchemaCompiler
) -> None:
    """Add a warning for each Encoding Object of a stream of parts that describes parts within them, which are not read."""
    described = described_parts(media_object, pointer, {}, compiler.contract)
    for part in (*described.first, described.others):
        for word in (one for one in (*_BY_POSITION, "encoding") if one in part.encoding):
            message = f"'{word}' is ignored in a stream: its parts are read one by one; write `schema` in place of `itemSchema`"
            compiler.warn((*part.at, word), message, _IGNORED)


class PartRules(NamedTuple):
    """The media types and ranges that a part may have, every one if there are none, and its headers."""

    ranges: Mapping[str, bool]
    headers: Sequence[ParameterDecoder]

    @classmethod
    def of(cls, encoding: Mapping[str, Any], pointer: Pointer, compiler: SchemaCompiler) -> PartRules:
        """Compile the Encoding Object at a pointer."""
        headers = [
            ParameterDecoder(header, compiler) for header in compiler.contract.headers(encoding, pointer)
        ]
        return cls(media.by_name(dict.fromkeys(content_types(encoding), True)), headers)

    def violations(self, media_type: str, headers: Mapping[str, str], at: str) -> Iterator[Violation]:
        """Yield where a part violates its encoding; `media_type` is empty if it declares none and need not."""
        if self.ranges and media_type and media.find(media_type, self.ranges) is None:
            listed = ", ".join(self.ranges)
            yield Violation(at, "contentType", f"the part's media type is not one of {listed}")
        for decoder in self.headers:
            name = decoder.parameter.name
            value = headers.get(name.lower())
            failures: list[Any] = []
            decoder.decode(Raw({} if value is None else {name: [value]}), {}, name, failures)
            for one in failures:
                yield Violation(at, one.rule, f"header {name}: {one.message}")

    def media_type(self) -> str:
        """Return what a part is sent as by default; "" if undocumented. Raises ResponseViolation for ranges."""
        found = next((name for name in self.ranges if not media.is_range(name)), "")
        if self.ranges and not found:
            message = "the contract names only ranges of media types for the part; return a Reply with its media_type"
            raise ResponseViolation.at("", "contentType", message)
        return found


def rules_by_position(pointer: Pointer, compiler: SchemaCompiler) -> ByPosition[PartRules]:
    """Compile `prefixEncoding` and `itemEncoding` of the Media Type Object at a pointer."""
    described = described_parts(*compiler.contract.follow(pointer), {}, compiler.contract)
    return described.map(lambda one: PartRules.of(one.encoding, one.at, compiler))
