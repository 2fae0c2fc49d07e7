"""Policies for operations without a handler: refuse to start, answer 501, or serve a mock."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from relay.contract.diagnostics import Diagnostic, SetupError

if TYPE_CHECKING:
    from relay.contract.model import Contract, Operation


class MissingHandlerPolicy(StrEnum):
    """A policy for missing handlers: an error at start, a 501 response, or a mock response."""

    FAIL = "fail"
    STUB = "stub"
    MOCK = "mock"


class Policies:
    """The default policy, and the policies of single tags."""

    def __init__(
        self,
        default: MissingHandlerPolicy = MissingHandlerPolicy.FAIL,
        by_tag: dict[str, MissingHandlerPolicy] | None = None,
    ) -> None:
        self._default = default
        self._by_tag = by_tag or {}

    def of(self, operation: Operation) -> MissingHandlerPolicy:
        """Return the policy of an operation: that of its first tag, else the default."""
        return self._by_tag.get(operation.tag, self._default)

    def cover(self, contract: Contract) -> bool:
        """Return True if the contract can be served without any handler."""
        return all(self.of(operation) is not MissingHandlerPolicy.FAIL for operation in contract.operations)

    def includes(self, policy: MissingHandlerPolicy) -> bool:
        """Return True if a policy is used by default or for a tag."""
        return policy in (self._default, *self._by_tag.values())


def read_policies(texts: Iterable[str], contract: Contract) -> Policies:
    """Parse policies: `mock` for every tag, `Event Logs=stub` for one; later ones override earlier ones.

    Raises SetupError for unknown policies, and for tags that no operation has.
    """
    tags = {operation.tag for operation in contract.operations}
    problems: list[Diagnostic] = []
    default, by_tag = MissingHandlerPolicy.FAIL, {}
    for text in texts:
        tag, sign, word = (part.strip() for part in text.rpartition("="))
        if word not in list(MissingHandlerPolicy):
            message = f"unknown policy '{text.strip()}'; use fail, stub or mock, or TAG=mock for one tag"
            problems.append(Diagnostic("RELAY_MISSING", message))
        elif not sign:
            default = MissingHandlerPolicy(word)
        elif tag not in tags:
            message = f"no operation has the first tag '{tag}'; the tags are {', '.join(sorted(tags))}"
            problems.append(Diagnostic("RELAY_MISSING", message))
        else:
            by_tag[tag] = MissingHandlerPolicy(word)
    if problems:
        raise SetupError(problems)
    return Policies(default, by_tag)
