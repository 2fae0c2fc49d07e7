"""Compares the headers of responses, and of the parts of responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from relay.contract.documents import Pointer
from relay.contract.model import Parameter

from .changes import Difference
from .parameter_diff import schema_of
from .pointer_names import canonical
from .schema_diff import SchemaComparison


def compare_headers(
    old_at: Pointer,
    new_at: Pointer,
    before: Mapping[str, Parameter],
    after: Mapping[str, Parameter],
    schemas: SchemaComparison,
) -> Iterator[Difference]:
    """Yield the differences of the headers of two owners, which are at two pointers."""
    for key, header in before.items():
        here = canonical(schemas.old, header.pointer)
        if key not in after:
            optional = "" if header.required else "-optional"
            yield Difference(
                f"response-header-removed{optional}", "removed", here, new_at, "old", header.name
            )
            continue
        there = canonical(schemas.new, after[key].pointer)
        if header.required and not after[key].required:
            yield Difference(
                "response-header-became-optional", "may now be missing", here, there, name=header.name
            )
        yield from schemas.differences(schema_of(here, header), schema_of(there, after[key]), "response")
    for key, header in after.items():
        if key not in before:
            there = canonical(schemas.new, header.pointer)
            yield Difference("response-header-added", "added", old_at, there, name=header.name)


def by_name(headers: Iterable[Parameter]) -> dict[str, Parameter]:
    """Return headers by their names in lower case."""
    return {header.name.lower(): header for header in headers}
