"""Checks tags against the contract's list of tags, and the parents in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract

from .lint_rules import finding


def check_tags(contract: Contract) -> Iterator[Diagnostic]:
    """Yield tags and parents that are not in the list of tags, and parents that lead back to their tag."""
    listed = {tag["name"]: index for index, tag in enumerate(contract.document.get("tags", []))}
    yield from _undeclared(contract, listed)
    if contract.version not in ("3.0", "3.1"):
        yield from _parents(contract, listed)


def _undeclared(contract: Contract, listed: Mapping[str, int]) -> Iterator[Diagnostic]:
    for operation in contract.operations:
        for index, tag in enumerate(contract.raw(operation).get("tags") or []):
            if listed and tag not in listed:
                message = (
                    f"the tag '{tag}' is not in the contract's list of tags; add it or use one of the list"
                )
                yield finding(contract, "undeclared-tag", (*operation.pointer, "tags", str(index)), message)


def _parents(contract: Contract, listed: Mapping[str, int]) -> Iterator[Diagnostic]:
    tags = contract.document.get("tags", [])
    parents = {name: tags[index]["parent"] for name, index in listed.items() if "parent" in tags[index]}
    for name, parent in parents.items():
        if parent not in listed:
            message = f"the parent '{parent}' of the tag '{name}' is not in the list of tags; add it, or name one of the list"
            yield finding(contract, "undeclared-tag", ("tags", str(listed[name]), "parent"), message)
    for circle in _circles(parents):
        way = " → ".join([*circle, circle[0]])
        message = f"the parents of the tag '{circle[0]}' lead back to it ({way}); remove one `parent`"
        yield finding(contract, "circular-tag", ("tags", str(listed[circle[0]]), "parent"), message)


def _circles(parents: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield each circle of tags once, from the first one of it that is reached."""
    seen: set[str] = set()
    for start in parents:
        name, way = start, list[str]()
        while name in parents and name not in seen:
            seen.add(name)
            way.append(name)
            name = parents[name]
        if name in way:
            yield way[way.index(name) :]
