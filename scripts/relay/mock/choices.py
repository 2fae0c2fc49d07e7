"""The choices that a schema leaves: branches of which one is taken, each a list of schemas for the same value."""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.model import Schema
from relay.contract.schema_words import CONDITIONAL

from .schema_parts import SchemaPart, without_keywords

Branch = list[SchemaPart]

_DEPENDENT = ("dependentSchemas", "dependentRequired")
_WORDS = ("oneOf", "anyOf", *_DEPENDENT, "if")


def first_choice(parts: list[SchemaPart]) -> tuple[int, str] | None:
    """Return the index of the first schema with a choice, and the keyword of the choice."""
    for index, part in enumerate(parts):
        for keyword in _WORDS:
            if keyword in part.schema:
                return index, keyword
    return None


def branches_of(part: SchemaPart, keyword: str, *, is_deep: bool) -> list[Branch]:
    """Return the branches of a choice; the first ones give larger values, unless the value `is_deep` in another."""
    if keyword == "if":
        return [*_conditional(part)]
    if keyword not in _DEPENDENT:
        return [
            [part.branch(schema, keyword, str(index))] for index, schema in enumerate(part.schema[keyword])
        ]
    if not part.schema[keyword]:
        return [[]]
    name, found = next(iter(part.schema[keyword].items()))
    with_it: Schema = found if keyword == "dependentSchemas" else {"required": found}
    without: Schema = {"properties": {name: {"not": {}}}}
    branches = [[part.branch(one, keyword, name)] for one in (with_it, without)]
    return branches[::-1] if is_deep else branches


def without_choice(schema: Schema, keyword: str) -> Schema:
    """Return a schema without a choice: of `dependentSchemas` and `dependentRequired` the first one."""
    if keyword == "if":
        return without_keywords(schema, *CONDITIONAL)
    rest = dict([*schema[keyword].items()][1:]) if keyword in _DEPENDENT else None
    return {**schema, keyword: rest} if rest else without_keywords(schema, keyword)


def _conditional(part: SchemaPart) -> Iterator[Branch]:
    """Yield a branch for values that satisfy `if`, and one for the others; one for all if that makes no difference."""
    if part.schema.keys().isdisjoint(("then", "else")):
        yield []
        return
    condition = part.schema["if"]
    fulfilled = [part.branch(condition, "if")]
    refused = [part.branch({"not": condition}, "if")]
    for branch, keyword in ((fulfilled, "then"), (refused, "else")):
        more = [part.branch(part.schema[keyword], keyword)] if keyword in part.schema else []
        yield [*branch, *more]
