"""Which modules may import which; the imports of each, lazy ones included, are read from its source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for root, folder in ((ROOT, "handlers"), (ROOT / "scripts", "relay"), (ROOT / "scripts", "bench"))
    for path in (root / folder).rglob("*.py")
}

LAYERS = "contract validation mock project server lint diff codegen importer upgrade contract_tests init cli".split()
"""The packages of relay, from the lowest to the highest."""

VERSION = "relay._version"
PUBLIC = ("relay.testing", "relay.documents")
"""Modules that a service may import in addition to `relay` itself."""
ABOVE = ("relay", "relay.__main__", *PUBLIC)
"""The modules that may import every layer."""


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
    """Return True if a module is one of some packages, or below one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def assert_imports(of, allowed):
    """Assert that the chosen modules import only what is allowed."""
    imports = [(name, imported) for name in MODULES if of(name) for imported in imports_of(name)]

    assert [f"{name} imports {imported}" for name, imported in imports if not allowed(imported)] == []


def is_operation_module(name):
    """Return True for a module of operations: directly in handlers, without an underscore."""
    return name.startswith("handlers.") and name.count(".") == 1 and not name.startswith("handlers._")


def modules_of_relay(name):
    """The modules of relay that a module imports; the package is none where one of its modules is meant."""
    return {one for one in imports_of(name) if one in MODULES and is_within(one, "relay")}


def circles(graph):
    """The nodes that can be reached from themselves."""

    def reached(start):
        found, pending = set(), [*graph[start]]
        while pending:
            one = pending.pop()
            if one not in found:
                found.add(one)
                pending += graph[one]
        return found

    return [name for name in graph if name in reached(name)]


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_what_stands_below(layer):
    """Each layer of relay knows itself and the layers before it in the list."""
    below = [f"relay.{name}" for name in LAYERS[: LAYERS.index(layer) + 1]]

    assert_imports(
        lambda name: is_within(name, f"relay.{layer}"),
        lambda name: not is_within(name, "relay") or is_within(name, VERSION, *below),
    )


def test_every_module_of_relay_has_a_place():
    """In a layer, or above all of them; the version is below."""
    layers = [f"relay.{name}" for name in LAYERS]
    found = {name for name in MODULES if is_within(name, "relay") and not is_within(name, *layers)}

    assert found <= {VERSION, *ABOVE}


@pytest.mark.slow
def test_no_modules_of_relay_import_each_other():
    """Neither two of them nor more in a circle, lazily or not; `relay` itself only collects names."""
    graph = {name: modules_of_relay(name) - {"relay"} for name in MODULES if is_within(name, "relay")}

    assert circles(graph) == []


@pytest.mark.slow
def test_relay_never_imports_our_service_nor_the_benchmark():
    """It serves any contract and any package."""
    assert_imports(
        lambda name: is_within(name, "relay"), lambda name: not is_within(name, "handlers", "bench")
    )


def test_our_service_knows_the_public_modules_of_relay():
    """As a service of any other repository would."""
    private = {name for name in MODULES if is_within(name, "relay")} - {"relay", *PUBLIC}

    assert_imports(
        lambda name: is_within(name, "handlers"),
        lambda name: name not in private and not is_within(name, "bench"),
    )


def test_the_store_knows_the_types_and_nothing_else_of_the_service():
    """Neither relay nor HTTP."""
    ours = ("handlers._store", "handlers._types")

    assert_imports(
        lambda name: is_within(name, "handlers._store"),
        lambda name: not is_within(name, "handlers", "relay") or is_within(name, *ours),
    )


def test_operations_know_types_errors_store_and_identity():
    """Never relay, a driver or the operating system."""
    ours = ("handlers._types", "handlers._errors", "handlers._store", "handlers._identity")
    library = ("__future__", "typing", "collections", "dataclasses", "datetime", "re")

    assert_imports(is_operation_module, lambda name: is_within(name, *ours, *library))


@pytest.mark.slow
def test_only_the_framework_module_knows_connexion():
    """The benchmark serves Connexion without relay, to compare."""
    assert_imports(
        lambda name: not is_within(name, "relay.server.framework", "bench"),
        lambda name: not is_within(name, "connexion"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["pymongo", "bson", "sqlite3"])
def test_only_the_store_knows_a_driver(driver):
    """Other modules ask the store for data; programs that the benchmark compares with have none."""
    assert_imports(
        lambda name: not is_within(name, "handlers._store", "bench.programs"),
        lambda name: not is_within(name, driver),
    )


def test_the_walls_see_what_they_should():
    """A wall that reads no import would never fail."""
    assert "connexion.resolver" in set(imports_of("relay.server.framework"))
    assert "relay.contract.documents" in set(imports_of("relay.contract.model"))
    assert is_operation_module("handlers.calls")
    assert not is_operation_module("handlers._errors")
    assert "relay.server.app" in modules_of_relay("relay.server.application")
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert all(f"relay.{layer}" in MODULES for layer in LAYERS)
