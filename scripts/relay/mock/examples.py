"""The examples of a media type, a header or a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.validation import media_types as media
from relay.validation.json_strict import NotJson, parse_json

Example = tuple[str, Any, Pointer]
"""Name, value and pointer of an example."""

_VALUES = ("dataValue", "value")


def examples(contract: Contract, owner: Mapping[str, Any], pointer: Pointer) -> Iterator[Example]:
    """Yield name, value and pointer of `example` and of each of `examples`; `externalValue` is ignored.

    The value of OpenAPI 3.2 is `dataValue`; `serializedValue` is the text of a body, so it comes first where that is no
    JSON.
    """
    if "example" in owner:
        yield "", owner["example"], (*pointer, "example")
    for key in owner.get("examples") or {}:
        example, at = contract.follow((*pointer, "examples", key))
        for word in _words(pointer):
            if word in example and (found := _value(word, example[word], pointer)) is not None:
                yield key, found[0], (*at, word)
                break


def _words(pointer: Pointer) -> tuple[str, ...]:
    """Return where the value of an example is, the best place first."""
    if pointer[-2:-1] != ("content",):
        return _VALUES
    return (*_VALUES, "serializedValue") if media.is_json(pointer[-1]) else ("serializedValue", *_VALUES)


def _value(word: str, value: Any, pointer: Pointer) -> tuple[Any] | None:
    """Return the value of an example; None for a text that is not the JSON that it stands for."""
    if word != "serializedValue" or not media.is_json(pointer[-1]):
        return (value,)
    try:
        return (parse_json(str(value).encode()),)
    except NotJson:
        return None
