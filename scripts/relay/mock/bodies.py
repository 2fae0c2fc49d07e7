"""The bodies of one documented media type: its examples, else one made from its schema or its media type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.model import ABSENT, Schema
from relay.contract.pointers import parse_pointer
from relay.validation import media_types as media

from .examples import Example
from .files import RANGES, file_of, text_of
from .samples import Sampler
from .schema_parts import NoSample, SchemaPart, flatten, types_of

_OCTETS = "application/octet-stream"
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
        return _OCTETS
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
        if is_serialised and isinstance(value, str):
            has_example = True
            yield name, value.encode()
        elif sampler.example(value, content.part, pointer):
            has_example = True
            yield name, value if is_json else _written(value, content)
    if not has_example:
        made = [_sample(content.part, sampler)] if is_json else _made(content, sampler)
        yield from (("", body) for body in made)


def _made(content: Content, sampler: Sampler) -> Iterator[Any]:
    """Yield bodies that are not JSON: what the schema states, a file of the media type, a sample of the schema."""
    media_type, part = media.essence(content.media_type), content.part
    file = file_of(media_type)
    if isinstance(file, bytes) and media_type != _OCTETS:
        yield file  # a schema's example is text, which no such file is
        return
    given = sampler.given(part.schema, part.pointer)
    if given is not ABSENT:
        yield _written(given, content)
    is_text = _is_text(part, sampler)
    if file is not None and (is_text or isinstance(file, bytes)):
        yield file
    if is_text:
        part = part._replace(schema={"allOf": [part.schema, {"type": "string"}]})
        if any(one.schema.get("format") in _BINARY for one in _flat(content.part, sampler)) and not (
            media_type.startswith("text/")
        ):
            yield file_of(_OCTETS)
        with suppress(NoSample):
            yield _sample(part, sampler)
    yield _written(_sample(content.part, sampler), content)


def _is_text(part: SchemaPart, sampler: Sampler) -> bool:
    """Return True if a schema describes text, or anything."""
    try:
        stated = [one.schema for one in _flat(part, sampler) if "type" in one.schema]
        return not stated or "string" in types_of(stated)
    except NoSample:
        return False


def _flat(part: SchemaPart, sampler: Sampler) -> list[SchemaPart]:
    try:
        return flatten([part], sampler.contract)
    except NoSample:
        return []


def _written(value: Any, content: Content) -> str | bytes:
    """Return a value as text of the media type; as bytes, which have no schema, if the value itself is no text."""
    if isinstance(value, str):
        return value
    schema: Mapping[str, Any] = content.part.schema
    name = (schema.get("xml") or {}).get("name")
    if name is None:
        name = parse_pointer(schema["$ref"][1:])[-1] if "$ref" in schema else "root"
    return text_of(value, media.essence(content.media_type), name).encode()


def _sample(part: SchemaPart, sampler: Sampler) -> Any:
    try:
        return sampler.sample(part.schema, part.pointer)
    except NoSample as exc:
        raise NoSample(f"no value was found: {exc}; add a valid example") from exc
