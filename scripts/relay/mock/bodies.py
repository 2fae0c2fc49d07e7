"""The bodies of one documented media type: its examples, else one made from its schema or its media type.

Lists of items, and parts of multipart, have files of their media types, and the headers that they require.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Schema
from relay.contract.pointers import parse_pointer
from relay.validation import media_types as media
from relay.validation.encoding_objects import PartRules, rules_by_position
from relay.validation.errors import ResponseViolation
from relay.validation.item_content import PartContent, content_at
from relay.validation.media_types import kind_of_items
from relay.validation.part_decoders import MultipartDecoder, PartsDecoder
from relay.validation.part_fields import Field
from relay.validation.part_writing import PartItem
from relay.validation.results import HeaderLines

from .files import RANGES, file_of, text_of
from .headers import header_candidates
from .judging import Example
from .samples import Sampler
from .schema_parts import NoSample, SchemaPart, types_of

_BINARY = ("binary", "byte")

COUNT = 2
"""Items that are made of a schema."""


class Content(NamedTuple):
    """A documented media type: as it is sent, with its examples and its schema."""

    media_type: str
    examples: list[Example]
    part: SchemaPart


def concrete(name: str, schema: Schema) -> str:
    """Return the media type that is sent for a documented one, which may be a range. Raises NoSample."""
    if "*" not in name:
        return name
    if schema.get("format") == "binary" and name in ("*", "*/*", "application/*"):
        return media.OCTETS
    found = RANGES.get("*/*" if name == "*" else media.essence(name))
    if found is None:
        raise NoSample(f"{name} is a range for which no body is known; document a media type")
    return found


def bodies(content: Content, sampler: Sampler) -> Iterator[tuple[str, Any]]:
    """Yield names and bodies, the default first: the valid examples, else candidates. Raises NoSample."""
    is_json = media.is_json(content.media_type)
    is_serialised = not is_json and not _is_text(content.part, sampler)
    has_example = False
    for name, value, pointer in content.examples:
        is_sent = is_serialised and isinstance(value, str)
        if is_sent or sampler.example(value, content.part, pointer):
            has_example = True
            yield name, value.encode() if is_sent else value if is_json else _written(value, content)
    if not has_example:
        part = content.part
        made = iter([sampler.needed(part.schema, part.pointer)]) if is_json else _made(content, sampler)
        yield from (("", body) for body in made)


def _made(content: Content, sampler: Sampler) -> Iterator[Any]:
    """Yield bodies that are not JSON: what the schema states, a file of the media type, a sample of the schema."""
    media_type, (schema, pointer, *_) = media.essence(content.media_type), content.part
    file = file_of(media_type)
    if isinstance(file, bytes) and media_type != media.OCTETS:
        yield file  # a schema's example is text, which no such file is
        return
    given = sampler.given(schema, pointer)
    if given is not ABSENT:
        yield _written(given, content)
    is_text = _is_text(content.part, sampler)
    if file is not None and (is_text or isinstance(file, bytes)):
        yield file
    if is_text:
        is_binary = any(one.schema.get("format") in _BINARY for one in sampler.flat(content.part))
        if is_binary and not media_type.startswith("text/"):
            yield file_of(media.OCTETS)
        with suppress(NoSample):
            yield sampler.sample({"allOf": [schema, {"type": "string"}]}, pointer)
    yield _written(sampler.needed(schema, pointer), content)


def _is_text(part: SchemaPart, sampler: Sampler) -> bool:
    """Return True if a schema describes text, or anything."""
    stated = [one.schema for one in sampler.flat(part) if "type" in one.schema]
    try:
        return not stated or "string" in types_of(stated)
    except NoSample:
        return False


def _written(value: Any, content: Content) -> str | bytes:
    """Return a value as text of the media type; as bytes, which have no schema, if the value itself is no text."""
    if isinstance(value, str):
        return value
    schema: Mapping[str, Any] = content.part.schema
    name = (schema.get("xml") or {}).get("name")
    if name is None:
        name = parse_pointer(schema["$ref"][1:])[-1] if "$ref" in schema else "root"
    return text_of(value, media.essence(content.media_type), name).encode()


def item_lists(
    media_type: str, media_object: Mapping[str, Any], pointer: Pointer, given: list[Example], sampler: Sampler
) -> Iterator[tuple[str, Any]]:
    """Yield names and lists of items: those of the valid examples, else some that are made. Raises NoSample."""
    content, has_example = None, False
    if given or "itemSchema" not in media_object:
        content = content_at(pointer, sampler.direction, sampler.compiler)
    for name, value, at in given:
        if content is None:
            break
        try:
            listed = content.of_example(value)
        except ResponseViolation as violation:
            sampler.refuse(at, violation.violations[0])
        else:
            has_example = True
            yield name, listed
    if not has_example:
        yield from (("", made) for made in _made_lists(media_type, media_object, pointer, content, sampler))


def _made_lists(
    media_type: str, media_object: Mapping[str, Any], pointer: Pointer, content: Any, sampler: Sampler
) -> Iterator[list[Any]]:
    """Yield lists of samples; of parts by position with files of their media types, and without."""
    if "itemSchema" not in media_object:
        made = _item(media_object["schema"], (*pointer, "schema"), sampler)
        if isinstance(content, PartContent) and isinstance(made, list):
            yield [
                part_sample(content.parts.fields.at(index), one, sampler) for index, one in enumerate(made)
            ]
        yield made
        return
    schema, at = media_object["itemSchema"], (*pointer, "itemSchema")
    if kind_of_items(media_type) == "parts":
        rules = rules_by_position(pointer, sampler.compiler)
        yield [_part(one, schema, at, sampler) for one in [*rules.first, rules.others]]
    else:
        yield [_item(schema, at, sampler)] * COUNT


def _item(schema: Schema, pointer: Pointer, sampler: Sampler) -> Any:
    return sampler.needed(schema, pointer, "item", "example, a list of items")


def _part(rules: PartRules, schema: Schema, pointer: Pointer, sampler: Sampler) -> PartItem:
    documented = _sent_type(rules, schema)
    if documented is None or media.is_json(documented):
        content = _item(schema, pointer, sampler)
    else:
        content = file_of(media.essence(documented)) or b""
    return PartItem(content, documented, _required_headers(rules, sampler))


def part_sample(field: Field, value: Any, sampler: Sampler) -> PartItem:
    """Return a sample of a schema as the part that has it. Raises NoSample."""
    documented = _sent_type(field.rules, field.element)
    match field.nested:
        case PartsDecoder() as parts if isinstance(value, list):
            value = [part_sample(parts.fields.at(number), one, sampler) for number, one in enumerate(value)]
        case MultipartDecoder() as form if isinstance(value, dict):
            value = {name: _of_form(form.field(name), one, sampler) for name, one in value.items()}
        case _ if field.is_binary:
            file = file_of(media.essence(documented or media.OCTETS))
            value = file.encode() if isinstance(file, str) else file or b""
    return PartItem(value, documented, _required_headers(field.rules, sampler))


def _of_form(field: Field, value: Any, sampler: Sampler) -> Any:
    if field.is_list and isinstance(value, list):
        return [part_sample(field, one, sampler) for one in value]
    return part_sample(field, value, sampler)


def _sent_type(rules: PartRules, schema: Schema) -> str | None:
    """Return a media type that a part may have; None if none is documented. Raises NoSample."""
    names = [*rules.ranges]
    named = next((name for name in names if not media.is_range(name)), names[0] if names else None)
    return None if named is None else concrete(named, schema)


def _required_headers(rules: PartRules, sampler: Sampler) -> HeaderLines:
    required = [one.parameter for one in rules.headers if one.parameter.required]
    texts = {one.name.lower(): next(header_candidates(one, sampler), None) for one in required}
    return [(name, text) for name, text in texts.items() if text is not None]
