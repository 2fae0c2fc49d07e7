"""Move functions to another module: with their decorators and comments, the imports they need, and all uses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import libcst as cst

from relay.contract.diagnostics import Diagnostic
from relay.project.module_source import Module
from relay.project.syntax import named

from .formatting import Ruff
from .import_edit import imports_for, with_imports
from .moves import Move, Moves
from .named_handlers import connexion_names
from .package_state import State
from .renames import old_names, with_names
from .stubs import new_module


def moved(state: State, layout: Ruff, moves: Moves, group: Sequence[Move]) -> dict[Path, bytes]:
    """Return the files that change if some functions of one module move to another one, under their old names."""
    source = group[0].module
    moving = {move.function.node for move in group}
    arguments = {
        f"{source.name}.{move.function.name}.<locals>.{old}": new
        for move in group
        for old, new in connexion_names(
            move.operation, state.contract, [argument.name for argument in move.function.arguments]
        ).items()
    }
    renamed = with_names(source, arguments)
    pairs = [*zip(source.tree.body, renamed.body, strict=True)]
    nodes = [node for old, node in pairs if old in moving]
    rest = renamed.with_changes(body=[node for old, node in pairs if old not in moving])
    target = state.sources.module(group[0].operation.module)
    if target is source:
        return {source.path: renamed.bytes}
    if target is None:
        operation = group[0].operation
        name = f"{state.sources.package}.{operation.module}"
        target = Module(state.sources.path(operation.module), new_module(operation.tag).encode(), name)
    needed = {name for move in group for name in moves.needs(move)}
    before = target.tree.code
    code = with_imports(target, before, imports_for(target, source, needed), state.sources.package)
    code = _joined(target.tree, layout.with_sorted_imports(code, before), nodes)
    changes = {source.path: rest.bytes, target.path: code.encode(target.tree.encoding)}
    return changes | _updated(state, group, target)


def _joined(tree: cst.Module, code: str, nodes: Sequence[cst.CSTNode]) -> str:
    """Return a module's code with functions at its end; each keeps the comments above it."""
    newline = tree.default_newline
    codes = [cst.Module([], default_newline=newline).code_for_node(node).strip("\r\n") for node in nodes]
    return (newline * 3).join([code.rstrip("\r\n"), *codes]) + newline


def _updated(state: State, group: Sequence[Move], target: Module) -> dict[Path, bytes]:
    source, names = group[0].module, {move.function.name for move in group}
    changes: dict[Path, bytes] = {}
    for module in state.sources.modules(names):
        if module is source or module.path == target.path or module.fault is not None:
            continue
        tree = module.tree.visit(_ImportMover(module, source.name, names, target.name))
        if tree.bytes != module.source:
            changes[module.path] = tree.bytes
    return changes


class _ImportMover(cst.CSTTransformer):
    def __init__(self, module: Module, source: str, names: Collection[str], target: str) -> None:
        super().__init__()
        self._module = module
        self._source = source
        self._names = names
        self._target = target

    def leave_SimpleStatementLine(  # noqa: N802 -- libcst's name
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        statement = original_node.body[0]
        if not isinstance(statement, cst.ImportFrom) or isinstance(statement.names, cst.ImportStar):
            return updated_node
        moving, staying = (
            [
                alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)
                for alias in statement.names
                if (alias.evaluated_name in self._names) is is_moving
            ]
            for is_moving in (True, False)
        )
        if not moving or self._module.absolute(statement) != self._source:
            return updated_node
        new = statement.with_changes(
            module=named(self._target), relative=[], names=moving, lpar=None, rpar=None
        )
        if not staying:
            return updated_node.with_changes(body=[new, *updated_node.body[1:]])
        old = statement.with_changes(names=staying, lpar=None, rpar=None)
        return cst.FlattenSentinel(
            [updated_node.with_changes(body=[old, *updated_node.body[1:]]), cst.SimpleStatementLine([new])]
        )


def old_paths(state: State, paths: Collection[str]) -> Iterator[Diagnostic]:
    """Yield where files may still mean a function by its old path: in strings, and where they cannot be parsed."""
    for module in state.sources.modules(path.rpartition(".")[2] for path in paths):
        for path in paths:
            *parents, name = path.split(".")
            meant = rf"[\"']*({'[.:]'.join(parents)}[.:])?{name}[\"']*"
            unread = f"so a use of {path} was not updated in it: use its new module and name"
            message = f"a string may mean {path} by its old name: if it does, write the new one"
            yield from old_names(module, [parents[-1], name], meant, unread, message)
