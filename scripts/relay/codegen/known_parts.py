"""What can be said about a body of which source does not show every value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relay.contract.model import Contract, Schema
from relay.contract.pointers import escape
from relay.contract.schema_words import CHOICES, CONDITIONAL, inner_schemas
from relay.validation.violations import Violation

from .static_evaluation import UNREAD

_DECIDING = frozenset([*CHOICES, *CONDITIONAL, "not", "dependentSchemas", "discriminator"])
"""Keywords by which one value decides what another may be."""


class KnownParts:
    """A body with null for each value that source does not show; `unread` has their places."""

    def __init__(self, body: Any) -> None:
        self.unread: list[str] = []
        self.body = self._known(body, ())

    def certain(self, violations: Iterable[Violation]) -> list[Violation]:
        """Return the violations that do not depend on what source does not show."""
        return [one for one in violations if not any(_is_within(one.path, place) for place in self.unread)]

    def _known(self, value: Any, place: tuple[str, ...]) -> Any:
        if value is UNREAD:
            self.unread.append("".join(f"/{escape(token)}" for token in place))
            return None
        if isinstance(value, dict):
            return {name: self._known(one, (*place, str(name))) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._known(one, (*place, str(index))) for index, one in enumerate(value)]
        return value


def _is_within(path: str, place: str) -> bool:
    return f"{path}/".startswith(f"{place}/")


def has_choices(schema: Schema, contract: Contract) -> bool:
    """Return True if a value may decide what another value within a schema may be."""
    todo: list[Any] = [schema]
    seen: set[int] = set()
    while todo:
        one = todo.pop()
        if not isinstance(one, dict) or id(one) in seen:
            continue
        seen.add(id(one))
        if _DECIDING & one.keys():
            return True
        todo += [part for _, part in inner_schemas(one)]
        if "$ref" in one:
            todo.append(contract.resolve(one))
    return False
