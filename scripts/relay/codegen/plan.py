"""Plan a whole run: compute all changes that make the package match its contract, without writing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import libcst as cst

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.contract.model import Operation
from relay.project.module_source import Function, Module, raised_recursion_limit
from relay.project.package_source import TYPES
from relay.project.syntax import nodes

from .annotation_reader import meanings
from .annotations import Type
from .drift import check, comparisons
from .expected_signature import Difference
from .formatting import Ruff
from .handler_lookup import names_used_elsewhere
from .import_edit import local_names, missing_imports, with_imports, without_imports
from .missing_hooks import hook_actions, missing_hooks
from .move_edit import moved, old_paths
from .moves import Moves
from .package_state import State
from .renames import Renames, mentions, renamed
from .signature_edit import header, is_fixable, with_fixes, with_header
from .stubs import Annotated, new_module, stub
from .types_module import first_difference


@dataclass(slots=True)
class Plan:
    """The files to write, one line on each action, and the findings that a person has to resolve."""

    changes: dict[Path, bytes] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    remaining: list[Diagnostic] = field(default_factory=list)


@raised_recursion_limit()
def plan(state: State, layout: Ruff, renames: Renames | None = None, *, moves: bool = False) -> Plan:
    """Plan a run; `renames` are those that the user requested.

    With `moves`, functions that the contract names by Python paths move to the modules of their tags.
    """
    found = Plan()
    state = _rename(state, renames or {}, found)
    applied_renames = state.applied_renames
    state = _make_package(state, layout, found)
    left: list[Diagnostic] = []
    if moves:
        state, left = _move(state, layout, found)
    state = _fix_signatures(state, layout, found)
    state = _add_stubs(state, layout, found)
    state = _write_types(state, found)
    found.remaining = [*check(state), *mentions(state.sources, applied_renames), *left]
    return found


def _move(state: State, layout: Ruff, found: Plan) -> tuple[State, list[Diagnostic]]:
    done: list[str] = []
    moves = Moves(state)
    while moves.possible:
        group = moves.together(next(iter(moves.possible.values())))
        target = group[0].operation.module
        state = _after(state, found, moved(state, layout, moves, group))
        names = {(target, one.function.name): one.operation.function for one in group}
        names = {key: new for key, new in names.items() if key[1] != new}
        state = _after(state, found, renamed(state.sources, names))
        for move in group:
            where = display(state.sources.path(target))
            found.actions.append(f"moved {move.path} to {move.operation.function} in {where}")
            done.append(move.path)
        moves = Moves(state)
    return state, [*moves.refused.values(), *old_paths(state, done)]


def _after(state: State, found: Plan, changes: Mapping[Path, bytes]) -> State:
    found.changes.update(changes)
    return state.changed(changes) if changes else state


def _rename(state: State, requested: Renames, found: Plan) -> State:
    renames = {key: operation.function for key, operation in state.renamed.items()} | dict(requested)
    if not renames:
        return state
    changes = renamed(state.sources, renames)
    state = replace(_after(state, found, changes), applied_renames=renames)
    homes = {state.sources.path(module) for module, _ in renames}
    for (module, old), new in renames.items():
        found.actions.append(f"renamed {old} to {new} in {display(state.sources.path(module))}")
    if users := [display(path) for path in changes if path not in homes]:
        found.actions.append(f"updated references in {', '.join(users)}")
    return state


def _make_package(state: State, layout: Ruff, found: Plan) -> State:
    changes = missing_hooks(state, layout)
    if not state.sources.files:
        found.actions.append(f"created the package {state.sources.package}")
    found.actions += hook_actions(state, changes)
    return _after(state, found, changes)


def _fix_signatures(state: State, layout: Ruff, found: Plan) -> State:
    # A fix can expose another difference, such as the annotation of a renamed argument.
    for _ in range(3):
        todo: dict[Path, list[tuple[Function, list[Difference]]]] = {}
        for comparison, function in comparisons(state):
            found_here = [] if function.is_repeated else comparison.differences(function)
            fixable = [one for one in found_here if is_fixable(function, one, comparison.known)]
            if fixable:  # of repeated functions, only a person knows which definition the difference is in
                todo.setdefault(function.module.path, []).append((function, fixable))
        if not todo:
            break
        changes = {path: _fixed_module(state, layout, functions, found) for path, functions in todo.items()}
        state = _after(state, found, changes)
    return state


def _fixed_module(
    state: State, layout: Ruff, functions: Sequence[tuple[Function, list[Difference]]], found: Plan
) -> bytes:
    module = functions[0][0].module
    types = [kind for _, differences in functions for one in differences for kind in _types_of(one)]
    local = local_names(module, types, _types_module(state), [])
    annotated = _annotated(module, local)
    edited = [with_fixes(function, differences, annotated, local) for function, differences in functions]
    headers = layout.formatted([header(node) for node, _ in edited])
    new: dict[cst.FunctionDef, cst.FunctionDef] = {}
    for (function, _), (node, actions), laid_out in zip(functions, edited, headers, strict=True):
        new[function.node] = with_header(node, laid_out)
        found.actions.append(f"updated {function.name} in {display(module.path)}: {', '.join(actions)}")
    before = {name for function, _ in functions for name in _generated(state, function)}
    code = _with_imports(state, module, module.tree.visit(_Replacer(new)).code, types, local)
    unused = before - names_used_elsewhere(state.sources, module, before)
    code = without_imports(module, code, unused, _types_module(state))
    return _encoded(module, layout.with_sorted_imports(code, module.tree.code))


def _with_imports(
    state: State, module: Module, code: str, types: Sequence[Type], local: dict[str, str]
) -> str:
    missing = missing_imports(module, types, _types_module(state), local)
    return with_imports(module, code, missing, state.sources.package)


def _annotated(module: Module, local: Mapping[str, str]) -> Annotated:
    return lambda kind: kind.annotation(local, is_evaluated=not module.is_lazy)


def _types_of(difference: Difference) -> list[Type]:
    kinds = [difference.type] if difference.type is not None else []
    if difference.rule == "missing-argument" and difference.wanted is not None:
        kinds.append(difference.wanted.type)
    return kinds


def _generated(state: State, function: Function) -> set[str]:
    """Return the local names of the generated types in a function's annotations."""
    annotations = [*(argument.annotation for argument in function.arguments), function.returns]
    names = {node.value for one in annotations if one is not None for node in nodes(one, cst.Name)}
    meaning = meanings(function.module, state.sources.package, state.types.classes)
    return {name for name in names if (found := meaning(name)) and found[0] == "generated"}


class _Replacer(cst.CSTTransformer):
    def __init__(self, new: Mapping[cst.FunctionDef, cst.FunctionDef]) -> None:
        super().__init__()
        self._new = new

    def leave_FunctionDef(  # noqa: N802 -- libcst's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        return self._new.get(original_node, updated_node)


def _encoded(module: Module, code: str) -> bytes:
    """Return code in the encoding that its file declares; SetupError if that cannot represent it."""
    try:
        return code.encode(module.tree.encoding)
    except UnicodeEncodeError as exc:
        letters = exc.object[exc.start : exc.end]
        message = f"its encoding, {module.tree.encoding}, cannot represent '{letters}' from the contract: save it as UTF-8"
        raise SetupError([Diagnostic(display(module.path), message)]) from exc


def _types_module(state: State) -> str:
    return f"{state.sources.package}.{TYPES}"


def _add_stubs(state: State, layout: Ruff, found: Plan) -> State:
    by_module: dict[str, list[Operation]] = {}
    for operation in state.new():
        by_module.setdefault(operation.module, []).append(operation)
    changes = {
        state.sources.path(name): _with_stubs(state, layout, name, operations)
        for name, operations in by_module.items()
    }
    for name, operations in by_module.items():
        where = display(state.sources.path(name))
        found.actions += [f"added {operation.function} in {where}" for operation in operations]
    return _after(state, found, changes)


def _with_stubs(state: State, layout: Ruff, name: str, operations: Sequence[Operation]) -> bytes:
    module = state.sources.module(name)
    if module is None or not module.source.strip():
        dotted = f"{state.sources.package}.{name}"
        module = Module(state.sources.path(name), new_module(operations[0].tag).encode(), dotted)
    signatures = [state.signatures[operation.id] for operation in operations]
    types = [
        kind for one in signatures for kind in (one.results.written, *(item.type for item in one.arguments))
    ]
    local = local_names(module, types, _types_module(state), [one.function for one in operations])
    stubs = layout.formatted_stubs(
        [
            stub(operation, state.contract, one, _annotated(module, local))
            for operation, one in zip(operations, signatures, strict=True)
        ]
    )
    before = module.tree.code
    code = layout.with_sorted_imports(_with_imports(state, module, before, types, local), before)
    written = [code, *(f"{stub.strip()}\n" for stub in stubs)]
    return _encoded(module, _joined(written, module.tree.default_newline))


def _joined(parts: Sequence[str], newline: str) -> str:
    first, *rest = parts
    missing = 3 - (len(first) - len(first.rstrip("\r\n"))) // len(newline)
    return (
        first + newline * max(missing, 0) + f"{newline * 2}".join(one.replace("\n", newline) for one in rest)
    )


def _write_types(state: State, found: Plan) -> State:
    old, new = state.types_found, state.types_wanted
    if not state.types_are_ours or (old is not None and first_difference(old, new) is None):
        return replace(state, applied_renames={})
    newline = "\r\n" if old is not None and "\r\n" in old else "\n"
    found.actions.append(f"{'created' if old is None else 'updated'} {display(state.types_path)}")
    changes = {state.types_path: new.replace("\n", newline).encode()}
    return replace(_after(state, found, changes), applied_renames={})
