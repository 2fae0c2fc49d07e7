"""The bodies of one documented media type: its examples, else one made from its schema or its media type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.model import ABSENT, Schema
from relay.contract.pointers import parse_pointer
from relay.validation import media_types as media

from .files import RANGES, file_of, text_of
from .judging import Example
from .samples import Sampler
from .schema_parts import NoSample, SchemaPart, types_of

_BINARY = ("binary", "byte")


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
