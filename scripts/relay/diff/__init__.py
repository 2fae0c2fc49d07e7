"""Reports the changes between two contracts, and which of them break clients.

`compare(old, new)` is the public function; it reads no files. Schemas are compared by structure, through their
`$ref`s, so renaming a component is not a change. A change of a shared part is reported once per direction, with
one operation and the number of other operations. Callbacks, links, examples and prose are documentation and
are not compared.
"""

from collections.abc import Iterator

from relay.contract.documents import Pointer
from relay.contract.model import Contract

from .changes import Change, Difference, Report
from .diff_rules import RULES
from .operation_diff import compare_operations

__all__ = ["RULES", "Change", "compare"]


def compare(old: Contract, new: Contract) -> list[Change]:
    """Return every change between two contracts; [] if they are equivalent."""
    report = Report(old, new)
    for difference in _compare_root(old, new):
        report.add(difference)
    compare_operations(old, new, report)
    return report.changes()


def _compare_root(old: Contract, new: Contract) -> Iterator[Difference]:
    """Yield differences of the version and the servers."""
    at: Pointer = ("info", "version")
    before, after = (contract.document["info"]["version"] for contract in (old, new))
    if before != after:
        yield Difference("version-changed", f"the version changed from {before} to {after}", at, at)
    at = ("servers",)
    if old.base_path != new.base_path:
        what = f"the base path changed from {old.base_path or '/'} to {new.base_path or '/'}"
        yield Difference("base-path-changed", what, at, at)
        return
    known = [server["url"] for server in new.document.get("servers", [])]
    for index, server in enumerate(old.document.get("servers", [])):
        if server["url"] not in known:
            yield Difference(
                "server-removed", f"the server {server['url']} was removed", (*at, str(index)), at
            )
