"""Finds the examples of a contract, and judges values by its schemas: made ones, examples and defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Schema
from relay.validation import media_types as media
from relay.validation.json_strict import parse_json
from relay.validation.parameters import ReadText
from relay.validation.schemas import Direction, SchemaCompiler
from relay.validation.translation import enum_members
from relay.validation.violations import Violation

from .schema_parts import NoSample, SchemaPart, flatten, without_hidden

MAX_ALL_PARTS = 1_000_000
"""Maximum number of values built, and of properties considered, for all samples of a contract; small ones may follow."""

_BUILT = ("sample", "built")

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


class TooManySamples(Exception):
    """The samples of the contract together exceed the limit."""


class SchemaJudge:
    """Judges values for one direction, by the schemas of one contract."""

    def __init__(self, compiler: SchemaCompiler, direction: Direction = "response") -> None:
        self.contract = compiler.contract
        self.compiler = compiler
        self.direction = direction

    def flat(self, part: SchemaPart) -> list[SchemaPart]:
        """Return a schema and those of its `allOf`; none if it is infinite."""
        with suppress(NoSample):
            return flatten([part], self.contract)
        return []

    def given(self, schema: Schema, pointer: Pointer) -> Any:
        """Return the first valid example, default or member of an enum of the schema; ABSENT if there is none."""
        part = SchemaPart(schema, pointer)
        accepts = self.judge([part])
        for one in self.flat(part):
            listed = enum_members(one.schema) if "enum" in one.schema else ()
            for value in (self.example_of(one), one.schema.get("default", ABSENT), *listed):
                if value is not ABSENT and accepts(value):
                    return value
        return ABSENT

    def has_example(self, part: SchemaPart) -> bool:
        """Return True if a schema, or one in its `allOf`, has a valid example."""
        return any(self.example_of(one) is not ABSENT for one in self.flat(part))

    def count(self, values: int) -> None:
        """Count values that are built or considered. Raises TooManySamples if the samples of a contract take too long."""
        memo = self.compiler.memo
        memo[_BUILT] = memo.get(_BUILT, 0) + values
        if memo[_BUILT] > 2 * MAX_ALL_PARTS:
            raise TooManySamples

    @property
    def is_exhausted(self) -> bool:
        """True if the samples of the contract have taken so long that the others must be small."""
        return bool(self.compiler.memo.get(_BUILT, 0) > MAX_ALL_PARTS)

    def judge(self, parts: list[SchemaPart]) -> Callable[[Any], bool]:
        """Return a function that returns True if a value is valid for all schemas; they are compiled once."""
        whole = [part.schema for part in parts]
        if not whole:
            return lambda _: True
        schema = whole[0] if len(whole) == 1 else {"allOf": whole}
        return self.compiler.verdict(schema, self.direction, parts[0].pointer)

    def example(self, value: Any, part: SchemaPart, pointer: Pointer) -> bool:
        """Return True if an example of the contract is valid; else add a warning at `pointer`."""
        validator = self.compiler.compile(part.schema, self.direction, part.pointer)
        if validator is None:
            return False
        violations = validator.violations(value)
        if violations:
            self.refuse(pointer, violations[0])
        return not violations

    def refuse(self, pointer: Pointer, violation: Violation) -> None:
        """Add a warning for the example at `pointer`, which is invalid."""
        where = f" at {violation.path}" if violation.path else ""
        message = f"the example violates its schema{where}: {violation.message}; it is not used"
        self.compiler.warn(pointer, message, "invalid-example")

    def example_of(self, part: SchemaPart) -> Any:
        """Return the first valid example of a schema, without hidden properties; ABSENT if there is none."""
        if "example" not in part.schema and "examples" not in part.schema:
            return ABSENT
        memo = self.compiler.memo
        key = "example", self.direction, *part.pointer
        if key not in memo:
            memo[key] = next(self._valid_examples(part), ABSENT)
        return memo[key]

    def _valid_examples(self, part: SchemaPart) -> Iterator[Any]:
        """Yield the examples of a schema without hidden properties; add a warning for each that is invalid."""
        listed = part.schema.get("examples")
        given: list[tuple[Pointer, Any]] = [
            (("examples", str(index)), one)
            for index, one in enumerate(listed if isinstance(listed, list) else [])
        ]
        if "example" in part.schema:
            given.insert(0, (("example",), part.schema["example"]))
        for at, value in given:
            example = without_hidden(value, [part], self.contract, self.direction)
            if self.example(example, part, (*part.pointer, *at)):
                yield example


class Builder(Protocol):
    """Builds values, with optional parts down to `depth` levels."""

    schemas: SchemaJudge
    depth: int

    def value(self, given: list[SchemaPart], level: int, variant: int = 0) -> Any:
        """Return a value for all schemas. Raises NoSample and TooLarge."""

    def spend(self, cost: int) -> None:
        """Count values or properties that are considered. Raises TooLarge."""
