"""What changed between two contracts, and whom it breaks: pure, but for the contracts being read before.

`compare(old, new)` is all that others need. Schemas are compared by structure, through their
`$ref`s: a component that is only called differently has not changed. What is shared is told once
for each direction it is used in, with one operation and how many others it reaches. Callbacks,
links, examples and prose are documentation, and not compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.documents import Pointer
from relay.contract.model import Contract

from .changes import Change, Difference, Report
from .diff_rules import RULES
from .operation_diff import compare_operations

__all__ = ["RULES", "Change", "compare"]


def compare(old: Contract, new: Contract) -> list[Change]:
    """Return every change between two contracts; none when they say the same."""
    report = Report(old, new)
    for difference in _whole(old, new):
        report.add(difference)
    compare_operations(old, new, report)
    return report.changes()


def _whole(old: Contract, new: Contract) -> Iterator[Difference]:
    """Tell of what concerns the contract as a whole."""
    at: Pointer = ("info", "version")
    before, after = (contract.document["info"]["version"] for contract in (old, new))
    if before != after:
        yield Difference("version-changed", f"the version goes from {before} to {after}", at, at)
    at = ("servers",)
    if old.base_path != new.base_path:
        what = f"the base path goes from {old.base_path or '/'} to {new.base_path or '/'}"
        yield Difference("base-path-changed", what, at, at)
        return
    known = [server["url"] for server in new.document.get("servers", [])]
    for index, server in enumerate(old.document.get("servers", [])):
        if server["url"] not in known:
            yield Difference("server-removed", f"the server {server['url']} is gone", (*at, str(index)), at)
