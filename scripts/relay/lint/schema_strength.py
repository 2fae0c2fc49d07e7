"""Vacuous contracts: how much of what could go wrong with a body its schema would notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Operation, Schema
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation import media_types as media
from relay.validation.schemas import SchemaCompiler, Validator

from .lint_rules import finding
from .value_mutations import Kind, mutations

WEAK = 0.6
"""A response that notices less than this share of the mutations of its example is weak."""

_ANYTHING: tuple[Any, ...] = (None, True, 0, 0.5, "", "text", [], [None], {}, {"any": None})


def check_strength(contract: Contract) -> Iterator[Diagnostic]:
    """Find bodies of which the contract says nothing, or little, and say how little."""
    compiler = SchemaCompiler(contract)
    sampler = Sampler(contract, compiler)
    for operation in contract.operations:
        if operation.body:
            at = (*operation.body.pointer, "content")
            for media_type, schema in operation.body.content.items():
                validator = compiler.compile(schema, "request", (*at, media_type))
                if media.is_json(media_type) and validator and all(map(validator.accepts, _ANYTHING)):
                    message = f"the body of {operation} may be anything; describe it"
                    yield finding(contract, "vacuous-request", (*at, media_type), message)
        yield from _responses(contract, operation, compiler, sampler)


def _responses(
    contract: Contract, operation: Operation, compiler: SchemaCompiler, sampler: Sampler
) -> Iterator[Diagnostic]:
    """Judge the successful answers; failures share one schema, of which a success says enough."""
    for status, response in operation.responses.items():
        for media_type, schema in response.content.items():
            at = (*response.pointer, "content", media_type)
            validator = compiler.compile(schema, "response", at)
            if not status.startswith("2") or not media.is_json(media_type) or validator is None:
                continue
            what = f"{status} of {operation}"
            if all(map(validator.accepts, _ANYTHING)):
                yield finding(contract, "vacuous-response", at, f"{what} may be anything; describe its body")
                continue
            if validator.accepts({}):
                message = f"{what} may be {{}}; list in `required` the properties that it always has"
                yield finding(contract, "vacuous-response", at, message)
            example = _example(contract, operation, status, media_type, schema)
            source = "its example"
            if example is ABSENT:
                example, source = _sampled(sampler, schema, at), "a sample"
            if example is not ABSENT:
                yield _judge(contract, at, f"{what} notices", source, measure(example, validator))


def _judge(contract: Contract, at: Pointer, what: str, source: str, strength: Strength) -> Diagnostic:
    told = f"{what} {strength.noticed} of {strength.made} mutations of {source} ({strength.share:.0%})"
    if strength.share >= WEAK:
        return finding(contract, "response-strength", at, told)
    advice = " and ".join(dict.fromkeys(_ADVICE[kind] for kind in strength.unnoticed))
    return finding(contract, "weak-response", at, f"{told}: {advice}")


_ADVICE = {
    Kind.MISSING: "list in `required` what is always there",
    Kind.NULL: "drop `nullable` where null says nothing",
    Kind.TYPE: "give every property a type",
    Kind.EMPTY: "set minLength, minItems, enum or format where empty means nothing",
    Kind.UNKNOWN: "say `additionalProperties: false`, or describe them",
}


class Strength(NamedTuple):
    """How many mutations of an example a schema noticed; what it did not, the most frequent first."""

    noticed: int
    made: int
    unnoticed: list[Kind]

    @property
    def share(self) -> float:
        """Return the noticed part of all."""
        return self.noticed / self.made


def measure(example: Any, validator: Validator) -> Strength:
    """Hold every mutation of an example against its schema."""
    made = noticed = 0
    missed: Counter[Kind] = Counter()
    for kind, value in mutations(example):
        made += 1
        if validator.accepts(value):
            missed[kind] += 1
        else:
            noticed += 1
    return Strength(noticed, made, [kind for kind, _ in missed.most_common(2)])


def _example(contract: Contract, operation: Operation, status: str, media_type: str, schema: Schema) -> Any:
    """Return an answer's example: its own, or its schema's; ABSENT where it has none."""
    raw = contract.resolve(contract.raw(operation)["responses"][status])["content"][media_type]
    if "example" in raw:
        return raw["example"]
    for named in (raw.get("examples") or {}).values():
        return contract.resolve(named).get("value", ABSENT)
    return contract.resolve(schema).get("example", ABSENT)


def _sampled(sampler: Sampler, schema: Schema, at: Pointer) -> Any:
    """Return a value made up from a schema; ABSENT where none can be."""
    try:
        return sampler.sample(schema, at)
    except NoSample:
        return ABSENT
