"""The items of a mocked body: those of its examples, else a few that are made of its `itemSchema`, or its `schema`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Schema
from relay.validation import media_types as media
from relay.validation.encoding_objects import PartRules, RulesByPosition
from relay.validation.errors import ResponseViolation
from relay.validation.item_compiling import content_at
from relay.validation.media_types import kind_of_items
from relay.validation.part_content import PartContent
from relay.validation.part_writing import PartItem

from .examples import Example
from .files import file_of
from .part_samples import part_sample, required_headers, sent_type
from .samples import Sampler
from .schema_parts import NoSample

COUNT = 2
"""Items that are made of a schema."""


def item_lists(
    media_type: str, media_object: Mapping[str, Any], pointer: Pointer, given: list[Example], sampler: Sampler
) -> Iterator[tuple[str, Any]]:
    """Yield names and lists of items: those of the valid examples, else some that are made. Raises NoSample."""
    has_example = False
    for name, value, at in given:
        if (listed := _listed(value, at, pointer, sampler)) is not None:
            has_example = True
            yield name, listed
    if not has_example and "itemSchema" not in media_object:
        yield from _whole(media_object["schema"], pointer, sampler)
    elif not has_example:
        schema: Schema = media_object["itemSchema"]
        at = (*pointer, "itemSchema")
        if kind_of_items(media_type) == "parts":
            rules = RulesByPosition.of(pointer, sampler.contract, sampler.compiler)
            yield "", [_part(one, schema, at, sampler) for one in [*rules.first, rules.others]]
        else:
            yield "", [_sample(schema, at, sampler)] * COUNT


def _listed(value: Any, at: Pointer, pointer: Pointer, sampler: Sampler) -> list[Any] | None:
    """Return the items of an example; None, with a warning, if it is invalid."""
    content = content_at(pointer, sampler.direction, sampler.contract, sampler.compiler)
    if content is None:
        return None
    try:
        return content.of_example(value)
    except ResponseViolation as violation:
        sampler.refuse(at, violation.violations[0])
        return None


def _whole(schema: Schema, pointer: Pointer, sampler: Sampler) -> Iterator[tuple[str, Any]]:
    """Yield samples of a list of parts: with files of their media types, and without."""
    content = content_at(pointer, sampler.direction, sampler.contract, sampler.compiler)
    made = _sample(schema, (*pointer, "schema"), sampler)
    if isinstance(content, PartContent) and isinstance(made, list):
        yield "", [part_sample(content.parts.at(number), one, sampler) for number, one in enumerate(made)]
    yield "", made


def _part(rules: PartRules, schema: Schema, pointer: Pointer, sampler: Sampler) -> PartItem:
    documented = sent_type(rules, schema)
    if documented is None or media.is_json(documented):
        content = _sample(schema, pointer, sampler)
    else:
        content = file_of(media.essence(documented)) or b""
    return PartItem(content, documented, required_headers(rules, sampler))


def _sample(schema: Schema, pointer: Pointer, sampler: Sampler) -> Any:
    try:
        return sampler.sample(schema, pointer)
    except NoSample as exc:
        raise NoSample(f"no item was found: {exc}; add a valid example, a list of items") from exc
