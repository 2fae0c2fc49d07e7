"""The parts of a sample multipart form, with the media types and headers that its Encoding Object documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from relay.contract.documents import Pointer
from relay.contract.model import Parameter, Schema
from relay.mock.bodies import concrete
from relay.mock.part_samples import part_sample
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation.binary_schemas import is_file
from relay.validation.coercion import items_of, properties_of, types_of
from relay.validation.encoding_objects import content_types
from relay.validation.errors import ResponseViolation
from relay.validation.forms import part_style
from relay.validation.part_decoders import MultipartDecoder, Nesting

from .parameter_styles import fields, pairs

Part = tuple[str | None, bytes, str | None, dict[str, str]]
"""File name, content, media type and headers, as httpx takes them."""


def sample_parts(
    value: Mapping[str, Any],
    schema: Schema,
    pointer: Pointer,
    *,
    sampler: Sampler,
    sample: Callable[[Parameter], Any],
) -> Iterator[tuple[str, Part]]:
    """Yield the parts of a form's value by name; `pointer` is that of its Media Type Object, `sample` makes headers.

    Raises NoSample.
    """
    contract = sampler.contract
    properties = properties_of(schema, contract)
    media_type, at = contract.follow(pointer)
    encodings = media_type.get("encoding", {})
    plain = dict(value)
    for name in value.keys() & properties.keys():
        if (parameter := part_style(name, properties[name], encodings, contract)) is not None:
            for key, text in pairs(parameter, plain.pop(name)):
                yield unquote(key), (None, unquote(text).encode(), None, {})
    for name in [one for one in plain if one in encodings]:
        parts = [*_nested(name, plain[name], schema, pointer, sampler)]
        yield from ((name, part) for part in parts)
        if parts:
            del plain[name]
    for name, text in fields(plain):
        field = properties.get(name, {})
        element = items_of(field, contract) if "array" in types_of(field, contract) else field
        encoding = encodings.get(name, {})
        headers = {
            header.name: pairs(header, sample(header))[0][1]
            for header in contract.headers(encoding, (*at, "encoding", name))
            if header.required
        }
        listed = content_types(encoding)
        has_name = is_file(element, contract, listed)
        yield name, ("file" if has_name else None, text.encode(), _sent(listed, element), headers)


def _nested(name: str, value: Any, schema: Schema, pointer: Pointer, sampler: Sampler) -> Iterator[Part]:
    """Yield the parts of a field that are forms, or multipart, themselves. Raises NoSample."""
    compiler = sampler.compiler
    form = MultipartDecoder(schema, compiler, pointer, Nesting(compiler, "request"))
    field = form.field(name)
    if field.nested is None:
        return
    for one in value if field.is_list else [value]:
        part = part_sample(field, one, sampler)
        try:
            written = field.nested.write(part.content, next(iter(field.rules.ranges)), is_validated=True)
        except ResponseViolation as violation:
            raise NoSample(violation.violations[0].message) from None
        yield None, written.content, written.media_type, dict(part.headers)


def _sent(listed: list[str], schema: Schema) -> str | None:
    """Return the first of some media types and ranges that can be sent; None if there are none."""
    for name in listed:
        with suppress(NoSample):
            return concrete(name, schema)
    return listed[0] if listed else None
