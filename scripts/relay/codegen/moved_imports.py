"""The imports that a function needs in another module: those of its own module, and names of that module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from relay.project.module_source import Module
from relay.project.syntax import dotted, named, statements

from .import_aliases import aliases_of, bound_name

Line = cst.SimpleStatementLine


def import_lines(module: Module, name: str) -> list[Line]:
    """Return the imports that bind a name, with absolute modules; none if it is bound in several ways."""
    found: list[Line] = []
    for statement in statements(module.tree.body):
        match statement:
            case cst.Import(names=aliases):
                found += [_line(cst.Import([_alone(one)])) for one in aliases if _binds(one, name)]
            case cst.ImportFrom():
                source = module.absolute(statement)
                found += [_from(source, one) for one in aliases_of(statement) if bound_name(one) == name]
    is_plain = all(isinstance(line.body[0], cst.Import) for line in found)
    return found if is_plain or len(found) == 1 else []


def needed_lines(module: Module, names: Iterable[str], target: Module) -> Iterator[tuple[Line, bool]]:
    """Yield the imports of names for another module, and whether they are for type checkers only.

    Names that the other module has are left out: they mean the same there.
    """
    for name in sorted(names):
        if name not in module.names or name in target.names:
            continue
        lines = import_lines(module, name) or [_from(module.name, cst.ImportAlias(cst.Name(name)))]
        is_checked_only = name in module.bindings and name not in module.running
        yield from ((line, is_checked_only) for line in lines)


def _binds(alias: cst.ImportAlias, name: str) -> bool:
    bound = bound_name(alias)
    return (bound if alias.asname else bound.partition(".")[0]) == name


def _alone(alias: cst.ImportAlias) -> cst.ImportAlias:
    return alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)


def _from(source: str, alias: cst.ImportAlias) -> Line:
    return _line(cst.ImportFrom(named(source), [_alone(alias)]))


def _line(statement: cst.Import | cst.ImportFrom) -> Line:
    return cst.SimpleStatementLine([statement])


def is_from(statement: cst.CSTNode, module: Module, source: str, name: str) -> bool:
    """Whether a statement imports a name from a module."""
    return (
        isinstance(statement, cst.ImportFrom)
        and module.absolute(statement) == source
        and any(dotted(alias.name) == name for alias in aliases_of(statement))
    )
