"""Measures how many mutations of a body its schema rejects, and reports vacuous schemas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Literal

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Schema
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation import media_types as media
from relay.validation.schemas import SchemaCompiler
from relay.validation.validators import Validator

from .lint_rules import Found

WEAK = 0.6
"""A response is weak if its schema rejects less than this share of the mutations of its example."""

_ANYTHING: tuple[Any, ...] = (None, True, 0, 0.5, "", "text", [], [None], {}, {"any": None})


def check_strength(contract: Contract) -> Iterator[Found]:
    """Yield bodies whose schema accepts any value, and the strength of each response."""
    compiler = SchemaCompiler(contract)
    sampler = Sampler(compiler)
    for operation in contract.operations:
        if operation.body:
            for media_type, schema in operation.body.content.items():
                at = (*operation.body.pointer, "content", media_type)
                validator = compiler.compile(schema, "request", at)
                if media.is_json(media_type) and validator and all(map(validator.accepts, _ANYTHING)):
                    message = f"the schema of the body of {operation} accepts any value; describe the body"
                    yield "vacuous-request", at, message
        for status, response in operation.responses.items():
            for media_type, schema in response.content.items():
                at = (*response.pointer, "content", media_type)
                validator = compiler.compile(schema, "response", at)
                # Only success responses, because error responses usually share one schema.
                if status.startswith("2") and media.is_json(media_type) and validator:
                    what = f"{status} of {operation}"
                    yield from _response(contract, sampler, validator, schema, what, at)


def _response(
    contract: Contract, sampler: Sampler, validator: Validator, schema: Schema, what: str, at: Pointer
) -> Iterator[Found]:
    if all(map(validator.accepts, _ANYTHING)):
        yield "vacuous-response", at, f"{what} accepts any value; describe its body"
        return
    if validator.accepts({}):
        message = f"{what} accepts {{}}; list the properties that are always present in `required`"
        yield "vacuous-response", at, message
    example, source = _example(contract, schema, at), "its example"
    if example is ABSENT:
        with suppress(NoSample):
            example, source = sampler.sample(schema, at), "a sample"
    if example is ABSENT:
        return
    accepted, total = _accepted(example, validator)
    rejected = total - accepted.total()
    message = f"{what} rejects {rejected} of {total} mutations of {source} ({rejected / total:.0%})"
    if rejected / total >= WEAK:
        yield "response-strength", at, message
        return
    advices = _ADVICE if contract.version == "3.0" else _ADVICE | _ADVICE_SINCE_3_1
    advice = " and ".join(dict.fromkeys(advices[kind] for kind, _ in accepted.most_common(2)))
    yield "weak-response", at, f"{message}: {advice}"


def _example(contract: Contract, schema: Schema, at: Pointer) -> Any:
    raw, _ = contract.follow(at)
    if "example" in raw:
        return raw["example"]
    for named in (raw.get("examples") or {}).values():
        example = contract.resolve(named)
        return example.get("value", example.get("dataValue", ABSENT))
    schema = contract.resolve(schema)
    listed = schema.get("examples")
    return schema.get("example", listed[0] if isinstance(listed, list) and listed else ABSENT)


_Kind = Literal["missing", "null", "type", "empty", "unknown"]
"""The changes of a value: a part is missing, null, of another type, empty, or an unknown property."""

_ADVICE: dict[_Kind, str] = {
    "missing": "list properties that are always present in `required`",
    "null": "remove `nullable` where null has no meaning",
    "type": "give every property a type",
    "empty": "set minLength, minItems, enum or format where an empty value has no meaning",
    "unknown": "set `additionalProperties: false`, or describe them",
}
_ADVICE_SINCE_3_1: dict[_Kind, str] = {"null": "remove 'null' from the types where null has no meaning"}

_MIN_MUTATIONS = 50
_MAX_VALUES = 200_000  # values of all mutations of one example


def _accepted(example: Any, validator: Validator) -> tuple[Counter[_Kind], int]:
    """Validate every mutation of an example, of a very large one the first; count the accepted ones, and all."""
    size, pending = 0, [example]
    while pending:
        one = pending.pop()
        size += 1
        if isinstance(one, dict | list):
            pending += one.values() if isinstance(one, dict) else one
    tried = [*islice(_mutations(example), max(_MIN_MUTATIONS, _MAX_VALUES // size))]
    return Counter(kind for kind, value in tried if validator.accepts(value)), len(tried)


def _mutations(value: Any) -> Iterator[tuple[_Kind, Any]]:
    """Yield a value with one change, of each kind and at each place; of lists, only in the first item."""
    if value is not None:
        yield "null", None
    yield "type", 4711 if isinstance(value, str) else "text"
    if value and isinstance(value, str | list | dict):
        yield "empty", type(value)()
    if isinstance(value, dict):
        yield "unknown", {**value, "x-unknown": True}
        for name, part in value.items():
            yield "missing", {key: kept for key, kept in value.items() if key != name}
            yield from ((kind, {**value, name: mutated}) for kind, mutated in _mutations(part))
    elif isinstance(value, list) and value:
        yield from ((kind, [mutated, *value[1:]]) for kind, mutated in _mutations(value[0]))
