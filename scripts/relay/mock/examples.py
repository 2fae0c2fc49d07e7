"""The examples of a media type, a header or a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.validation import media_types as media
from relay.validation.json_strict import parse_json
from relay.validation.query_strings import ReadText

Example = tuple[str, Any, Pointer]
"""Name, value and pointer of an example."""


def examples(
    contract: Contract, owner: Mapping[str, Any], pointer: Pointer, read: ReadText | None = None
) -> Iterator[Example]:
    """Yield name, value and pointer of `example` and of each of `examples`; `externalValue` is ignored.

    In OpenAPI 3.2 `serializedValue` is the value as it is sent, which `read` reads, and `dataValue` counts where there
    is none that can be read. Without `read`, the text of a body that is neither JSON nor multipart is the value itself.
    """
    read = read or _reader_of_body(pointer)
    if "example" in owner:
        yield "", owner["example"], (*pointer, "example")
    for key in owner.get("examples") or {}:
        example, at = contract.follow((*pointer, "examples", key))
        words = [word for word in ("dataValue", "value") if word in example]
        text = example.get("serializedValue")
        if isinstance(text, str) and read is not None:
            with suppress(ValueError):
                yield key, read(text), (*at, "serializedValue")
                continue
        if words:
            yield key, example[words[0]], (*at, words[0])


def _reader_of_body(pointer: Pointer) -> ReadText | None:
    """Return what reads the text of a media type; None for a parameter, and for multipart, whose text lacks the boundary."""
    if pointer[-2:-1] != ("content",) or media.essence(pointer[-1]).startswith("multipart/"):
        return None
    return _json if media.is_json(pointer[-1]) else str


def _json(text: str) -> Any:
    return parse_json(text.encode())
