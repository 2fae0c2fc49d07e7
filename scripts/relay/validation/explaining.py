"""Explains why a schema rejects a value, at a cost bounded by the size of the value.

`iter_errors` of the library copies the instance into every error and follows every branch of every `oneOf`
at every level. This module asks the library only for verdicts, and follows the branch that was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

from relay.contract.model import Schema

from .nodes import Choice, Node
from .plan import plan
from .reasons import ROOT, Broken, Reason, Reasons, Rejected, ValuePath, broken
from .validators import Compile, Validator
from .violations import MAX_VIOLATIONS, Violation

_MAX_PATHS = 16_384  # characters of all paths of a value, whose names may be as long as the value


class Explainer:
    """Explains the values that the schemas of one direction reject; plans are made for the first one."""

    def __init__(
        self,
        definitions: Callable[[set[str]], Mapping[str, Schema]],
        compile_: Compile,
        hidden: tuple[str, str],
    ) -> None:
        self._definitions, self._compile, self._hidden = definitions, compile_, hidden
        self._new: WeakValueDictionary[str, Validator] = WeakValueDictionary()
        self._nodes: dict[str, Node] = {}
        self._numbers = count()

    def add(self, validator: Validator) -> Callable[[Any], list[Violation]]:
        """Return the function that explains a value which a validator rejects."""
        name = f"root {next(self._numbers)}"
        self._new[name] = validator

        def explained(value: Any) -> list[Violation]:
            if name not in self._nodes:
                self.prepare()
            return explain(self._nodes[name], value)

        return explained

    def prepare(self) -> None:
        """Make the plan of the schemas added so far, for which the first rejected value would wait."""
        if used := dict(self._new):
            roots = {root: validator.schema for root, validator in used.items()}
            refs = {ref for validator in used.values() for ref in validator.refs}
            self._nodes |= plan(roots, self._definitions(refs), self._compile, self._hidden)
            self._new.clear()


def explain(node: Node, value: Any) -> list[Violation]:
    """Return violations of a value that a node rejects: at least one, at most MAX_VIOLATIONS.

    If schemas only refer to each other for the same value, the violation names the last choice between them.
    """
    found: dict[Broken, None] = {}
    known: set[tuple[int, ValuePath]] = set()
    search = Reasons()
    unclear = broken(ROOT, "schema")
    pending: list[Reason] = [Rejected(node, value, ROOT, 0)]
    while pending and len(found) < MAX_VIOLATIONS:
        reason = pending.pop()
        if isinstance(reason, Broken):
            found[reason] = None
        elif (key := (id(reason.by), reason.path)) not in known:
            known.add(key)
            pending += reversed(search.of(reason))
        elif isinstance(reason.by, Choice):
            unclear = broken(reason.path, reason.by.rule)
    violations: list[Violation] = []
    room = _MAX_PATHS
    for one in [*found] or [unclear]:
        path = str(one.path)
        room -= len(path)
        if room < 0 and violations:
            break
        violations.append(Violation(path, one.rule, one.message))
    return violations
