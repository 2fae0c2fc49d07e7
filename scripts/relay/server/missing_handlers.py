"""What becomes of an operation that has no function yet: the service refuses to start, or stands in for it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from relay.contract.diagnostics import Diagnostic, SetupError

if TYPE_CHECKING:
    from relay.contract.model import Contract, Operation


class MissingHandlerPolicy(StrEnum):
    """A policy for missing functions: a problem at start, an honest 501, an answer made from the contract."""

    FAIL = "fail"
    STUB = "stub"
    MOCK = "mock"


class Policies:
    """The policy of each tag, and that of all others."""

    def __init__(
        self,
        default: MissingHandlerPolicy = MissingHandlerPolicy.FAIL,
        by_tag: dict[str, MissingHandlerPolicy] | None = None,
    ) -> None:
        self._default = default
        self._by_tag = by_tag or {}

    def of(self, operation: Operation) -> MissingHandlerPolicy:
        """Return the policy of an operation: that of its first tag, else the general one."""
        return self._by_tag.get(operation.tag, self._default)

    def cover(self, contract: Contract) -> bool:
        """Whether the contract can be served without any function."""
        return all(self.of(operation) is not MissingHandlerPolicy.FAIL for operation in contract.operations)

    def includes(self, policy: MissingHandlerPolicy) -> bool:
        """Whether a policy is chosen for anything."""
        return policy in (self._default, *self._by_tag.values())


def read_policies(texts: Iterable[str], contract: Contract) -> Policies:
    """Read policies as they are written: `mock` for every tag, `Event Logs=stub` for one; the last one counts.

    Raises SetupError with each that names no policy, or a tag that no operation has.
    """
    tags = {operation.tag for operation in contract.operations}
    problems: list[Diagnostic] = []
    default, by_tag = MissingHandlerPolicy.FAIL, {}
    for text in texts:
        tag, sign, word = (part.strip() for part in text.rpartition("="))
        if word not in list(MissingHandlerPolicy):
            message = f"'{text.strip()}' is no policy; write fail, stub or mock, or TAG=mock for one tag"
            problems.append(Diagnostic("RELAY_MISSING", message))
        elif not sign:
            default = MissingHandlerPolicy(word)
        elif tag not in tags:
            message = f"no operation has the first tag '{tag}'; there are {', '.join(sorted(tags))}"
            problems.append(Diagnostic("RELAY_MISSING", message))
        else:
            by_tag[tag] = MissingHandlerPolicy(word)
    if problems:
        raise SetupError(problems)
    return Policies(default, by_tag)
