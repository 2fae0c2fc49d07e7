"""Finds the operations of paths, also those that paths share by a `$ref` to a path item."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .documents import Pointer
from .methods import WrittenOperation, methods_in
from .pointers import PointerNotFound, exists, lookup, parse_pointer


def operations_of(document: Any, path: str) -> list[WrittenOperation]:
    """Return the operations of a path, its own and those of the path items that its `$ref` leads to."""
    items = [lookup(document, at) for at in _items(document, ("paths", path)) if exists(document, at)]
    return [*dict.fromkeys(one for item in items for one in methods_in(item))]


def paths_by_item(document: Any) -> dict[Pointer, list[str]]:
    """Return the paths to which each path item belongs, by the item's pointer; an item may be that of another path."""
    found: defaultdict[Pointer, list[str]] = defaultdict(list)
    paths = document.get("paths")
    for path in paths if isinstance(paths, dict) else ():
        for pointer in _items(document, ("paths", path)):
            found[pointer].append(path)
    return found


def _items(document: Any, pointer: Pointer) -> dict[Pointer, None]:
    """Return the pointers of a path item and of those that its `$ref` leads to."""
    passed: dict[Pointer, None] = {}
    at: Pointer | None = pointer
    while at is not None and at not in passed:
        passed[at] = None
        at = _target(document, at)
    return passed


def _target(document: Any, pointer: Pointer) -> Pointer | None:
    try:
        item = lookup(document, pointer)
    except PointerNotFound:
        return None
    ref = item.get("$ref") if isinstance(item, dict) else None
    return parse_pointer(ref[1:]) if isinstance(ref, str) and ref.startswith("#") else None
