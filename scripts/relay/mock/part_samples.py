"""Samples of single parts of multipart: with a file of their media type, and with the headers that they require."""

from __future__ import annotations

from typing import Any

from relay.contract.model import Schema
from relay.validation import media_types as media
from relay.validation.encoding_objects import PartRules
from relay.validation.part_decoders import MultipartDecoder, PartsDecoder
from relay.validation.part_fields import Field
from relay.validation.part_writing import PartItem
from relay.validation.results import HeaderLines

from .bodies import concrete
from .files import file_of
from .headers import header_text
from .samples import Sampler


def part_sample(field: Field, value: Any, sampler: Sampler) -> PartItem:
    """Return a sample of a schema as the part that has it. Raises NoSample."""
    documented = sent_type(field.rules, field.element)
    content = _content(field, value, documented or media.OCTETS, sampler)
    return PartItem(content, documented, required_headers(field.rules, sampler))


def sent_type(rules: PartRules, schema: Schema) -> str | None:
    """Return a media type that a part may have; None if none is documented. Raises NoSample."""
    names = [*rules.ranges]
    named = next((name for name in names if not media.is_range(name)), names[0] if names else None)
    return None if named is None else concrete(named, schema)


def required_headers(rules: PartRules, sampler: Sampler) -> HeaderLines:
    """Return the headers that a part must have."""
    required = [one.parameter for one in rules.headers if one.parameter.required]
    texts = {one.name.lower(): header_text(one, sampler) for one in required}
    return [(name, text) for name, text in texts.items() if text is not None]


def _content(field: Field, value: Any, media_type: str, sampler: Sampler) -> Any:
    match field.nested:
        case PartsDecoder() as parts if isinstance(value, list):
            return [part_sample(parts.at(number), one, sampler) for number, one in enumerate(value)]
        case MultipartDecoder() as form if isinstance(value, dict):
            return {name: _of_form(form.field(name), one, sampler) for name, one in value.items()}
    if not field.is_binary:
        return value
    file = file_of(media.essence(media_type))
    return file.encode() if isinstance(file, str) else file or b""


def _of_form(field: Field, value: Any, sampler: Sampler) -> Any:
    if field.is_list and isinstance(value, list):
        return [part_sample(field, one, sampler) for one in value]
    return part_sample(field, value, sampler)
