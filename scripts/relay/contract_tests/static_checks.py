"""Checks that need no running service: lint, drift, the contract's own examples, and a service's log."""

from dataclasses import replace
from pathlib import Path

from relay.codegen.drift import find_drift
from relay.contract.chosen_names import ChosenNames
from relay.contract.diagnostics import Severity, errors
from relay.contract.model import Contract
from relay.lint import RULES, lint
from relay.lint import example_values as examples
from relay.lint.schema_sites import nodes
from relay.project.files import package_folder

from .results import Failure, Phase
from .secret_spellings import Spellings

_EXAMPLES = frozenset(["invalid-example", "invalid-default"])


def check_lint(path: Path, folder: Path | None = None, names: ChosenNames | None = None) -> Phase:
    """Return the errors that lint finds in a contract that may refer to files within `folder`.

    Warnings are only counted. Examples are a separate part.
    """
    findings = lint(path, folder=folder, names=names)
    part = Phase("lint", "rules", len(RULES))
    part.failures = [Failure.of(one) for one in errors(findings) if one.rule not in _EXAMPLES]
    if warnings := sum(one.severity is Severity.WARNING for one in findings):
        part.notes.append(f"{warnings} warning{'s' * (warnings != 1)}, which `relay lint` shows")
    return part


def check_examples(contract: Contract) -> Phase:
    """Validate every example and default of the contract against its schema: here, too, they have to be right."""
    owners = {
        node.pointer: node.value for node in nodes(contract)
    }  # a media type of components has several nodes
    count = sum(("example" in owner) + len(owner.get("examples") or {}) for owner in owners.values())
    found = (Failure.of(one) for one in examples.check_examples(contract) if one.rule in _EXAMPLES)
    return Phase("examples", "examples", count, [replace(one, severity=Severity.ERROR) for one in found])


def check_drift(path: Path, contract: Contract, package: str | None, root: Path) -> Phase:
    """Return the drift between the contract at `path` and a package, if the package's code is available."""
    part = Phase("drift", "operations")
    if package is None or not package_folder(package, root).is_dir():
        name = f"there is no package '{package}' here" if package else "the service's code is not available"
        part.skip("drift", f"{name}; name its package with --handlers")
        return part
    part.cases = len(contract.operations)
    part.failures = [*map(Failure.of, errors(find_drift(path, contract, package, root)))]
    return part


def check_log(path: Path, contract: Contract, secrets: tuple[str, ...]) -> Phase:
    """Search the service's log for secrets."""
    logged = path.read_bytes()
    part = Phase("log", "lines", logged.count(b"\n"))
    if Spellings(secrets).are_in(logged):
        message = "the service's log contains a secret; find where it is logged and remove it"
        part.failures.append(Failure(contract.place(()), message, "leaked-secret"))
    return part
