"""Reads the valid parts of a contract that has errors, so that one pass reports everything."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.contract.bundling import Bundle, PointerNotFound, lookup, parse_pointer, references
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Pointer, parse_document, parse_source
from relay.contract.loading import bundle_document, resolved
from relay.contract.model import METHODS, Contract
from relay.contract.schema_limits import check_schemas
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


def read(path: Path, source: bytes | None = None, folder: Path | None = None) -> PartialContract:
    """Read the valid parts of a contract, from `source` if it is given; `folder` is as for `load_contract`.

    Raises SetupError for an unreadable file.
    """
    path = resolved(path)
    try:
        parsed = parse_document(path) if source is None else parse_source(path, source)
        bundle, problems = bundle_document(*parsed, folder)
    except SetupError as exc:
        if any(problem.rule == "unreadable" for problem in exc.problems):
            raise
        return PartialContract(None, {}, list(exc.problems))
    violations = structure_violations(bundle)
    findings = [*problems, *to_diagnostics(bundle, violations)]
    whole = bundle.data
    if any(problem.rule == "limit" for problem in problems):
        return PartialContract(None, whole, findings)
    units = dict(_units(whole))
    bad = _bad_units(bundle, units, [one.pointer for one in violations if not one.is_unknown_field])
    bundle.data = _without(whole, bad, [one.pointer for one in violations if one.is_unknown_field])
    if exceeded := check_schemas(bundle):
        return PartialContract(None, whole, [*findings, *exceeded])
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


def _bad_units(bundle: Bundle, units: Mapping[Unit, Any], invalid: Iterable[Pointer]) -> set[Unit]:
    """Return the units that are invalid or depend on an invalid unit."""
    bad = _units_of(invalid, units)
    dependents: defaultdict[Unit, set[Unit]] = defaultdict(set)
    for unit, value in units.items():
        targets = {_target(ref, bundle.data, units) for _, ref in references(value)}
        if None in targets or unit in bundle.circular:
            bad.add(unit)
        for target in targets:
            dependents[target or ()].add(unit)
    pending = list(bad)
    while pending:
        found = dependents[pending.pop()] - bad
        bad |= found
        pending += found
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


def _units_of(pointers: Iterable[Pointer], units: Iterable[Unit]) -> set[Unit]:
    """Return the units affected by violations: the unit that contains one, or all units below it.

    A violation in the parts that the operations of a path share affects all of them.
    """
    below: defaultdict[Pointer, set[Unit]] = defaultdict(set)
    for unit in units:
        for length in range(1, len(unit) + 1):
            below[unit[:length]].add(unit)
    known = set(units)
    found: set[Unit] = set()
    for pointer in pointers:
        is_shared = len(pointer) > 2 and pointer[0] == "paths" and pointer[2] not in METHODS
        found |= below.get(pointer[:2] if is_shared else pointer[:3], set())
        found |= {pointer[:length] for length in (1, 2, 3)} & known
    return found


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
