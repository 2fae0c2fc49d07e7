"""What of a contract can be read though something else in it is broken, so that one pass tells it all."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator

from relay.contract.bundling import PointerNotFound, lookup, parse_pointer, references
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Pointer, parse_document
from relay.contract.loading import bundle_document
from relay.contract.model import METHODS, Contract
from relay.contract.structure import structure_violations, to_diagnostics

from .lint_rules import finding

Unit = Pointer
"""What is read or left out as a whole: an operation, a component, or a section of the document."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A contract read as far as it goes: its sound part, the whole document, and what is wrong with it."""

    contract: Contract | None
    bundle_data: dict[str, Any]
    findings: list[Diagnostic]


def read(path: Path) -> Reading:
    """Read a contract; SetupError for a file that cannot be read at all."""
    try:
        bundle, problems = bundle_document(*parse_document(path.resolve()))
    except SetupError as exc:
        if any(problem.rule == "unreadable" for problem in exc.problems):
            raise
        return Reading(None, {}, list(exc.problems))
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
            message = f"{what} is not checked any further before the errors in it are mended"
            findings.append(finding(contract, "not-checked", (section, *names), message))
    return Reading(contract, whole, findings)


def second_opinion(contract: Contract) -> Iterator[Diagnostic]:
    """Ask openapi-spec-validator, too, about a contract in which nothing else is wrong."""
    for error in OpenAPIV30SpecValidator(contract.document).iter_errors():
        pointer = tuple(str(token) for token in error.absolute_path)
        yield finding(contract, "structure", pointer, error.message)


def _bad_units(document: Any, units: Mapping[Unit, Any], broken: Iterable[Pointer]) -> set[Unit]:
    """Return the units that are broken, or need one that is."""
    bad = {unit for pointer in broken for unit in _units_of(pointer, units)}
    needs: dict[Unit, set[Unit]] = {}
    for unit, value in units.items():
        needed = {_target(ref, document, units) for _, ref in references(value)}
        if None in needed or _is_circle(value, document):
            bad.add(unit)
        needs[unit] = {one for one in needed if one is not None}
    while spread := {unit for unit in units.keys() - bad if needs[unit] & bad}:
        bad |= spread
    return bad


def _units(document: Mapping[str, Any]) -> Iterator[tuple[Unit, Any]]:
    for section, value in document.items():
        if section not in ("paths", "components") or not isinstance(value, dict):
            yield (section,), value
            continue
        for name, held in value.items():
            if isinstance(held, dict):
                parts = (
                    _operations(held)
                    if section == "paths"
                    else (((key,), part) for key, part in held.items())
                )
                yield from (((section, name, *key), part) for key, part in parts)


def _operations(item: dict[str, Any]) -> Iterator[tuple[Unit, Any]]:
    """Yield the operations of a path, each with what they share; the item itself where it is a `$ref`."""
    if "$ref" in item:
        yield (), item
        return
    shared = {key: part for key, part in item.items() if key not in METHODS}
    yield from (((method,), [shared, item[method]]) for method in METHODS if method in item)


def _units_of(pointer: Pointer, units: Iterable[Unit]) -> list[Unit]:
    """Return what is broken by a breach: the unit around it, or all units below it."""
    return [
        unit for unit in units if unit[: len(pointer)] == pointer[: len(unit)] or _is_shared(pointer, unit)
    ]


def _is_shared(pointer: Pointer, unit: Unit) -> bool:
    """Whether a breach stands in what the operations of one path share."""
    return (
        pointer[0] == "paths" and len(pointer) > 2 and pointer[:2] == unit[:2] and pointer[2] not in METHODS
    )


def _target(ref: str, document: Any, units: Mapping[Unit, Any]) -> Unit | None:
    """Return the unit that a local `$ref` leads into; None where it leads nowhere."""
    if not ref.startswith("#"):
        return None
    pointer = parse_pointer(ref[1:])
    try:
        lookup(document, pointer)
    except PointerNotFound:
        return None
    return next((pointer[:length] for length in (3, 2) if pointer[:length] in units), pointer[:1])


def _is_circle(value: Any, document: Any) -> bool:
    """Whether a value is a `$ref` that leads back to itself."""
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


def _without(document: dict[str, Any], bad: set[Unit], superfluous: list[Pointer]) -> dict[str, Any]:
    """Copy a document without some units and values; what every contract has is put in where it is missing."""
    if superfluous:
        document = copy.deepcopy(document)
        for *within, name in superfluous:
            lookup(document, tuple(within)).pop(name, None)
    kept: dict[str, Any] = {"info": {"title": "", "version": ""}, "paths": {}}
    for section, value in document.items():
        if (section,) in bad:
            continue
        if section in ("paths", "components") and isinstance(value, dict):
            held = {
                name: {
                    key: part
                    for key, part in parts.items()
                    if (section, name, key) not in bad and (section == "paths" or isinstance(part, dict))
                }
                for name, parts in value.items()
                if isinstance(parts, dict) and (section, name) not in bad
            }
            if section == "paths":
                held = {name: item for name, item in held.items() if item.keys() & {*METHODS, "$ref"}}
            kept[section] = held
        else:
            kept[section] = value
    return kept
