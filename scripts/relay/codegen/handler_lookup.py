"""Find the handler of each operation in source, by the same rules as the server finds it by import."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from relay.contract.connexion_words import python_path
from relay.contract.model import Contract, Operation
from relay.project.module_source import Assigned, Bound, Function, Imported, Module
from relay.project.package_source import Sources
from relay.project.syntax import code, dotted, has_name, nodes

from .named_handlers import NamedFunction, find_named, names_function

EXPORTS = frozenset(
    "Settings collaborators commands errors identify middleware render_error scope test_environment verifiers".split()
)
"""Names that a package may export besides its operations; these functions are not handlers."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A name that cannot be resolved from source; `module` is where the lookup ended."""

    module: Module
    node: cst.CSTNode | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A function that the contract names by its Python path; it takes what it names, so it is not compared."""


Handler = Function | Unread | Named | None


@dataclass(frozen=True)
class Handlers:
    """The operations of a contract, and the handler of each in a package."""

    contract: Contract
    sources: Sources

    @cached_property
    def by_operation(self) -> dict[str, Handler]:
        """The handler of each operation, by operation id."""
        root, package = self.sources.root, self.sources.package
        return {
            one.id: resolve(self.sources, one.module, one.function)
            or (Named() if names_function(one, self.contract, root, package) else None)
            for one in self.contract.operations
        }

    def of(self, operation: Operation) -> Handler:
        """Return the handler of an operation; None if it has none."""
        return self.by_operation[operation.id]

    def missing(self) -> list[Operation]:
        """Return the operations without a handler whose module can be parsed."""
        return [
            operation
            for operation in self.contract.operations
            if self.of(operation) is None and operation.id not in self.named and not self.is_broken(operation)
        ]

    @cached_property
    def named(self) -> dict[str, NamedFunction]:
        """The functions that the contract names by a Python path, for the operations that have no handler; by operation id."""
        return {
            operation.id: found
            for operation in self.contract.operations
            if not isinstance(self.of(operation), Function | Unread)
            and (found := find_named(self.sources, python_path(operation, self.contract))) is not None
        }

    def is_broken(self, operation: Operation) -> bool:
        """Return True for an operation whose module cannot be parsed."""
        module = self.sources.module(operation.module)
        return module is not None and module.fault is not None

    @cached_property
    def stale(self) -> list[tuple[str, Function]]:
        """The public functions, with their module's name, that serve no operation."""
        handlers = [*self.by_operation.values(), *(one.function for one in self.named.values())]
        serving = {handler.node for handler in handlers if isinstance(handler, Function)}
        exported = {
            found.node for name in EXPORTS if isinstance(found := resolve(self.sources, "", name), Function)
        }
        return [
            (name, function)
            for name, module in self.sources.operation_modules()
            for function in module.functions()
            if not function.name.startswith("_") and function.node not in serving | exported
        ]


def resolve(sources: Sources, module_name: str, name: str) -> Function | Unread | None:
    """Follow a name of a module to its function, through imports and plain assignments in the package."""
    found = lookup(sources, module_name, name)
    if found is None or isinstance(found, Unread):
        return found
    module, bound = found
    if isinstance(bound, Function):
        return bound
    return Unread(module, bound.value if isinstance(bound, Assigned) else None)


def lookup(
    sources: Sources, module_name: str, name: str, seen: tuple[tuple[str, str], ...] = ()
) -> tuple[Module, Bound] | Unread | None:
    """Follow a name to its definition in the package: the module, and what the name is bound to there."""
    module = sources.module(module_name)
    if module is None or module.fault or (module_name, name) in seen:
        return None
    seen = (*seen, (module_name, name))
    bound = module.running.get(name)
    match bound:
        case Imported(source, str(member)):
            inner = below(sources, source)
            return lookup(sources, inner, member, seen) if inner is not None else Unread(module)
        case Assigned(cst.Name(value=other)) if other != name:
            return lookup(sources, module_name, other, seen) or Unread(module, bound.value)
        case None:
            return _elsewhere(sources, module, name, seen)
        case _:
            return module, bound


def _elsewhere(
    sources: Sources, module: Module, name: str, seen: tuple[tuple[str, str], ...]
) -> tuple[Module, Bound] | Unread | None:
    """Follow `from x import *`, a module's `__getattr__`, and names bound in unusual ways."""
    for star in module.stars:
        inner = below(sources, star)
        if inner is not None and not _gives(sources, inner, name):
            continue
        found = lookup(sources, inner, name, seen) if inner is not None else Unread(module)
        if found is not None:
            return found
    is_odd = name not in module.bindings and module.may_bind(name)
    return Unread(module) if "__getattr__" in module.running or is_odd else None


def _gives(sources: Sources, module_name: str, name: str) -> bool:
    """Return True if `from x import *` imports a name from a module that has it."""
    module = sources.module(module_name)
    exported = module.running.get("__all__") if module is not None else None
    if module is None or not isinstance(exported, Assigned):
        return not name.startswith("_")
    if sum(node.value == "__all__" for node in nodes(module.tree, cst.Name)) > 1:
        return True  # other code may extend it
    try:
        names = ast.literal_eval(code(exported.value))
    except (ValueError, SyntaxError):
        return True
    return not isinstance(names, list | tuple) or name in names


def meaning(sources: Sources, module: Module, name: str) -> tuple[Module, Bound] | Unread | None:
    """Follow a dotted name that a module uses to its definition in the package, as `lookup` does."""
    source, _, member = (module.whole_name(name) or f"{module.name}.{name}").rpartition(".")
    inside = below(sources, source)
    return lookup(sources, inside, member) if inside is not None and name else None


def below(sources: Sources, module: str) -> str | None:
    """Return a module's name relative to the package; None for a module of another package."""
    if module == sources.package:
        return ""
    prefix = f"{sources.package}."
    return module.removeprefix(prefix) if module.startswith(prefix) else None


def names_used_elsewhere(sources: Sources, module: Module, names: Iterable[str]) -> set[str]:
    """Return the names that other files of the package, or its tests, use from a module."""
    names = [*names]
    others = [other for other in sources.modules(names) if other is not module]
    return {name for name in names if any(_uses_name(other, module.name, name) for other in others)}


def _uses_name(module: Module, source: str, name: str) -> bool:
    for part in nodes(module.tree, cst.ImportFrom, cst.Attribute):
        match part:
            case cst.ImportFrom(names=cst.ImportStar()) if module.absolute(part) == source:
                return True
            case cst.ImportFrom(names=[*aliases]) if module.absolute(part) == source:
                if any(dotted(alias.name) == name for alias in aliases):
                    return True
            case cst.Attribute(attr=cst.Name(value=found)) if found == name:
                holder = dotted(part.value)
                if {holder, module.whole_name(holder)} & {source, source.rpartition(".")[2]}:
                    return True
    return False


_PLAIN = frozenset(
    """functools.cache functools.lru_cache typing.overload typing.override typing.final typing.no_type_check
    typing_extensions.override contextlib.asynccontextmanager contextlib.contextmanager""".split()
)
"""Decorators after which `inspect.signature` still returns the signature as written."""


def is_plain(sources: Sources, function: Function) -> bool:
    """Return True if a function has the signature in its source, despite its decorators."""
    for decorator in function.node.decorators:
        node = decorator.decorator
        name = dotted(node.func if isinstance(node, cst.Call) else node)
        is_known = function.module.whole_name(name) in _PLAIN
        if not is_known and not _keeps_signature(sources, function.module, name):
            return False
    return True


def _keeps_signature(sources: Sources, module: Module, name: str) -> bool:
    """Return True if a decorator of the package returns its argument, or wraps it with `functools.wraps`."""
    match meaning(sources, module, name):
        case _, Function() as found:
            body = found.node.body
        case _:
            return False
    if has_name(body, "wraps", "update_wrapper"):
        return True
    first = found.arguments[0].name if found.arguments else ""
    returned = [*nodes(body, cst.Return)]
    return bool(returned) and all(one.value is not None and dotted(one.value) == first for one in returned)
