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
    run = _Run(state, layout)
    applied_renames = run.rename(renames or {})
    run.make_package()
    left = run.move() if moves else []
    run.fix_signatures()
    run.add_stubs()
    run.write_types()
    run.plan.remaining = [*check(run.state), *mentions(run.state.sources, applied_renames), *left]
    return run.plan


class _Run:
    """The state of a package after the steps that are planned so far."""

    def __init__(self, state: State, layout: Ruff) -> None:
        self.state = state
        self.plan = Plan()
        self._layout = layout
        self._types_module = f"{state.sources.package}.{TYPES}"

    def _change(self, changes: Mapping[Path, bytes], **others: object) -> None:
        self.plan.changes.update(changes)
        state = self.state.changed(changes) if changes else self.state
        self.state = replace(state, **others) if others else state  # type: ignore[arg-type]  # fields of a state

    def _file(self, module: str) -> str:
        return display(self.state.sources.path(module))

    def rename(self, requested: Renames) -> Renames:
        renames = {key: one.function for key, one in self.state.renamed.items()} | dict(requested)
        if renames:
            changes = renamed(self.state.sources, renames)
            homes = {self.state.sources.path(module) for module, _ in renames}
            self.plan.actions += [
                f"renamed {old} to {new} in {self._file(at)}" for (at, old), new in renames.items()
            ]
            if users := [display(path) for path in changes if path not in homes]:
                self.plan.actions.append(f"updated references in {', '.join(users)}")
            self._change(changes, applied_renames=renames)
        return renames

    def make_package(self) -> None:
        changes = missing_hooks(self.state, self._layout)
        if not self.state.sources.files:
            self.plan.actions.append(f"created the package {self.state.sources.package}")
        self.plan.actions += hook_actions(self.state, changes)
        self._change(changes)

    def move(self) -> list[Diagnostic]:
        done: list[str] = []
        moves = Moves(self.state)
        while moves.possible:
            group = moves.together(next(iter(moves.possible.values())))
            target = group[0].operation.module
            self._change(moved(self.state, self._layout, moves, group))
            names = {(target, one.function.name): one.operation.function for one in group}
            new_names = {key: new for key, new in names.items() if key[1] != new}
            self._change(renamed(self.state.sources, new_names))
            for one in group:
                self.plan.actions.append(
                    f"moved {one.path} to {one.operation.function} in {self._file(target)}"
                )
                done.append(one.path)
            moves = Moves(self.state)
        return [*moves.refused.values(), *old_paths(self.state, done)]

    def fix_signatures(self) -> None:
        """Fix what differs from the contract; a fix can expose another difference, as of a renamed argument's type."""
        for _ in range(3):
            todo: dict[Path, list[tuple[Function, list[Difference]]]] = {}
            for comparison, function in comparisons(self.state):
                # Of repeated functions, only a person knows which definition the difference is in.
                found = [] if function.is_repeated else comparison.differences(function)
                fixable = [one for one in found if is_fixable(function, one, comparison.known)]
                if fixable:
                    todo.setdefault(function.module.path, []).append((function, fixable))
            if not todo:
                break
            self._change({path: self._fixed_module(functions) for path, functions in todo.items()})

    def _fixed_module(self, functions: Sequence[tuple[Function, list[Difference]]]) -> bytes:
        module, sources = functions[0][0].module, self.state.sources
        types = [kind for _, differences in functions for one in differences for kind in _types_of(one)]
        local = local_names(module, types, self._types_module, [])
        annotated = _annotated(module, local)
        edited = [with_fixes(function, differences, annotated, local) for function, differences in functions]
        headers = self._layout.formatted([header(node) for node, _ in edited])
        new: dict[cst.FunctionDef, cst.FunctionDef] = {}
        for (function, _), (node, actions), laid_out in zip(functions, edited, headers, strict=True):
            new[function.node] = with_header(node, laid_out)
            self.plan.actions.append(
                f"updated {function.name} in {display(module.path)}: {', '.join(actions)}"
            )
        code = self._with_imports(module, module.tree.visit(_Replacer(new)).code, types, local)
        before = {name for function, _ in functions for name in self._generated(function)}
        unused = before - names_used_elsewhere(sources, module, before)
        code = without_imports(module, code, unused, self._types_module)
        return _encoded(module, self._layout.with_sorted_imports(code, module.tree.code))

    def _with_imports(self, module: Module, code: str, types: Sequence[Type], local: dict[str, str]) -> str:
        missing = missing_imports(module, types, self._types_module, local)
        return with_imports(module, code, missing, self.state.sources.package)

    def _generated(self, function: Function) -> set[str]:
        """Return the local names of the generated types in a function's annotations."""
        annotations = [*(argument.annotation for argument in function.arguments), function.returns]
        names = {node.value for one in annotations if one is not None for node in nodes(one, cst.Name)}
        meaning = meanings(function.module, self.state.sources.package, self.state.types.classes)
        return {name for name in names if (found := meaning(name)) and found[0] == "generated"}

    def add_stubs(self) -> None:
        by_module: dict[str, list[Operation]] = {}
        for operation in self.state.new():
            by_module.setdefault(operation.module, []).append(operation)
        changes = {self.state.sources.path(one): self._with_stubs(one, new) for one, new in by_module.items()}
        for name, operations in by_module.items():
            self.plan.actions += [f"added {one.function} in {self._file(name)}" for one in operations]
        self._change(changes)

    def _with_stubs(self, name: str, operations: Sequence[Operation]) -> bytes:
        sources = self.state.sources
        module = sources.module(name)
        if module is None or not module.source.strip():
            text = new_module(operations[0].tag).encode()
            module = Module(sources.path(name), text, f"{sources.package}.{name}")
        signatures = [self.state.signatures[operation.id] for operation in operations]
        types = [one.results.written for one in signatures]
        types += [argument.type for one in signatures for argument in one.arguments]
        local = local_names(module, types, self._types_module, [one.function for one in operations])
        pairs = zip(operations, signatures, strict=True)
        annotated = _annotated(module, local)
        stubs = [stub(operation, self.state.contract, one, annotated) for operation, one in pairs]
        before, newline = module.tree.code, module.tree.default_newline
        code = self._layout.with_sorted_imports(self._with_imports(module, before, types, local), before)
        gap = newline * max(3 - (len(code) - len(code.rstrip("\r\n"))) // len(newline), 0)
        written = [f"{one.strip()}\n".replace("\n", newline) for one in self._layout.formatted_stubs(stubs)]
        return _encoded(module, code + gap + (newline * 2).join(written))

    def write_types(self) -> None:
        old, new, path = self.state.types_found, self.state.types_wanted, self.state.types_path
        changes: dict[Path, bytes] = {}
        if self.state.types_are_ours and (old is None or first_difference(old, new) is not None):
            newline = "\r\n" if old is not None and "\r\n" in old else "\n"
            self.plan.actions.append(f"{'created' if old is None else 'updated'} {display(path)}")
            changes = {path: new.replace("\n", newline).encode()}
        self._change(changes, applied_renames={})


def _annotated(module: Module, local: Mapping[str, str]) -> Annotated:
    return lambda kind: kind.annotation(local, is_evaluated=not module.is_lazy)


def _types_of(difference: Difference) -> list[Type]:
    kinds = [difference.type] if difference.type is not None else []
    if difference.rule == "missing-argument" and difference.wanted is not None:
        kinds.append(difference.wanted.type)
    return kinds


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
