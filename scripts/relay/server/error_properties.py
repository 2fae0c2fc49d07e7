"""Optional properties that a documented body of an error lacks, and that Relay has a value for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from relay.contract.documents import Pointer
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample

from .error_places import KNOWN, MAX_DEPTH, IsValid, canonical
from .error_templates import replaced


def with_known(body: Any, pointer: Pointer, sampler: Sampler, is_valid: IsValid) -> Any:
    """Return a valid body with the known properties of its schema at `pointer`, as far as it stays valid."""
    for path, at in _known(body, pointer, sampler, ()):
        with suppress(NoSample):
            changed = replaced(body, path, _sample(at, sampler))
            if is_valid(changed):
                body = changed
    return body


def _known(
    body: Any, pointer: Pointer, sampler: Sampler, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Pointer]]:
    """Yield the known properties that a body lacks, with the pointers of their schemas."""
    if not isinstance(body, dict) or len(path) > MAX_DEPTH:
        return
    for name, at in _members(pointer, sampler).items():
        if name in body:
            yield from _known(body[name], at, sampler, (*path, name))
        elif canonical(name) in KNOWN:
            yield (*path, name), at


def alternatives(body: Any, pointer: Pointer, sampler: Sampler) -> Iterator[Any]:
    """Yield a body with each object that a `oneOf` or `anyOf` allows as one of its known properties."""
    for name, at in _members(pointer, sampler).items() if isinstance(body, dict) else ():
        schema, own = sampler.contract.follow(at)
        for keyword in ("oneOf", "anyOf"):
            for index in range(len(schema.get(keyword, ())) if canonical(name) in KNOWN else 0):
                with suppress(NoSample):
                    value = _sample((*own, keyword, str(index)), sampler)
                    if isinstance(value, dict):
                        yield {**body, name: value}


def _sample(pointer: Pointer, sampler: Sampler) -> Any:
    schema, own = sampler.contract.follow(pointer)
    return sampler.sample(schema, own)


def _members(pointer: Pointer, sampler: Sampler, depth: int = 0) -> dict[str, Pointer]:
    """Return the pointers of the properties of an object schema, those of `allOf` included."""
    schema, at = sampler.contract.follow(pointer)
    found = {name: (*at, "properties", name) for name in schema.get("properties", {})}
    for index in range(len(schema.get("allOf", ())) if depth <= MAX_DEPTH else 0):
        found |= _members((*at, "allOf", str(index)), sampler, depth + 1)
    return found
