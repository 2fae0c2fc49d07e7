"""The contract and the handlers package under test: what the package exports, mocks, verifies and leaves unwritten."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pydantic import SecretStr

from relay.contract.diagnostics import SetupError
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.project.import_path import make_importable
from relay.project.project import Project
from relay.project.settings import Chosen, Settings, token_keys
from relay.server.binding import MissingHandlerPolicy, is_stub, read_policies
from relay.server.handler_modules import NamedFunctions, find_function, has_any_handler, import_package
from relay.server.package_hooks import PackageHooks
from relay.server.security import schemes_in_use, token_schemes
from relay.server.token_minting import with_development_key

from .service_under_test import ContractSettings, Mocked


def hooks_of(target: Chosen) -> PackageHooks | None:
    """Return the names that the package exports; None where it cannot be imported."""
    make_importable(target.handlers, target.project.folder)
    try:
        return PackageHooks.of(import_package(target.handlers))
    except SetupError:
        return None


def verified_schemes(target: Chosen, contract: Contract, settings: ContractSettings) -> frozenset[str]:
    """Return the security schemes that functions verify: those of the package, and those that the contract names."""
    folder, has_key = target.project.folder, bool(token_keys(settings))
    make_importable(target.handlers, folder)
    return frozenset(PackageHooks.of_project(contract, target.handlers, folder, has_key=has_key).verified)


def is_served_alone(target: Chosen, contract: Contract) -> bool:
    """Return True if `relay serve` uses no package: none is configured, and the one here has no handler of the contract.

    The contract names no module of the project's folder either.
    """
    settings, package = ContractSettings.load(), target.handlers
    if "handlers" in settings.model_fields_set or package != settings.handlers:
        return False
    if NamedFunctions(target.project.folder, package).has_any_module(contract):
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
    unverified = frozenset(schemes_in_use(contract)) - token_schemes(contract)
    return Mocked(operations, unverified, is_alone=True)


def unwritten_handlers(contract: Contract, package_name: str, root: Path | None = None) -> dict[str, str]:
    """Return the operations whose handler is a stub or missing: operation id → `handlers/books.py:list_books`.

    A package that cannot be imported has none: its errors are reported elsewhere. `root` is the project's folder,
    whose functions the contract may name.
    """
    named = NamedFunctions(root, package_name)
    try:
        package = import_package(package_name)
    except SetupError:
        if not named.has_any_module(contract):
            return {}
        package = ModuleType(package_name)
    try:
        return {
            operation.id: f"{display(_file(package, operation))}:{operation.function}"
            for operation in contract.operations
            if (function := find_function(operation, contract, package) or named.of(operation, contract))
            is None
            or is_stub(function)
        }
    except SetupError:
        return {}


def _file(package: ModuleType, operation: Operation) -> Path:
    folder = next(iter(getattr(package, "__path__", [package.__name__])))
    return Path(folder, operation.module).with_suffix(".py")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The settings with the key that signs tokens.

    `fresh` is a secret that the service has to get. `by_function` are the schemes whose tokens functions verify, and
    that this key does not sign.
    """

    settings: ContractSettings
    fresh: str | None = None
    by_function: frozenset[str] = frozenset()


def signing_key(
    contract: Contract, settings: ContractSettings, verified: Collection[str], project: Project
) -> SigningKey:
    """Return the key for a service in whose schemes of tokens those in `verified` have a function.

    A key of the settings signs for all schemes. Without one, a service whose tokens no function verifies gets a fresh
    secret. It would replace the functions that the contract names, so a service that has both uses the project's
    development key, as `relay serve` does.
    """
    schemes = token_schemes(contract)
    by_function = schemes & {*verified}
    if token_keys(settings) or not schemes:
        return SigningKey(settings)
    if not by_function:
        fresh = secrets.token_urlsafe(48)
        return SigningKey(settings.model_copy(update={"jwt_secret": SecretStr(fresh)}), fresh)
    if schemes - by_function:
        return SigningKey(with_development_key(project, settings), None, by_function)
    return SigningKey(settings, None, frozenset() if settings.jwt_private_key else by_function)
