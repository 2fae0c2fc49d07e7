"""Lists in a documented body of an error that have an item for each detail of a report, by the names in their items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .error_places import CODES, FIELDS, LISTS, LOCATIONS, MAX_DEPTH, MESSAGES, POINTERS, IsValid, canonical
from .error_templates import Path, Place, Template, replaced

_ENDINGS = ("errors", "violations", "issues", "problems", "details", "params", "parameters", "fields")
"""Ends of names such as `invalid-params` and `fieldErrors`."""
_PARAMETERS = {"param", "parameter"}
_RULES = {*CODES, "type", "rule", "keyword", "constraint", "kind"}


def with_items(body: Any, is_valid: IsValid) -> Iterator[Template]:
    """Yield a body with each list that may have an item for each detail; `is_valid` is for reports with details."""
    for path, item in _lists(body, ()):
        template = replaced(body, path, [item])
        for place_path, place in _places(item, (*path, 0)):
            changed = replaced(template, place_path, place)
            if is_valid(changed):
                template = changed
        yield template


def _lists(body: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the lists of objects that describe what is wrong, each with its first item."""
    if not isinstance(body, dict) or len(path) > MAX_DEPTH:
        return
    for name, value in body.items():
        if not isinstance(value, list):
            yield from _lists(value, (*path, name))
        elif value and isinstance(value[0], dict) and _is_of_details(canonical(name), value[0]):
            yield (*path, name), value[0]


def _is_of_details(word: str, item: dict[str, Any]) -> bool:
    """Return True for a list whose name says that it is about faults, and whose items name what has one."""
    names = {canonical(name) for name in item}
    is_of_faults = word in {*LISTS, "detail", "error"} or word.endswith(_ENDINGS)
    return is_of_faults and not names.isdisjoint({*MESSAGES, *POINTERS, *FIELDS, *LOCATIONS})


def _places(item: Any, path: Path) -> Iterator[tuple[Path, Place]]:
    """Yield where something of a detail belongs in an item, and what."""
    names = {canonical(name) for name in item}
    for name, value in item.items():
        word = canonical(name)
        if isinstance(value, dict) and len(path) <= 2 * MAX_DEPTH:
            yield from _places(value, (*path, name))
        elif (place := _place(word, value, names)) is not None:
            yield (*path, name), place


def _place(word: str, value: Any, names: set[str]) -> Place | None:
    """Return what belongs into a property of an item; `names` are its siblings and itself."""
    if isinstance(value, list):
        return Place.LOCATION if word in {*LOCATIONS, *POINTERS} else None
    if not isinstance(value, str) or (word in _PARAMETERS and names & POINTERS):
        return None  # a `parameter` next to a `pointer` is for other places
    if word == "title":
        return Place.MESSAGE if names & MESSAGES else Place.REASON
    known = {Place.REASON: MESSAGES, Place.POINTER: POINTERS, Place.FIELD: FIELDS, Place.IN: LOCATIONS}
    return next(
        (place for place, words in known.items() if word in words), Place.RULE if word in _RULES else None
    )
