"""Builds one value, part by part, without optional parts that are too deep, recursive or impossible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from relay.contract.model import ABSENT
from relay.contract.schema_words import CHOICES
from relay.validation.translation import enum_members

from .branches import (
    Rival,
    branches_of,
    exclusive,
    first_choice,
    inherited_tags,
    subtypes,
    tag_of,
    without_choice,
)
from .containers import ArrayWriter, ObjectWriter
from .judging import SchemaJudge
from .scalars import number_within, write_text
from .schema_parts import MAX_PARTS, TRIES, NoSample, SchemaPart, Target, TooLarge, flatten, types_of

MAX_CHANGES = 5_000
"""Maximum number of changes tried for one sample, so that values are valid for one branch of a `oneOf` only."""
MAX_LEVEL = 100

LAST_RESORTS: tuple[Any, ...] = (None, {}, [], "", "string", 0, True)
"""Values that may be valid for a schema whose keywords indicate another type."""


class Attempt:
    """One attempt at a value, with optional parts down to `depth`; a strict one validates each choice."""

    def __init__(self, judge: SchemaJudge, depth: int, limit: int, *, is_strict: bool) -> None:
        self.schemas = judge
        self._contract = judge.contract
        self.depth = depth
        self._limit = limit
        self._is_strict = is_strict
        self._count = 0
        self.cost = 0
        self._changes_left = MAX_CHANGES

    def value(
        self, given: list[SchemaPart], level: int, variant: int = 0, *, is_conditional: bool = False
    ) -> Any:
        """Return a value for all schemas. Raises NoSample and TooLarge."""
        self._count += 1
        self.spend(1)
        if self._count > MAX_PARTS or level > MAX_LEVEL:
            raise TooLarge
        try:
            parts = flatten(given, self._contract)
        except NoSample:
            if self.schemas.judge(given)(None):
                return None
            raise
        return next(self._candidates(Target(given, parts, level, variant, is_conditional)))

    def spend(self, cost: int) -> None:
        """Count values or properties that are considered. Raises TooLarge."""
        self.cost += cost
        self.schemas.count(cost)
        if self.cost > self._limit:
            raise TooLarge

    def _candidates(self, target: Target) -> Iterator[Any]:
        if target.variant == 0:
            yield from self._examples_and_defaults(target)
        reason = "its parts are contradictory"
        try:
            yield from self._built(target)
        except NoSample as exc:
            reason = str(exc)
        if not target.is_conditional:
            yield from filter(self.schemas.judge(target.given), LAST_RESORTS)
        raise NoSample(reason)

    def _built(self, target: Target) -> Iterator[Any]:
        parts = target.parts
        for owner, part in enumerate(parts):
            if children := subtypes(part, self.schemas.compiler):
                yield from self._extended(target, owner, children)
        if choice := first_choice(parts):
            yield from self._alternatives(target, *choice)
        elif any("enum" in part.schema for part in parts):
            yield from self._enumerated(target)
        elif any("not" in part.schema for part in parts):
            yield from self._allowed(target)
        else:
            tags = inherited_tags(parts)
            for value in self._typed(target):
                if tags and isinstance(value, dict):
                    yield from filter(self._judge(target), [{**value, **tags}])
                yield value

    def _judge(self, target: Target) -> Callable[[Any], bool]:
        """Return the verdict of all schemas; an attempt that is not strict leaves it to the caller."""
        return self.schemas.judge(target.given) if self._is_strict else lambda _: True

    def _examples_and_defaults(self, target: Target) -> Iterator[Any]:
        """Yield the valid examples and defaults of the schemas, examples without hidden properties."""
        accepts = None
        for part in target.parts:
            for value in (self.schemas.example_of(part), part.schema.get("default", ABSENT)):
                if value is ABSENT:
                    continue
                accepts = accepts or self.schemas.judge(target.given)
                tagged = _with_missing(value, inherited_tags(target.parts))
                yield from filter(accepts, [tagged, value] if tagged is not value else [value])

    def _extended(self, target: Target, owner: int, children: list[str]) -> Iterator[Any]:
        """Yield values for the schemas that extend a base schema with a discriminator."""
        others, base = _without_own(target.parts), target.parts[owner]
        others[owner] = others[owner].without("discriminator")
        for ref in children:
            with suppress(NoSample):
                value = self.value([*others, base.branch({"$ref": ref})], target.level, target.variant)
                tagged = [{**value, **tag_of(base.schema, ref)}] if isinstance(value, dict) else []
                yield from filter(self._judge(target), tagged)

    def _alternatives(self, target: Target, owner: int, keyword: str) -> Iterator[Any]:
        """Yield a value for each branch that is also valid for the other schemas."""
        part = target.parts[owner]
        others = _without_own(target.parts)
        others[owner] = without_choice(others[owner], keyword)
        branches = branches_of(part, keyword, is_deep=target.level >= self.depth)
        accepts = self._judge(target)
        overlapping: list[tuple[Any, list[SchemaPart]]] = []
        for branch in branches:
            given = [*others, *branch]
            with suppress(NoSample):
                value = self.value(given, target.level, target.variant, is_conditional=keyword not in CHOICES)
                tag = tag_of(part.schema, branch[0].schema.get("$ref", "")) if branch else {}
                tagged = {**value, **tag} if tag and isinstance(value, dict) else value
                yield from filter(accepts, [tagged, value] if tagged != value else [value])
                overlapping.append((tagged, given))
        if keyword == "oneOf" and self._is_strict:
            rivals = self._rivals(one for (one,) in branches)
            for value, given in overlapping:  # valid for several branches
                others_of = [rival for rival in rivals if rival.part is not given[-1]]
                yield from filter(accepts, [self._changed(value, self.schemas.judge(given), others_of)])
        raise NoSample(f"no branch of {keyword} gives a valid value")

    def _rivals(self, parts: Iterator[SchemaPart]) -> list[Rival]:
        return [Rival(part, self.schemas.judge([part])) for part in parts]

    def _enumerated(self, target: Target) -> Iterator[Any]:
        values = next(enum_members(part.schema) for part in target.parts if "enum" in part.schema)
        accepts = self._judge(target)
        valid = (value for value in values if value is not None and accepts(value))
        yield from islice(valid, target.variant, target.variant + 1)
        raise NoSample("no value of the enum is valid")

    def _allowed(self, target: Target) -> Iterator[Any]:
        """Try a few values; yield those that no `not` forbids, and else some that each rejects less."""
        accepts = self.schemas.judge(target.given)
        for more in range(TRIES):
            yield from filter(accepts, self._typed(target._replace(variant=target.variant + more)))
        if self._is_strict:
            forbidding = [part for part in target.parts if "not" in part.schema]
            rivals = self._rivals(part.branch(part.schema["not"], "not") for part in forbidding)
            own = self.schemas.judge([part.without("not") for part in _without_own(target.parts)])
            changed = (self._changed(value, own, rivals) for value in self._typed(target))
            yield from filter(accepts, changed)
        raise NoSample("`not` rejects all values that were tried")

    def _changed(self, value: Any, own: Callable[[Any], bool], rivals: list[Rival]) -> Any:
        changed, tried = exclusive(value, own, rivals, self._contract, self._changes_left)
        self._changes_left -= tried
        self.schemas.count(tried)
        return changed

    def _typed(self, target: Target) -> Iterator[Any]:
        """Yield a value of each type that the schemas allow. Raises NoSample if there is none for the last one."""
        *others, last = types_of([part.schema for part in target.parts])
        for kind in others:
            with suppress(NoSample):
                yield from filter(self._judge(target), [self._of_type(kind, target)])
        yield self._of_type(last, target)

    def _of_type(self, kind: str, target: Target) -> Any:
        match kind:
            case "object":
                return ObjectWriter(target, self).write()
            case "array":
                return ArrayWriter(target, self).write()
            case "string":
                return write_text(target, self)
            case "boolean":
                return target.variant % 2 == 0
            case "null":
                return None
        schemas = [part.schema for part in target.parts]
        number = number_within(schemas, target.variant, is_integer=kind == "integer")
        if number is None:
            raise NoSample("no number is within the bounds")
        return number


def _without_own(parts: list[SchemaPart]) -> list[SchemaPart]:
    """Return flat schemas without their `allOf`, whose schemas are also parts."""
    return [part.without("allOf") for part in parts]


def _with_missing(value: Any, tags: dict[str, str]) -> Any:
    """Return an object with the tags that it lacks; an example may have others on purpose."""
    missing = {name: tag for name, tag in tags.items() if isinstance(value, dict) and name not in value}
    return {**value, **missing} if missing else value
