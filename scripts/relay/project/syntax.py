"""Source as libcst has it: the statements that a module's top level comes to, and the names in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
from libcst import matchers


def statements(body: Sequence[cst.CSTNode], *, running: bool = False) -> Iterator[cst.CSTNode]:
    """Give the statements of a module's top level, those inside other statements too.

    With `running`, those are left out that plainly never run.
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
                continue  # there are none in it
            case _:
                yield from statements(statement.children, running=running)


def _never_runs(statement: cst.If) -> bool:
    test = statement.test
    is_zero = isinstance(test, cst.Integer) and test.evaluated_value == 0
    return is_zero or dotted(test).rpartition(".")[2] in ("False", "TYPE_CHECKING")


def absolute(node: cst.ImportFrom, module: str, *, is_package: bool) -> str:
    """Return the absolute name of what a statement imports from, as seen from a module."""
    named = dotted(node.module) if node.module is not None else ""
    if not node.relative:
        return named
    above = module.split(".") if module else []
    keep = len(above) - len(node.relative) + is_package
    return ".".join([*above[: max(keep, 0)], *([named] if named else [])])


def dotted(node: cst.CSTNode) -> str:
    """Return the name that a chain of attributes spells: `a.b.c`; '' for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr.value}"
    return ""


def is_dynamic(tree: cst.Module) -> bool:
    """Whether a module has a way to bind names that are texts."""
    words = ("globals", "vars", "locals", "setattr", "exec", "eval", "__dict__")
    return any(matchers.findall(tree, matchers.Name(word)) for word in words)


def texts(tree: cst.Module) -> Iterator[cst.SimpleString | cst.FormattedStringText]:
    """Give the texts of a module but for those that stand alone, as docstrings do."""
    alone = {id(node.value) for node in matchers.findall(tree, matchers.Expr()) if isinstance(node, cst.Expr)}
    for node in matchers.findall(tree, matchers.SimpleString() | matchers.FormattedStringText()):
        if isinstance(node, cst.SimpleString | cst.FormattedStringText) and id(node) not in alone:
            yield node
