"""Values of expressions and small functions, from their source: the package that has them is never imported.

What has an effect, may take long or is not known is cut out of the source; Python evaluates the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Never, cast

from relay.project.module_source import Assigned, Function
from relay.project.syntax import code

if TYPE_CHECKING:
    import libcst as cst

_KNOWN: dict[str, Any] = {one.__name__: one for one in (dict, list, tuple, str, map, HTTPStatus)}
_KNOWN["MappingProxyType"] = MappingProxyType
_ATTRIBUTES = frozenset("status code message sentence details members get split phrase value".split())
_HARMLESS = (
    *(ast.If, ast.Return, ast.Assign, ast.Pass, ast.Constant, ast.List, ast.Tuple, ast.Starred, ast.IfExp),
    *(ast.BoolOp, ast.Compare, ast.Subscript, ast.Slice, ast.UnaryOp),
)
_FAIL, _PARTLY = "<fail>", "<partly>"
"""Names that no source has."""


class Unknown(Exception):
    """The value cannot be determined from source."""


def _fail(*_arguments: object) -> Never:
    raise Unknown


class _Unread:
    """A value that source does not show; nothing can be decided by it."""

    __bool__ = __eq__ = __format__ = __hash__ = __repr__ = __str__ = _fail


UNREAD = _Unread()

Resolve = Callable[[str], Any]
"""Returns the value of a dotted name; raises KeyError for one that it does not know."""


def evaluate(node: cst.BaseExpression, resolve: Resolve, *, is_partial: bool = False) -> Any:
    """Return the value of an expression; raise Unknown if source does not show it.

    With `is_partial`, members of a mapping that source does not show are UNREAD.
    """
    try:
        reduced = _Reduced(resolve, is_partial=is_partial)
        tree = reduced.visit(ast.parse(f"({code(node)})", mode="eval"))
        return eval(compile(ast.fix_missing_locations(tree), "", "eval"), reduced.names)  # noqa: S307 -- harmless
    except Exception as exc:
        raise Unknown from exc


def literal(node: cst.BaseExpression) -> Any:
    """Return the value of an expression without names of its module; raise Unknown for any other."""
    return evaluate(node, dict[str, Any]().__getitem__)


def function_of(function: Function) -> Callable[[Any], Any]:
    """Return a function of one argument by its source; it raises Unknown for what source does not show."""
    if len(function.arguments) != 1 or function.node.decorators or function.is_async:
        return _fail
    bindings = function.module.bindings

    def resolve(name: str) -> Any:
        bound = bindings[name]
        try:
            return literal(bound.value) if isinstance(bound, Assigned) else _KNOWN[name]
        except Unknown as exc:
            raise KeyError(name) from exc

    def called(argument: Any) -> Any:
        try:
            return reduced.names[function.name](argument)
        except Exception as exc:
            raise Unknown from exc

    reduced = _Reduced(resolve)
    try:
        (made,) = ast.parse(code(function.node.with_changes(leading_lines=[]))).body
        tree = ast.Module([reduced.function(made, function.arguments[0].name)], [])
        exec(compile(ast.fix_missing_locations(tree), "", "exec"), reduced.names)  # noqa: S102 -- harmless
    except Exception:  # noqa: BLE001 -- whatever the reason, source does not show what the function does
        return _fail
    return called


def _partly(made: Callable[[], Any]) -> Any:
    try:
        return made()
    except Exception:  # noqa: BLE001 -- whatever the reason, the value is not known
        return UNREAD


def _failing() -> ast.expr:
    return ast.Call(ast.Name(_FAIL, ast.Load()), [], [])


class _Reduced(ast.NodeTransformer):
    """Replaces what must not run by a call that fails; `names` are those that the rest uses, with their values."""

    def __init__(self, resolve: Resolve, *, is_partial: bool = False) -> None:
        self._resolve = resolve
        self._is_partial = is_partial
        self._local: set[str] = set()
        self.names: dict[str, Any] = {"__builtins__": {}, _FAIL: _fail, _PARTLY: _partly}

    def function(self, node: Any, argument: str) -> ast.stmt:
        self._add_local(node)
        self._local.add(argument)
        node.args, node.returns = ast.arguments([], [ast.arg(argument)], None, [], [], None, []), None
        node.body = [self.visit(statement) for statement in node.body]
        return cast("ast.stmt", node)

    def _add_local(self, tree: ast.AST) -> None:
        names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
        self._local |= {node.id for node in names if isinstance(node.ctx, ast.Store)}

    def visit(self, node: ast.AST) -> Any:
        """Return a node without what must not run: all that no method knows."""
        is_known = isinstance(node, _HARMLESS) or hasattr(self, f"visit_{type(node).__name__}")
        if isinstance(node, ast.expr) and not is_known:
            return _failing()
        return ast.Expr(_failing()) if isinstance(node, ast.stmt) and not is_known else super().visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        return ast.Pass() if isinstance(node.value, ast.Constant) else ast.Expr(_failing())

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        return ast.Pass() if node.value is None else self.generic_visit(ast.Assign([node.target], node.value))

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        return self.generic_visit(node) if isinstance(node.op, ast.BitOr) else _failing()

    def visit_Compare(self, node: ast.Compare) -> Any:
        is_identity = any(isinstance(one, ast.Is | ast.IsNot) for one in node.ops)
        return _failing() if is_identity else self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> Any:
        self._add_local(node)
        return self.generic_visit(node) if len(node.generators) == 1 else _failing()

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return node if node.id in self._local else self._found(node.id) or _failing()

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        is_harmless = node.attr in _ATTRIBUTES or node.attr.isupper()
        return self._found(ast.unparse(node)) or (self.generic_visit(node) if is_harmless else _failing())

    def _found(self, name: str) -> ast.expr | None:
        last = name.rpartition(".")[2]
        try:
            self.names[name] = self._resolve(name)
        except KeyError:
            if last not in _KNOWN:
                return None
            self.names[name] = _KNOWN[last]
        return ast.Name(name, ast.Load())

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        for keyword in node.keywords:
            keyword.value = keyword.value if keyword.arg is None else self._part(keyword.value)
        return node

    def visit_Dict(self, node: ast.Dict) -> Any:
        self.generic_visit(node)
        pairs = zip(node.keys, node.values, strict=True)
        node.values = [value if key is None else self._part(value) for key, value in pairs]
        return node

    def _part(self, value: ast.expr) -> ast.expr:
        nothing = ast.arguments([], [], None, [], [], None, [])
        partly = ast.Call(ast.Name(_PARTLY, ast.Load()), [ast.Lambda(nothing, value)], [])
        return partly if self._is_partial else value
