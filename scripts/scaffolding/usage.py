"""Where a function uses its own arguments."""

from __future__ import annotations

import libcst as cst

from .modules import Function


def uses(function: Function, name: str) -> list[cst.CSTNode]:
    """Return where a function's body, its decorators or its defaults name one of its arguments."""
    finder = _Names({name, "locals", "vars", "eval", "exec"})
    function.node.body.visit(finder)
    for decorator in function.node.decorators:
        decorator.visit(finder)
    return finder.found


class _Names(cst.CSTVisitor):
    """Collects where names are used; attributes and the names of given arguments are none."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names
        self.found: list[cst.CSTNode] = []

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 -- libcst's name
        if node.value in self._names:
            self.found.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802 -- libcst's name
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:  # noqa: N802 -- libcst's name
        node.value.visit(self)
        return False
