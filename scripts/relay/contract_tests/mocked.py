"""What a service answers from the contract alone, so that a person's code is not tested there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from relay.contract.diagnostics import SetupError
from relay.contract.model import Contract
from relay.project.settings import Settings
from relay.server.binding import MissingHandlerPolicy, read_policies
from relay.server.handler_modules import has_any_handler, import_package
from relay.server.named_functions import NamedFunctions
from relay.server.security import JWT_TYPES, scheme_type, schemes_in_use

MOCK = "the mock has no data and no callers; write the handler"
"""The reason for a case that a mock cannot pass."""

UNMOCKABLE = (
    "the mock finds no response that conforms to the contract; correct its schema, or write the handler"
)
"""The reason for a case of an operation whose mock answers 501."""


@dataclass(frozen=True, slots=True)
class Mocked:
    """The operations that a mock answers, and the security schemes of which any credential is accepted.

    `is_alone` is True for a service without a package, which knows no callers.
    """

    operations: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset()
    is_alone: bool = False


NOTHING_MOCKED = Mocked()


def is_served_alone(contract: Contract, settings: Settings, package: str, folder: Path) -> bool:
    """Return True if `relay serve` uses no package: none is configured, and the one here has no handler of the contract.

    The contract names no module of the project's `folder` either.
    """
    if "handlers" in settings.model_fields_set or package != settings.handlers:
        return False
    if NamedFunctions(folder, package).has_any_module(contract):
        return False
    try:
        has_handler = has_any_handler(contract, import_package(package))
    except SetupError:
        return False
    return not has_handler and read_policies(settings.missing, contract).cover(contract)


def find_mocked(contract: Contract, settings: Settings, unwritten: Collection[str] | None) -> Mocked:
    """Return what is mocked; `unwritten` are the operations without a handler, None without a package."""
    policies = read_policies(settings.missing, contract)
    operations = frozenset(
        operation.id
        for operation in contract.operations
        if policies.of(operation) is MissingHandlerPolicy.MOCK
        and (unwritten is None or operation.id in unwritten)
    )
    if unwritten is not None:
        return Mocked(operations)
    schemes = contract.security_schemes
    unverified = {name for name in schemes_in_use(contract) if scheme_type(schemes[name]) not in JWT_TYPES}
    return Mocked(operations, frozenset(unverified), is_alone=True)
