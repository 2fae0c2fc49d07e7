"""Class names for component names that the generator of types cannot tell apart, or reads as modules.

A component's class is its name in capitals, without punctuation: `acme.v1.Kind` → `AcmeV1Kind`. Of components
that ask for one class, the one that is written like it keeps it, else the first; the others get `Type`, and
a number if that is in use, too.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from relay.contract.pointers import escape, mappings, parse_pointer

_PREFIX = "#/components/schemas/"


class NamedSchemas(NamedTuple):
    """Schemas under names that the generator takes, and the contract's names of those that were renamed."""

    schemas: Mapping[str, Any]
    originals: Mapping[str, str]


def with_class_names(schemas: Mapping[str, Any]) -> NamedSchemas:
    """Rename schemas whose names are no class names, or ask for one class; the others are unchanged."""
    renamed = {
        name: own
        for name, own in class_names(schemas).items()
        if own != class_name(name) or re.search(r"[^\w-]", name)
    }
    if not renamed:
        return NamedSchemas(schemas, {})
    copied = json.loads(json.dumps(schemas))
    for _, found in mappings(copied, named=True):
        _rename_references(found, renamed)
    named = {renamed.get(name, name): schema for name, schema in copied.items()}
    return NamedSchemas(named, {own: name for name, own in renamed.items()})


def class_names(components: Iterable[str]) -> dict[str, str]:
    """Return a class name of its own for each component."""
    names: dict[str, str] = {}
    taken = {class_name(name) for name in components}
    free = set(taken)
    for name in sorted(components, key=lambda name: name != class_name(name)):
        wanted = class_name(name)
        names[name] = wanted if wanted in free else free_name([f"{wanted}Type"], taken)
        free.discard(wanted)
        taken.add(names[name])
    return names


def free_name(candidates: Sequence[str], taken: Collection[str]) -> str:
    """Return the first candidate that is not taken, else the last with a number."""
    numbered = (f"{candidates[-1]}{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain(candidates, numbered) if name not in taken)


def class_name(name: str) -> str:
    """Return the class name that the generator makes of a name."""
    words = re.split(r"[\W_]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words) or "Schema"


def _rename_references(found: dict[str, Any], renamed: Mapping[str, str]) -> None:
    if isinstance(ref := found.get("$ref"), str):
        found["$ref"] = _renamed(ref, renamed)
    if "propertyName" in found and isinstance(targets := found.get("mapping"), dict):
        found["mapping"] = {
            value: renamed.get(target) or _renamed(target, renamed) for value, target in targets.items()
        }


def _renamed(ref: str, renamed: Mapping[str, str]) -> str:
    if not ref.startswith(_PREFIX):
        return ref
    _, _, name, *rest = parse_pointer(ref[1:])
    return _PREFIX + "/".join([renamed[name], *map(escape, rest)]) if name in renamed else ref
