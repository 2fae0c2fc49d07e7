"""Generates deterministic values for schemas: built part by part, then validated by the compiled schema."""

from __future__ import annotations

from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Schema

from .attempts import LAST_RESORTS, Attempt
from .judging import SchemaJudge, TooManySamples
from .schema_parts import NoSample, SchemaPart, TooLarge

MAX_DEPTH = 4
"""Maximum number of levels of optional parts."""
MAX_COST = 20_000
"""Maximum number of values built and of properties considered for one value."""
QUICK_COST = 4_000
"""The same for the first attempt, which is enough for most schemas."""


class Sampler(SchemaJudge):
    """Generates values for one direction, from the schemas of one contract."""

    def sample(self, schema: Schema, pointer: Pointer) -> Any:
        """Return a valid value, as complete as possible, once for each `$ref`. Raises NoSample."""
        if (ref := schema.get("$ref")) is None:
            return self._sampled(schema, pointer)
        key = "sample", self.direction, ref
        memo = self.compiler.memo
        if key not in memo:
            try:
                memo[key] = self._sampled(schema, pointer)
            except NoSample as exc:
                memo[key] = exc
        found = memo[key]
        if isinstance(found, NoSample):
            raise NoSample(*found.args)
        return found

    def needed(self, schema: Schema, pointer: Pointer, what: str = "value", example: str = "example") -> Any:
        """Return a sample. Raises NoSample with what to add to the contract."""
        try:
            return self.sample(schema, pointer)
        except NoSample as exc:
            raise NoSample(f"no {what} was found: {exc}; add a valid {example}") from exc

    def _sampled(self, schema: Schema, pointer: Pointer) -> Any:
        if self.compiler.compile(schema, self.direction, pointer) is None:
            raise NoSample("the schema cannot be compiled")
        try:
            return _Search(self, SchemaPart(schema, pointer)).best()
        except TooManySamples as exc:
            raise NoSample("the samples of this contract take too long") from exc


class _Search:
    """The search for the most complete value of one schema."""

    def __init__(self, judge: SchemaJudge, part: SchemaPart) -> None:
        self._schemas = judge
        self._part = part
        self._accepts = judge.judge([part])
        self._reason = "its parts are contradictory"
        self._best: Any = ABSENT
        self._cost = 0
        self._is_too_large = judge.is_exhausted

    def best(self) -> Any:
        """Return the most complete value; the strict search follows if the quick one finds none. Raises NoSample."""
        if not self._is_too_large:
            self._try(MAX_DEPTH, QUICK_COST, is_strict=False)
        if self._is_too_large:
            self._deepen(1, is_strict=False)
        if self._best is ABSENT:
            self._deepen(0, is_strict=True)
        if self._best is ABSENT:
            self._best = next(filter(self._accepts, LAST_RESORTS), ABSENT)
        if self._best is ABSENT:
            raise NoSample(self._reason)
        return self._best

    def _deepen(self, first: int, *, is_strict: bool) -> None:
        """Add levels while the value is valid, changes, and will not be too large with the next one."""
        cost = 0
        deepest = first if self._schemas.is_exhausted else MAX_DEPTH
        for depth in range(first, deepest + 1):
            before = self._best
            is_valid = self._try(depth, MAX_COST, is_strict=is_strict)
            if self._is_too_large or not (is_valid or is_strict) or (is_valid and self._best == before):
                break
            if cost and self._cost * self._cost / cost > MAX_COST:
                break
            cost = self._cost

    def _try(self, depth: int, limit: int, *, is_strict: bool) -> bool:
        """Build a value with some levels of optional parts; return True, and keep it, if it is valid."""
        attempt = Attempt(self._schemas, depth, limit, is_strict=is_strict)
        self._is_too_large = False
        try:
            value = attempt.value([self._part], 0)
        except NoSample as exc:
            self._reason = str(exc)
            return False
        except (TooLarge, RecursionError):
            self._reason = "the value would be too large"
            self._is_too_large = True
            return False
        finally:
            self._cost = attempt.cost
        if is_valid := self._accepts(value):
            self._best = value
        return is_valid
