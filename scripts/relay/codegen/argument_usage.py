"""Find the names that a function uses, and whether a new argument or another name would hide one of them."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterable

import libcst as cst

from relay.project.module_source import Function, Module
from relay.project.syntax import declares, nodes


def uses(function: Function, name: str) -> list[cst.CSTNode]:
    """Return where a function's body or its decorators use one of its arguments."""
    return name_uses([function.node.body, *function.node.decorators], name, "locals", "vars", "eval", "exec")


def name_uses(nodes: Iterable[cst.CSTNode], *names: str) -> list[cst.CSTNode]:
    """Return where some code uses one of some names; attributes and the keywords of calls do not count."""
    found: list[cst.CSTNode] = []
    pending = [*nodes][::-1]
    while pending:
        node = pending.pop()
        if isinstance(node, cst.Name) and node.value in names:
            found.append(node)
        pending += [node.value] if isinstance(node, cst.Attribute | cst.Arg) else reversed(node.children)
    return found


def hides(function: Function, name: str) -> bool:
    """Return True if a new argument would hide a global or built-in that the function's body uses by that name."""
    module = function.module
    if not (hasattr(builtins, name) or name in module.names or module.stars or declares(function.node, name)):
        return False  # the name is unbound: the body was written for the argument
    alone = function.node.with_changes(decorators=[], leading_lines=[])
    (own,) = symtable.symtable(cst.Module([alone]).code, "handler", "exec").get_children()
    return _is_global(own, name)


def _is_global(table: symtable.SymbolTable, name: str) -> bool:
    if name in table.get_identifiers():
        symbol = table.lookup(name)
        if symbol.is_global():
            return True
        if table.get_type() == "function":
            return False  # it is the function's own
    return any(_is_global(inner, name) for inner in table.get_children())


def would_hide(module: Module, old: str, new: str) -> bool:
    """Return True if a function that refers to a handler uses the handler's new name for a local of its own."""
    if new.encode() not in module.source:
        return False
    for node in ast.walk(ast.parse(module.tree.code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner = [*ast.walk(node)]
            own = {one.arg for one in inner if isinstance(one, ast.arg)}
            names = [one for one in inner if isinstance(one, ast.Name)]
            own |= {one.id for one in names if not isinstance(one.ctx, ast.Load)}
            if new in own and any(one.id == old for one in names):
                return True
    return False


def global_names(function: Function) -> set[str]:
    """Return the names of its module, and of Python, that a function uses; in annotations also inside quotes."""
    alone = function.node.with_changes(leading_lines=[])
    todo = [symtable.symtable(cst.Module([alone]).code, "handler", "exec")]
    found = _quoted_names(function)
    while todo:
        table = todo.pop()
        todo += table.get_children()
        is_top = table.get_type() == "module"
        found |= {
            one.get_name()
            for one in table.get_symbols()
            if (one.is_referenced() if is_top else one.is_global())
        }
    return found


def _quoted_names(function: Function) -> set[str]:
    """Return the words in quoted annotations that are names of the module."""
    annotations = [*(argument.annotation for argument in function.arguments), function.returns]
    quoted = [text for one in annotations if one is not None for text in nodes(one, cst.SimpleString)]
    words = {word for text in quoted for word in re.findall(r"\w+", text.value)}
    return words & function.module.names
