"""OpenAPI 3.0 → 3.1: discriminators, which decide between alternatives in 3.0 and only explain from 3.1 on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from relay.contract.discriminators import mapping_of
from relay.contract.schema_words import CHOICES
from relay.validation.translation import enum_members

from .contract_files import ContractFiles, File
from .findings import Findings
from .tree import Map, Seq
from .visits import Visit

_MAX_PARTS = 100
"""How many schemas of an alternative are asked for its values; of more, it is not known which it allows."""


def report_discriminators(files: ContractFiles, found: list[Visit], findings: Findings) -> None:
    """Report the discriminators without which other values are valid; before the schemas are rewritten."""
    for role, value, file in found:
        if role == "schema" and "$ref" not in value:
            _report(files, value, file, findings)


def _report(files: ContractFiles, schema: Map, file: File, findings: Findings) -> None:
    discriminator = schema.get("discriminator")
    name = discriminator.get("propertyName") if isinstance(discriminator, Map) else None
    if not isinstance(name, str):
        return
    for word in CHOICES:
        alternatives = schema.get(word)
        if not isinstance(alternatives, Seq):
            continue
        allowed = [_allowed(files, one, file, name) for one in alternatives]
        if _decides(_named(schema, alternatives), allowed):
            message = f"`discriminator` decided which schema of `{word}` applies, and now only the schemas do; write `const`, or an `enum` of one member, for `{name}` into each"
            findings.discriminator_decides(schema, "discriminator", message)
            return


def _named(schema: Map, alternatives: Seq) -> dict[str, int | None]:
    """Return the alternative that each value of the discriminator names; None where it is not known which."""
    refs = {
        one["$ref"]: index
        for index, one in enumerate(alternatives)
        if isinstance(one, Map) and isinstance(one.get("$ref"), str)
    }
    names = {_name(ref): index for ref, index in refs.items()}
    mapping = mapping_of(schema) if refs else {}
    return {**names, **{value: names.get(target, refs.get(target)) for value, target in mapping.items()}}


def _name(ref: str) -> str:
    """Return the name of the component that the target of a `$ref` is, or becomes."""
    path, _, fragment = ref.partition("#")
    return fragment.rpartition("/")[2] or PurePosixPath(path).stem


def _decides(named: Mapping[str, int | None], allowed: list[set[str] | None]) -> bool:
    """Return True if another alternative than the named one allows a value."""
    counts = Counter(value for values in allowed for value in values or ())
    anything = allowed.count(None)
    for value, index in named.items():
        own = None if index is None else allowed[index]
        is_allowed = index is None or own is None or value in own
        if anything + counts[value] > is_allowed:
            return True
    return False


def _allowed(files: ContractFiles, schema: Any, file: File, name: str) -> set[str] | None:
    """Return the texts that an alternative allows as a property; None if it allows any."""
    found: set[str] | None = None
    for part, home in _parts(files, schema, file):
        if isinstance(kind := part.get("type"), str) and kind != "object":
            return set()
        properties = part.get("properties")
        field = properties.get(name) if isinstance(properties, Map) else None
        parts = [one for one, _ in _parts(files, field, home)]
        if any(one.get("readOnly") or one.get("writeOnly") for one in parts):
            continue  # is not asked in one direction
        for members in map(_members, parts):
            if members is not None:
                found = members if found is None else found & members
    return found


def _members(schema: Map) -> set[str] | None:
    if not isinstance(schema.get("enum"), Seq):
        return None
    return {member for member in enum_members(schema) if isinstance(member, str)}


def _parts(files: ContractFiles, schema: Any, file: File) -> Iterator[tuple[Map, File]]:
    """Yield a schema, or what its `$ref` leads to, and those of its `allOf`."""
    pending, known = [(schema, file)], set[int]()
    while pending and len(known) < _MAX_PARTS:
        one, home = pending.pop()
        if not isinstance(one, Map) or id(one) in known:
            continue
        known.add(id(one))
        if "$ref" in one:
            target = files.follow(one, home)
            pending += [target] if target is not None else []
        else:
            yield one, home
            parts = one.get("allOf")
            pending += [(part, home) for part in parts] if isinstance(parts, Seq) else []
