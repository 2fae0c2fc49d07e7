"""Rename a handler and all references to it in the package and its tests, by scope and not by text."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import ParentNodeProvider, QualifiedName, QualifiedNameProvider, QualifiedNameSource

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.project.module_source import Function, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted, texts

Renames = Mapping[tuple[str, str], str]
"""Maps (module relative to the package, name) to the new name."""


def renamed(sources: Sources, renames: Renames) -> dict[Path, bytes]:
    """Return the new content of the files that refer to renamed handlers."""
    wanted = {f"{sources.package}.{module}.{old}": new for (module, old), new in renames.items()}
    changes: dict[Path, bytes] = {}
    for module in sources.modules([old for _, old in renames]):
        changes |= _changed(module, wanted)
    return changes


def _changed(module: Module, wanted: Mapping[str, str]) -> dict[Path, bytes]:
    if module.fault is not None:
        return {}
    tree = module.wrapper.visit(_Renamer(module, wanted))
    return {module.path: tree.bytes} if tree.bytes != module.source else {}


def mentions(sources: Sources, renames: Renames) -> Iterator[Diagnostic]:
    """Yield where old names remain: in strings that may mean the handler, and in files that cannot be parsed."""
    for module in sources.modules([old for _, old in renames]):
        for (_, old), new in renames.items():
            if old.encode() not in module.source:
                continue
            if module.fault is not None:
                place, what = module.fault
                yield _old_name(place, f"{what}, so {old}() was not renamed in it: rename it to {new}")
                continue
            meant = re.compile(rf"[bru]{{0,2}}['\"]*([\w.:]*[.:])?{re.escape(old)}['\"]*", re.IGNORECASE)
            for text in texts(module.tree):
                if meant.fullmatch(text.value):
                    message = f"a string contains the old name {old}: if it means the handler, write {new}"
                    yield _old_name(module.place(text), message)


def _old_name(place: SourceLocation, message: str) -> Diagnostic:
    return Diagnostic(place, message, "old-name", Severity.WARNING)


class _Renamer(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (QualifiedNameProvider, ParentNodeProvider)

    def __init__(self, module: Module, wanted: Mapping[str, str]) -> None:
        super().__init__()
        self._module = module
        self._wanted = wanted
        self._kept = _shadowed(module, wanted)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:  # noqa: N802 -- libcst's name
        parent = self.get_metadata(ParentNodeProvider, original_node)
        if isinstance(parent, cst.ImportAlias | cst.AsName | cst.Arg) and _is_label(parent, original_node):
            return updated_node
        if isinstance(parent, cst.Attribute) and parent.attr is original_node:
            return updated_node
        if isinstance(parent, cst.FunctionDef) and parent.name is original_node:
            new = self._defined(parent)
        else:
            new = self._meant(original_node)
            if new is not None and self._is_imported(original_node.value):
                new = None if original_node.value in self._kept else new
        return updated_node.with_changes(value=new) if new else updated_node

    def leave_Attribute(  # noqa: N802 -- libcst's name
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        new = self._meant(original_node)
        return updated_node.with_changes(attr=cst.Name(new)) if new else updated_node

    def leave_ImportFrom(  # noqa: N802 -- libcst's name
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom:
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        source = self._module.absolute(original_node)
        return updated_node.with_changes(names=[self._alias(source, alias) for alias in updated_node.names])

    def _alias(self, source: str, alias: cst.ImportAlias) -> cst.ImportAlias:
        old = dotted(alias.name)
        new = self._wanted.get(f"{source}.{old}")
        if new is None:
            return alias
        if alias.asname is None and old in self._kept:
            space = cst.SimpleWhitespace(" ")
            alias = alias.with_changes(asname=cst.AsName(cst.Name(old), space, space))
        return alias.with_changes(name=cst.Name(new))

    def leave_SimpleString(  # noqa: N802 -- libcst's name
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.BaseExpression:
        """Rename the exports in `__all__`."""
        if not self._is_exported(original_node):
            return updated_node
        old = str(original_node.evaluated_value)
        new = self._wanted.get(self._origin(old))
        if new is None or old in self._kept:
            return updated_node
        return updated_node.with_changes(value=original_node.value.replace(old, new))

    def _is_exported(self, node: cst.CSTNode) -> bool:
        for _ in range(3):  # element, list, assignment
            parent = self.get_metadata(ParentNodeProvider, node, None)
            if isinstance(parent, cst.Assign | cst.AugAssign | cst.AnnAssign):
                targets = (
                    [one.target for one in parent.targets]
                    if isinstance(parent, cst.Assign)
                    else [parent.target]
                )
                return any(dotted(target) == "__all__" for target in targets)
            if parent is None:
                return False
            node = parent
        return False

    def _origin(self, name: str) -> str:
        """Return the absolute name of what `name` refers to at the module's top level."""
        bound = self._module.bindings.get(name)
        if isinstance(bound, Function):
            return f"{self._module.name}.{name}"
        source, member = getattr(bound, "module", None), getattr(bound, "member", None)
        return f"{source}.{member}"

    def _is_imported(self, name: str) -> bool:
        return not isinstance(self._module.bindings.get(name), Function)

    def _defined(self, node: cst.FunctionDef) -> str | None:
        bound = self._module.bindings.get(node.name.value)
        if isinstance(bound, Function) and bound.node is node:
            return self._wanted.get(f"{self._module.name}.{node.name.value}")
        return None

    def _meant(self, node: cst.CSTNode) -> str | None:
        """Return the new name of the handler that a name or attribute refers to under its old name."""
        spelled = dotted(node).rpartition(".")[2]
        found: Collection[QualifiedName] = self.get_metadata(QualifiedNameProvider, node, ())
        for one in found:
            whole = self._absolute(one)
            if whole in self._wanted and whole.rpartition(".")[2] == spelled:
                return self._wanted[whole]
        return None

    def _absolute(self, name: QualifiedName) -> str:
        if name.source is QualifiedNameSource.LOCAL:
            return f"{self._module.name}.{name.name}"
        return self._module.absolute_name(name.name)


def _is_label(parent: cst.CSTNode, node: cst.Name) -> bool:
    """Whether a name is part of an import, which is renamed as a whole, or a keyword of a call."""
    return parent.keyword is node if isinstance(parent, cst.Arg) else True


@dataclass(slots=True)
class _Conflict:
    old: str
    new: str


def _shadowed(module: Module, wanted: Mapping[str, str]) -> set[str]:
    """Return the imported handlers whose new name is already in use in a module."""
    conflicts = [_Conflict(whole.rpartition(".")[2], new) for whole, new in wanted.items()]
    bound = set(_bound_names(module.tree.code)) if conflicts else set()
    return {one.old for one in conflicts if one.new in bound}


def would_hide(module: Module, old: str, new: str) -> bool:
    """Whether a function that refers to a handler uses the handler's new name for a local of its own."""
    if new.encode() not in module.source:
        return False
    for node in ast.walk(ast.parse(module.tree.code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner = [*ast.walk(node)]
            own = {one.arg for one in inner if isinstance(one, ast.arg)}
            own |= {
                one.id for one in inner if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)
            }
            if new in own and any(isinstance(one, ast.Name) and one.id == old for one in inner):
                return True
    return False


def _bound_names(code: str) -> Iterator[str]:
    """Yield every name that a module binds or uses, without attributes."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.alias(asname=str(name)) | ast.alias(name=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
