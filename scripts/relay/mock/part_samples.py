"""Samples of single parts of multipart: with a file of their media type, and with the headers that they require."""

from __future__ import annotations

from typing import Any

from relay.validation import media_types as media
from relay.validation.form_parts import MultipartDecoder
from relay.validation.part_fields import Field
from relay.validation.part_lists import PartsDecoder
from relay.validation.part_writing import PartItem

from .bodies import concrete
from .files import file_of
from .headers import header_text
from .samples import Sampler


def part_sample(field: Field, value: Any, sampler: Sampler) -> PartItem:
    """Return a sample of a schema as the part that has it. Raises NoSample."""
    names = [*field.ranges] or [media.OCTETS]
    media_type = concrete(next((name for name in names if not media.is_range(name)), names[0]), field.element)
    required = [one.parameter for one in field.headers if one.parameter.required]
    texts = {one.name.lower(): header_text(one, sampler) for one in required}
    headers = [(name, text) for name, text in texts.items() if text is not None]
    return PartItem(
        _content(field, value, media_type, sampler), media_type if field.ranges else None, headers
    )


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
