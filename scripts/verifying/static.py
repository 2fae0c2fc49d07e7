"""What needs no service: lint, drift, and the contract's own examples."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from handlers._host.contract import Contract, load_contract
from scripts.drift import find_drift
from scripts.files import package_folder
from scripts.findings import Finding, Severity
from scripts.linting import lint
from scripts.linting.nodes import nodes

from .results import Failure, NotRun, Part

_EXAMPLES = frozenset(["invalid-example", "invalid-default"])


def check_contract(path: Path, contract: Contract) -> list[Part]:
    """Return what lint finds, its verdict on the examples apart; warnings are only counted."""
    findings = lint(path)
    rules = Part("lint", "operations", len(contract.operations))
    rules.failures = _errors(one for one in findings if one.rule not in _EXAMPLES)
    if warnings := sum(one.severity is Severity.WARNING for one in findings):
        rules.notes.append(f"{warnings} warning{'s' * (warnings != 1)}, which `relay lint` tells")
    examples = Part("examples", "examples", _count_examples(contract))
    examples.failures = _errors(one for one in findings if one.rule in _EXAMPLES)
    return [rules, examples]


def check_drift(path: Path, package: str | None) -> Part:
    """Return what drift finds; nothing is run where the code is not at hand."""
    part = Part("drift", "operations")
    if package is None or not package_folder(package).is_dir():
        name = f"there is no package '{package}' here" if package else "the service's code is not at hand"
        part.not_run.append(NotRun("drift", f"{name}; name its package with --handlers"))
        return part
    contract = load_contract(path)
    part.cases = len(contract.operations)
    part.failures = _errors(find_drift(path, contract, package))
    return part


def _errors(findings: Iterable[Finding]) -> list[Failure]:
    return [Failure(one) for one in findings if one.severity is Severity.ERROR]


def _count_examples(contract: Contract) -> int:
    return sum(("example" in node.value) + len(node.value.get("examples") or {}) for node in nodes(contract))
