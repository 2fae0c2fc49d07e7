"""The functions that verify credentials, found without compiling the service."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from relay.contract.diagnostics import SetupError
from relay.contract.model import Contract

from .handler_modules import has_any_handler, import_package
from .info_functions import info_functions
from .named_functions import NamedFunctions
from .package_hooks import PackageHooks
from .threads import Function


def verifying_functions(
    contract: Contract, package: str, folder: Path, *, has_key: bool
) -> dict[str, Function]:
    """Return the functions that verify credentials, by security scheme: the package's, and those that the contract names.

    A key verifies all tokens that the package does not verify. What cannot be imported has none.
    """
    hooks = PackageHooks.of(_imported(package))
    named = NamedFunctions(folder, package)
    hooks.named_verifiers, _ = info_functions(contract, hooks.verifiers, named, has_key=has_key)
    return hooks.verifying_functions


def has_functions(contract: Contract, package: str, folder: Path) -> bool:
    """Return True if the project has a function for an operation; without one, the contract is served alone."""
    if NamedFunctions(folder, package).has_any_module(contract):
        return True
    try:
        return has_any_handler(contract, _imported(package))
    except SetupError:
        return False


def _imported(package: str) -> ModuleType:
    try:
        return import_package(package)
    except SetupError:
        return ModuleType(package)
