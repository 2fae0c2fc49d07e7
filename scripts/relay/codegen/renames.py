"""Rename a handler and all references to it in the package and its tests, by scope and not by text."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import libcst as cst
from libcst.metadata import ParentNodeProvider, QualifiedName, QualifiedNameProvider, QualifiedNameSource

from relay.contract.diagnostics import Diagnostic, SetupError, Severity, SourceLocation
from relay.contract.documents import display
from relay.contract.names import slug
from relay.project.module_source import Function, Imported, Module
from relay.project.package_source import Sources
from relay.project.syntax import dotted, texts

from .argument_usage import would_hide
from .package_state import State

Renames = Mapping[tuple[str, str], str]
"""Maps (module relative to the package, name) to the new name."""


def renamed(sources: Sources, renames: Renames) -> dict[Path, bytes]:
    """Return the new content of the files that refer to renamed handlers."""
    wanted = {f"{sources.package}.{module}.{old}": new for (module, old), new in renames.items()}
    changes: dict[Path, bytes] = {}
    for module in sources.modules([old for _, old in renames]):
        if module.fault is None:
            tree = with_names(module, wanted)
            changes |= {module.path: tree.bytes} if tree.bytes != module.source else {}
    return changes


def requested_renames(state: State, pairs: Iterable[tuple[str, str]]) -> Renames:
    """Resolve `--rename` pairs of operationIds or function names; SetupError for unknown or ambiguous ones."""
    renames: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    for old, new in pairs:
        operation = next((one for one in state.contract.operations if new in (one.id, one.function)), None)
        if operation is None:
            problems.append(f"the contract has no operation '{new}'")
            continue
        name = old if old.isidentifier() else slug(old)
        modules = state.sources.operation_modules()
        places = [module for module, one in modules if isinstance(one.bindings.get(name), Function)]
        places = [operation.module] if operation.module in places else places
        if len(places) == 1:
            renames[places[0], name] = operation.function
        elif places:
            problems.append(f"'{old}' is a function of {' and '.join(places)}; rename it by hand")
        else:
            problems.append(f"no module of the package has a function '{old}'")
    problems += [why for key in renames for why in _obstacles(state, key, renames)]
    if problems:
        raise SetupError([Diagnostic("--rename", message) for message in problems])
    return renames


def _obstacles(state: State, key: tuple[str, str], renames: Renames) -> Iterator[str]:
    module, old = key
    function, new = state.function(module, old), renames[key]
    assert function is not None  # it was found there
    where = display(function.module.path)
    if function.is_repeated:
        yield f"{where} defines '{old}' several times; rename each by hand"
    if would_hide(function.module, old, new):
        yield f"{where} uses '{new}' for something else in a function that uses {old}(); rename that first"
    if state.function(module, new) is not None and (module, new) not in renames:
        yield f"{where} has a function '{new}' already; {old}() would hide it"


def mentions(sources: Sources, renames: Renames) -> Iterator[Diagnostic]:
    """Yield where old names remain: in strings that may mean the handler, and in files that cannot be parsed."""
    for module in sources.modules([old for _, old in renames]):
        for (_, old), new in renames.items():
            meant = rf"(?i)[bru]{{0,2}}['\"]*([\w.:]*[.:])?{re.escape(old)}['\"]*"
            unread = f"so {old}() was not renamed in it: rename it to {new}"
            message = f"a string contains the old name {old}: if it means the handler, write {new}"
            yield from old_names(module, [old], meant, unread, message)


def old_names(
    module: Module, words: Iterable[str], meant: str, unread: str, message: str
) -> Iterator[Diagnostic]:
    """Yield the strings of a module with some words that may be an old name, or that the module is `unread`."""
    found: list[tuple[SourceLocation, str]] = []
    if all(word.encode() in module.source for word in words):
        found += [] if module.fault is None else [(module.fault[0], f"{module.fault[1]}, {unread}")]
        found += [
            (module.place(text), message) for text in texts(module.tree) if re.fullmatch(meant, text.value)
        ]
    return (Diagnostic(place, what, "old-name", Severity.WARNING) for place, what in found)


def with_names(module: Module, wanted: Mapping[str, str]) -> cst.Module:
    """Return a module in which functions (`shop.things.show`) and arguments (`shop.things.show.<locals>.q`) have new names."""
    return module.wrapper.visit(_Renamer(module, wanted))


class _Renamer(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (QualifiedNameProvider, ParentNodeProvider)

    def __init__(self, module: Module, wanted: Mapping[str, str]) -> None:
        super().__init__()
        self._module = module
        self._wanted = wanted
        bound = _names_in(module.tree.code)
        functions = {whole: new for whole, new in wanted.items() if "<locals>" not in whole}
        self._kept = {whole.rpartition(".")[2] for whole, new in functions.items() if new in bound}
        """The imported handlers whose new name is already in use in the module."""

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:  # noqa: N802 -- libcst's name
        parent = self.get_metadata(ParentNodeProvider, original_node)
        is_label = original_node in (getattr(parent, "keyword", None), getattr(parent, "attr", None))
        if is_label or isinstance(parent, cst.ImportAlias | cst.AsName):
            return updated_node  # imports are renamed as a whole
        bound = self._module.bindings.get(original_node.value)
        if isinstance(parent, cst.Param) and parent.name is original_node:
            owner = self.get_metadata(ParentNodeProvider, self.get_metadata(ParentNodeProvider, parent))
            new = self._meant(owner, f".<locals>.{original_node.value}")
        elif isinstance(parent, cst.FunctionDef) and parent.name is original_node:
            is_handler = isinstance(bound, Function) and bound.node is parent
            new = self._wanted.get(f"{self._module.name}.{original_node.value}") if is_handler else None
        else:
            is_kept = not isinstance(bound, Function) and original_node.value in self._kept
            new = None if is_kept else self._meant(original_node)
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

    def _is_exported(self, node: cst.CSTNode | None) -> bool:
        for _ in range(3):  # element, list, assignment
            node = None if node is None else self.get_metadata(ParentNodeProvider, node, None)
            if isinstance(node, cst.Assign | cst.AugAssign | cst.AnnAssign):
                targets = node.targets if isinstance(node, cst.Assign) else [node]
                return any(dotted(one.target) == "__all__" for one in targets)
        return False

    def _origin(self, name: str) -> str:
        """Return the absolute name of what `name` refers to at the module's top level."""
        match self._module.bindings.get(name):
            case Function():
                return f"{self._module.name}.{name}"
            case Imported(module, str(member)):
                return f"{module}.{member}"
        return ""

    def _meant(self, node: cst.CSTNode, inner: str = "") -> str | None:
        """Return the new name of what a name or attribute refers to under its old name, or of a name `inner` it."""
        spelled = (inner or dotted(node)).rpartition(".")[2]
        found: Collection[QualifiedName] = self.get_metadata(QualifiedNameProvider, node, ())
        for one in found:
            is_local = one.source is QualifiedNameSource.LOCAL
            whole = f"{self._module.name}.{one.name}" if is_local else self._module.absolute_name(one.name)
            whole += inner
            if whole in self._wanted and whole.rpartition(".")[2] == spelled:
                return self._wanted[whole]
        return None


def _names_in(code: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.alias(asname=str(name)) | ast.alias(name=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
    return found
