"""Reads the valid parts of a contract that has errors, so that one pass reports everything."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator

from relay.contract.bundling import PointerNotFound, lookup, parse_pointer, references
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Pointer, parse_document, parse_source
from relay.contract.loading import bundle_document
from relay.contract.model import METHODS, Contract
from relay.contract.structure import structure_violations, to_diagnostics

from .lint_rules import finding

Unit = Pointer
"""A part that is read or skipped as a whole: an operation, a component, or a section of the document."""


@dataclass(frozen=True, slots=True)
class PartialContract:
    """The valid part of a contract (None if there is none), the whole bundled document, and the errors."""

    contract: Contract | None
    bundle_data: dict[str, Any]
    findings: list[Diagnostic]


def read(path: Path, source: bytes | None = None) -> PartialContract:
    """Read the valid parts of a contract, from `source` if it is given. Raises SetupError for an unreadable file."""
    path = path.resolve()
    try:
        parsed = parse_document(path) if source is None else parse_source(path, source)
        bundle, problems = bundle_document(*parsed)
    except SetupError as exc:
        if any(problem.rule == "unreadable" for problem in exc.problems):
            raise
        return PartialContract(None, {}, list(exc.problems))
    violations = structure_violations(bundle)
    findings = [*problems, *to_diagnostics(bundle, violations)]
    whole = bundle.data
    units = dict(_units(whole))
    bad = _bad_units(whole, units, [one.pointer for one in violations if not one.is_unknown_field])
    bundle.data = _without(whole, bad, [one.pointer for one in violations if one.is_unknown_field])
    try:
        contract = Contract(bundle, None)
    except SetupError as exc:
        findings += list(exc.problems)
        bundle.data = {**bundle.data, "servers": []}
        contract = Contract(bundle, None)
    for section, *names in bad:
        if section == "paths" and names:
            what = " ".join([*map(str.upper, names[1:]), names[0]])
            message = f"{what} is not checked further; fix its errors first"
            findings.append(finding(contract, "not-checked", (section, *names), message))
    return PartialContract(contract, whole, findings)


def check_with_validator(contract: Contract) -> Iterator[Diagnostic]:
    """Run openapi-spec-validator on a contract without other errors, and yield what it finds."""
    for error in OpenAPIV30SpecValidator(contract.document).iter_errors():
        pointer = tuple(str(token) for token in error.absolute_path)
        yield finding(contract, "structure", pointer, error.message)


def _bad_units(document: Any, units: Mapping[Unit, Any], invalid: Iterable[Pointer]) -> set[Unit]:
    """Return the units that are invalid or depend on an invalid unit."""
    bad = {unit for pointer in invalid for unit in _units_of(pointer, units)}
    dependencies: dict[Unit, set[Unit]] = {}
    for unit, value in units.items():
        targets = {_target(ref, document, units) for _, ref in references(value)}
        if None in targets or _is_circular(value, document):
            bad.add(unit)
        dependencies[unit] = {one for one in targets if one is not None}
    while dependent := {unit for unit in units.keys() - bad if dependencies[unit] & bad}:
        bad |= dependent
    return bad


def _units(document: Mapping[str, Any]) -> Iterator[tuple[Unit, Any]]:
    for section, value in document.items():
        if section not in ("paths", "components") or not isinstance(value, dict):
            yield (section,), value
            continue
        for name, item in value.items():
            if isinstance(item, dict):
                parts = (
                    _operations(item)
                    if section == "paths"
                    else (((key,), part) for key, part in item.items())
                )
                yield from (((section, name, *key), part) for key, part in parts)


def _operations(item: dict[str, Any]) -> Iterator[tuple[Unit, Any]]:
    """Yield the operations of a path item, each with the shared parts; the item itself if it is a `$ref`."""
    if "$ref" in item:
        yield (), item
        return
    shared = {key: part for key, part in item.items() if key not in METHODS}
    yield from (((method,), [shared, item[method]]) for method in METHODS if method in item)


def _units_of(pointer: Pointer, units: Iterable[Unit]) -> list[Unit]:
    """Return the units affected by a violation: the unit that contains it, or all units below it."""
    return [
        unit for unit in units if unit[: len(pointer)] == pointer[: len(unit)] or _is_shared(pointer, unit)
    ]


def _is_shared(pointer: Pointer, unit: Unit) -> bool:
    """Return True if a violation is in the parts that the operations of the unit's path share."""
    return (
        pointer[0] == "paths" and len(pointer) > 2 and pointer[:2] == unit[:2] and pointer[2] not in METHODS
    )


def _target(ref: str, document: Any, units: Mapping[Unit, Any]) -> Unit | None:
    """Return the unit that contains the target of a local `$ref`; None if the target does not exist."""
    if not ref.startswith("#"):
        return None
    pointer = parse_pointer(ref[1:])
    try:
        lookup(document, pointer)
    except PointerNotFound:
        return None
    return next((pointer[:length] for length in (3, 2) if pointer[:length] in units), pointer[:1])


def _is_circular(value: Any, document: Any) -> bool:
    """Return True if a value is a circular `$ref`."""
    seen = []
    while isinstance(value, dict) and isinstance(ref := value.get("$ref"), str):
        if ref in seen:
            return True
        seen.append(ref)
        try:
            value = lookup(document, parse_pointer(ref[1:]))
        except PointerNotFound:
            return False
    return False


def _without(document: dict[str, Any], bad: set[Unit], unknown: list[Pointer]) -> dict[str, Any]:
    """Copy a document without bad units and unknown fields; add the required sections if they are missing."""
    if unknown:
        document = copy.deepcopy(document)
        for *within, name in unknown:
            lookup(document, tuple(within)).pop(name, None)
    kept: dict[str, Any] = {"info": {"title": "", "version": ""}, "paths": {}}
    for section, value in document.items():
        if (section,) in bad:
            continue
        if section in ("paths", "components") and isinstance(value, dict):
            items = {
                name: {
                    key: part
                    for key, part in parts.items()
                    if (section, name, key) not in bad and (section == "paths" or isinstance(part, dict))
                }
                for name, parts in value.items()
                if isinstance(parts, dict) and (section, name) not in bad
            }
            if section == "paths":
                items = {name: item for name, item in items.items() if item.keys() & {*METHODS, "$ref"}}
            kept[section] = items
        else:
            kept[section] = value
    return kept
