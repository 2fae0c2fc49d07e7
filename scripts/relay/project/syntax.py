"""Helpers for libcst trees: the statements of a module's top level, and names."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import libcst as cst

Node = TypeVar("Node", bound=cst.CSTNode)


def statements(body: Sequence[cst.CSTNode], *, running: bool = False) -> Iterator[cst.CSTNode]:
    """Yield the statements of a module's top level, including those nested in other statements.

    With `running`, statements that never run are left out, such as those in `if TYPE_CHECKING`.
    """
    for statement in body:
        match statement:
            case cst.BaseSmallStatement() | cst.FunctionDef() | cst.ClassDef():
                yield statement
            case cst.SimpleStatementLine() | cst.BaseSuite():
                yield from statements(statement.body, running=running)
            case cst.If(orelse=other) if running and _never_runs(statement):
                yield from statements([other] if other is not None else [], running=running)
            case cst.BaseExpression():
                continue  # expressions contain no statements
            case _:
                yield from statements(statement.children, running=running)


def _never_runs(statement: cst.If) -> bool:
    test = statement.test
    is_zero = isinstance(test, cst.Integer) and test.evaluated_value == 0
    return is_zero or dotted(test).rpartition(".")[2] in ("False", "TYPE_CHECKING")


def absolute(name: str, module: str, *, is_package: bool) -> str:
    """Return the whole name of one that may be relative to the module that has it: `.pets.get` in `api.more` → `api.pets.get`."""
    level = len(name) - len(name.lstrip("."))
    above = module.split(".") if module else []
    keep = max(len(above) - level + is_package, 0)
    return ".".join(filter(None, [*above[:keep], name[level:]])) if level else name


def dotted(node: cst.CSTNode) -> str:
    """Return the dotted name of a chain of attributes: `a.b.c`; '' for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr.value}"
    return ""


def code(node: cst.CSTNode) -> str:
    """Return a node's source."""
    return cst.Module([]).code_for_node(node)


def named(name: str) -> cst.Name | cst.Attribute:
    """Return a dotted name as a chain of attributes."""
    first, *others = name.split(".")
    node: cst.Name | cst.Attribute = cst.Name(first)
    for other in others:
        node = cst.Attribute(node, cst.Name(other))
    return node


def is_dynamic(tree: cst.Module) -> bool:
    """Return True if a module can bind names dynamically, from strings."""
    words = ("globals", "vars", "locals", "setattr", "exec", "eval", "__dict__")
    return has_name(tree, *words)


def nodes(tree: cst.CSTNode, *kinds: type[Node], without: tuple[type, ...] = ()) -> Iterator[Node]:
    """Yield the nodes of some kinds in a tree, in the order of the source; `without` what others contain.

    `libcst.matchers` could do it; to import that takes as long as to import the rest of libcst.
    """
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, kinds):
            yield node
        pending += (child for child in reversed(node.children) if not isinstance(child, without))


def has_name(tree: cst.CSTNode, *names: str) -> bool:
    """Return True if one of the names is anywhere in a tree, whatever it means there."""
    return any(node.value in names for node in nodes(tree, cst.Name))


def declares(tree: cst.CSTNode, name: str) -> bool:
    """Return True for a tree that contains `global name` or `nonlocal name`."""
    return any(dotted(node.name) == name for node in nodes(tree, cst.NameItem))


def texts(tree: cst.Module) -> Iterator[cst.SimpleString | cst.FormattedStringText]:
    """Yield the string literals of a module, except expression statements such as docstrings."""
    statements_only = {id(node.value) for node in nodes(tree, cst.Expr)}
    for node in nodes(tree, cst.SimpleString, cst.FormattedStringText):
        if isinstance(node, cst.SimpleString | cst.FormattedStringText) and id(node) not in statements_only:
            yield node
