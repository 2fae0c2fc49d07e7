"""OpenAPI 3.0 → 3.1: discriminators, which decide between alternatives in 3.0 and only explain from 3.1 on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from relay.contract.discriminators import mapping_of
from relay.contract.schema_words import CHOICES
from relay.validation.translation import enum_members

from .contract_files import ContractFiles, File
from .findings import Findings
from .tree import Map, Seq
from .visits import Visit


def report_discriminators(files: ContractFiles, found: list[Visit], findings: Findings) -> None:
    """Report the discriminators without which other values are valid; before the schemas are rewritten."""
    for role, value, file in found:
        discriminator = value.get("discriminator") if role == "schema" and "$ref" not in value else None
        name = discriminator.get("propertyName") if isinstance(discriminator, Map) else None
        for word in CHOICES:
            alternatives = value.get(word)
            if not isinstance(alternatives, Seq) or not isinstance(name, str):
                continue
            allowed = [_allowed(files, one, file, name) for one in alternatives]
            if _decides(_named(value, alternatives), allowed):
                message = f"`discriminator` decided which schema of `{word}` applies, and now only the schemas do; write `const`, or an `enum` of one member, for `{name}` into each"
                findings.report("discriminator-decides", value, "discriminator", message)
                break


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
    for part, home in files.parts(schema, file, all_of):
        if isinstance(kind := part.get("type"), str) and kind != "object":
            return set()
        properties = part.get("properties")
        field = properties.get(name) if isinstance(properties, Map) else None
        parts = [one for one, _ in files.parts(field, home, all_of)]
        if any(one.get("readOnly") or one.get("writeOnly") for one in parts):
            continue  # is not asked in one direction
        for one in parts:
            if isinstance(one.get("enum"), Seq):
                members = {member for member in enum_members(one) if isinstance(member, str)}
                found = members if found is None else found & members
    return found


def all_of(schema: Map) -> Seq:
    """Return the schemas of the `allOf` of a schema."""
    parts = schema.get("allOf")
    return parts if isinstance(parts, Seq) else Seq()
