"""Measures how many mutations of a body its schema rejects, and reports vacuous schemas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Operation, Schema
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation import media_types as media
from relay.validation.schemas import SchemaCompiler
from relay.validation.validators import Validator

from .lint_rules import finding
from .value_mutations import Kind, mutations

WEAK = 0.6
"""A response is weak if its schema rejects less than this share of the mutations of its example."""

_ANYTHING: tuple[Any, ...] = (None, True, 0, 0.5, "", "text", [], [None], {}, {"any": None})


def check_strength(contract: Contract) -> Iterator[Diagnostic]:
    """Yield bodies whose schema accepts any value, and the strength of each response."""
    compiler = SchemaCompiler(contract)
    sampler = Sampler(contract, compiler)
    for operation in contract.operations:
        if operation.body:
            at = (*operation.body.pointer, "content")
            for media_type, schema in operation.body.content.items():
                validator = compiler.compile(schema, "request", (*at, media_type))
                if media.is_json(media_type) and validator and all(map(validator.accepts, _ANYTHING)):
                    message = f"the schema of the body of {operation} accepts any value; describe the body"
                    yield finding(contract, "vacuous-request", (*at, media_type), message)
        yield from _responses(contract, operation, compiler, sampler)


def _responses(
    contract: Contract, operation: Operation, compiler: SchemaCompiler, sampler: Sampler
) -> Iterator[Diagnostic]:
    """Check only success responses, because error responses usually share one schema."""
    for status, response in operation.responses.items():
        for media_type, schema in response.content.items():
            at = (*response.pointer, "content", media_type)
            validator = compiler.compile(schema, "response", at)
            if not status.startswith("2") or not media.is_json(media_type) or validator is None:
                continue
            what = f"{status} of {operation}"
            if all(map(validator.accepts, _ANYTHING)):
                yield finding(
                    contract, "vacuous-response", at, f"{what} accepts any value; describe its body"
                )
                continue
            if validator.accepts({}):
                message = f"{what} accepts {{}}; list the properties that are always present in `required`"
                yield finding(contract, "vacuous-response", at, message)
            example = _example(contract, operation, status, media_type, schema)
            source = "its example"
            if example is ABSENT:
                example, source = _generated(sampler, schema, at), "a sample"
            if example is not ABSENT:
                yield _report(contract, at, f"{what} rejects", source, measure(example, validator))


def _report(contract: Contract, at: Pointer, what: str, source: str, strength: Strength) -> Diagnostic:
    result = f"{what} {strength.rejected} of {strength.total} mutations of {source} ({strength.share:.0%})"
    if strength.share >= WEAK:
        return finding(contract, "response-strength", at, result)
    advices = _ADVICE if contract.version == "3.0" else _ADVICE | _ADVICE_SINCE_3_1
    advice = " and ".join(dict.fromkeys(advices[kind] for kind in strength.most_accepted))
    return finding(contract, "weak-response", at, f"{result}: {advice}")


_ADVICE = {
    Kind.MISSING: "list properties that are always present in `required`",
    Kind.NULL: "remove `nullable` where null has no meaning",
    Kind.TYPE: "give every property a type",
    Kind.EMPTY: "set minLength, minItems, enum or format where an empty value has no meaning",
    Kind.UNKNOWN: "set `additionalProperties: false`, or describe them",
}
_ADVICE_SINCE_3_1 = {Kind.NULL: "remove 'null' from the types where null has no meaning"}


class Strength(NamedTuple):
    """How many mutations of an example a schema rejected, and the kinds most often accepted."""

    rejected: int
    total: int
    most_accepted: list[Kind]

    @property
    def share(self) -> float:
        """Return the share of rejected mutations, from 0 to 1."""
        return self.rejected / self.total


def measure(example: Any, validator: Validator) -> Strength:
    """Validate every mutation of an example; of a very large one, the first."""
    total = rejected = 0
    accepted: Counter[Kind] = Counter()
    most = max(_MIN_MUTATIONS, _MAX_VALUES // _size(example))
    for kind, value in islice(mutations(example), most):
        total += 1
        if validator.accepts(value):
            accepted[kind] += 1
        else:
            rejected += 1
    return Strength(rejected, total, [kind for kind, _ in accepted.most_common(2)])


_MIN_MUTATIONS = 50
_MAX_VALUES = 200_000  # values of all mutations of one example


def _size(value: Any) -> int:
    """Return the number of values in a value."""
    count = 0
    pending = [value]
    while pending:
        one = pending.pop()
        count += 1
        if isinstance(one, dict | list):
            pending += one.values() if isinstance(one, dict) else one
    return count


def _example(contract: Contract, operation: Operation, status: str, media_type: str, schema: Schema) -> Any:
    """Return the example of a response or else of its schema; ABSENT if there is none."""
    raw = contract.resolve(contract.raw(operation)["responses"][status])["content"][media_type]
    if "example" in raw:
        return raw["example"]
    for named in (raw.get("examples") or {}).values():
        example = contract.resolve(named)
        return example.get("value", example.get("dataValue", ABSENT))
    schema = contract.resolve(schema)
    listed = schema.get("examples")
    return schema.get("example", listed[0] if isinstance(listed, list) and listed else ABSENT)


def _generated(sampler: Sampler, schema: Schema, at: Pointer) -> Any:
    """Return a value generated from a schema; ABSENT if none can be generated."""
    try:
        return sampler.sample(schema, at)
    except NoSample:
        return ABSENT
