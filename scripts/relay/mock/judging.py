"""Judges values by the schemas of a contract: made ones, and the contract's own examples and defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Contract, Schema
from relay.validation.schemas import Direction, SchemaCompiler
from relay.validation.translation import enum_members
from relay.validation.violations import Violation

from .schema_parts import NoSample, SchemaPart, flatten, without_hidden

MAX_ALL_PARTS = 1_000_000
"""Maximum number of values built, and of properties considered, for all samples of a contract; small ones may follow."""

_BUILT = ("sample", "built")


class TooManySamples(Exception):
    """The samples of the contract together exceed the limit."""


class SchemaJudge:
    """Judges values for one direction, by the schemas of one contract."""

    def __init__(
        self, contract: Contract, compiler: SchemaCompiler, direction: Direction = "response"
    ) -> None:
        self.contract = contract
        self.compiler = compiler
        self.direction = direction

    def given(self, schema: Schema, pointer: Pointer) -> Any:
        """Return the first valid example, default or member of an enum of the schema; ABSENT if there is none."""
        part = SchemaPart(schema, pointer)
        accepts = self.judge([part])
        with suppress(NoSample):
            for one in flatten([part], self.contract):
                example = self.example_of(one)
                listed = enum_members(one.schema) if "enum" in one.schema else ()
                values = (example, one.schema.get("default", ABSENT), *listed)
                for value in values:
                    if value is not ABSENT and accepts(value):
                        return value
        return ABSENT

    def has_example(self, part: SchemaPart) -> bool:
        """Return True if a schema, or one in its `allOf`, has a valid example."""
        try:
            parts = flatten([part], self.contract)
        except NoSample:
            return False
        return any(self.example_of(one) is not ABSENT for one in parts)

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
        validator = self.compiler.compile(schema, self.direction, parts[0].pointer)

        def accepts(value: Any) -> bool:
            try:
                return validator is not None and validator.accepts(value)
            except ValueError:
                return False

        return accepts

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
        self.compiler.problems.append(self.contract.warning(pointer, message, "invalid-example"))

    def example_of(self, part: SchemaPart) -> Any:
        """Return the first valid example of a schema, without hidden properties; ABSENT if there is none."""
        given = [*_examples(part)]
        if not given:
            return ABSENT
        memo = self.compiler.memo
        key = "example", self.direction, *part.pointer
        if key not in memo:
            memo[key] = next(filter(None, (self._valid(one, part) for one in given)), (ABSENT,))[0]
        return memo[key]

    def _valid(self, given: tuple[Any, Pointer], part: SchemaPart) -> tuple[Any] | None:
        """Return an example without hidden properties; None, with a warning, if it is invalid."""
        value, pointer = given
        example = without_hidden(value, [part], self.contract, self.direction)
        return (example,) if self.example(example, part, pointer) else None


def _examples(part: SchemaPart) -> Iterator[tuple[Any, Pointer]]:
    """Yield the examples of a schema, each with its pointer."""
    if "example" in part.schema:
        yield part.schema["example"], (*part.pointer, "example")
    if isinstance(listed := part.schema.get("examples"), list):
        for index, value in enumerate(listed):
            yield value, (*part.pointer, "examples", str(index))
