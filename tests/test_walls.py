"""Who may import whom; every module's imports, lazy ones included, are read from its source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for root, folder in ((ROOT, "handlers"), (ROOT / "scripts", "relay"), (ROOT / "scripts", "bench"))
    for path in (root / folder).rglob("*.py")
}


def imports_of(name):
    """The modules that a module imports, absolutely named."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            yield target
            yield from (f"{target}.{alias.name}" for alias in node.names)


def is_within(name, *packages):
    """Whether a module is one of some packages, or below one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def breaches(of, allowed):
    """The imports of the chosen modules that are not allowed."""
    return [
        f"{name} imports {imported}"
        for name in MODULES
        if of(name)
        for imported in imports_of(name)
        if not allowed(imported)
    ]


def is_operation_module(name):
    """Whether a module holds operations: directly in handlers, without an underscore."""
    return name.startswith("handlers.") and name.count(".") == 1 and not name.startswith("handlers._")


def test_handlers_never_import_scripts():
    """The toolbox stands on the service, never the other way round."""
    assert (
        breaches(lambda name: is_within(name, "handlers"), lambda name: not is_within(name, "scripts")) == []
    )


def test_the_host_imports_nothing_else_of_the_service():
    """It serves any contract and any package."""
    assert (
        breaches(
            lambda name: is_within(name, "relay.server"),
            lambda name: not is_within(name, "handlers") or is_within(name, "relay.server"),
        )
        == []
    )


def test_the_store_knows_the_types_and_nothing_else_of_the_service():
    """No host, no HTTP."""
    assert (
        breaches(
            lambda name: is_within(name, "handlers._store"),
            lambda name: (
                not is_within(name, "handlers") or is_within(name, "handlers._store", "handlers._types")
            ),
        )
        == []
    )


def test_operations_know_types_errors_store_and_identity():
    """Never the host, never a driver, never the machine."""
    ours = ("handlers._types", "handlers._errors", "handlers._store", "handlers._identity")
    library = ("__future__", "typing", "collections", "dataclasses", "datetime", "re")

    assert breaches(is_operation_module, lambda name: is_within(name, *ours, *library)) == []


def test_only_the_host_knows_connexion():
    """At arm's length; the benchmark serves it bare, to compare."""
    assert (
        breaches(
            lambda name: not is_within(name, "relay.server.framework", "bench"),
            lambda name: not is_within(name, "connexion"),
        )
        == []
    )


@pytest.mark.parametrize("driver", ["pymongo", "bson", "sqlite3"])
def test_only_the_store_knows_a_driver(driver):
    """Whoever wants data asks the store; what is measured beside us has none."""
    assert (
        breaches(
            lambda name: not is_within(name, "handlers._store", "bench.programs"),
            lambda name: not is_within(name, driver),
        )
        == []
    )


def test_the_walls_see_what_they_should():
    """A wall that reads no import would stand for ever."""
    assert "connexion.resolver" in set(imports_of("relay.server.framework"))
    assert "relay.contract.documents" in set(imports_of("relay.contract.model"))
    assert is_operation_module("handlers.calls")
    assert not is_operation_module("handlers._errors")
