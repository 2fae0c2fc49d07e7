"""The examples of a media type, a header or a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract

Example = tuple[str, Any, Pointer]
"""Name, value and pointer of an example."""


def examples(contract: Contract, owner: Mapping[str, Any], pointer: Pointer) -> Iterator[Example]:
    """Yield name, value and pointer of `example` and of each of `examples`; `externalValue` is ignored."""
    if "example" in owner:
        yield "", owner["example"], (*pointer, "example")
    for key in owner.get("examples") or {}:
        example, at = contract.follow((*pointer, "examples", key))
        if "value" in example:
            yield key, example["value"], (*at, "value")
