"""Generates deterministic values that are valid for a schema.

A value is built part by part (`attempts.py`) and then validated with the compiled schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Schema

from .attempts import LAST_RESORTS, Attempt, TooLarge
from .judging import SchemaJudge, TooManySamples
from .schema_parts import NoSample, SchemaPart

_DEPTHS = (4, 2, 1, 0)  # levels of optional parts, tried in this order


class Sampler(SchemaJudge):
    """Generates values for one direction, from the schemas of one contract."""

    def sample(self, schema: Schema, pointer: Pointer) -> Any:
        """Return a value for the schema at `pointer`, with as many optional parts as possible.

        Valid examples in the schema are used; the compiler's problems get a warning for another one.
        Raises NoSample. A schema that is referred to is sampled once.
        """
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

    def _sampled(self, schema: Schema, pointer: Pointer) -> Any:
        part = SchemaPart(schema, pointer)
        if self.compiler.compile(schema, self.direction, pointer) is None:
            raise NoSample("the schema cannot be compiled")
        accepts = self.judge([part])
        reason = "its parts are contradictory"
        for attempt in self._attempts():
            try:
                value = attempt.value([part], 0)
            except TooManySamples as exc:
                raise NoSample("the samples of this contract take too long") from exc
            except NoSample as exc:
                reason = str(exc)
            except (TooLarge, RecursionError):
                reason = "the value would be too large"
            else:
                if accepts(value):
                    return value
        for value in filter(accepts, LAST_RESORTS):
            return value
        raise NoSample(reason)

    def _attempts(self) -> Iterator[Attempt]:
        """Yield attempts at a value; the first one is quick, because it validates only the whole."""
        yield Attempt(self, _DEPTHS[0], is_strict=False)
        for depth in _DEPTHS:
            yield Attempt(self, depth, is_strict=True)
