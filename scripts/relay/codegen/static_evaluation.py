"""Evaluate a small function from its source: literals, plain names, and a few constructs.

It serves `render_error(report)`, which is usually such a function. Anything else raises Unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import libcst as cst

from relay.project.module_source import Assigned, Function
from relay.server.errors import ErrorReport

_REPORT = frozenset(["status", "code", "message", "sentence", "details", "members"])


class Unknown(Exception):
    """The value cannot be determined from source."""


class _Unread:
    """A value that source does not show; nothing can be decided by it."""

    def __bool__(self) -> bool:
        raise Unknown

    def __eq__(self, _other: object) -> bool:
        raise Unknown

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "<unread>"


UNREAD = _Unread()


def evaluate_literal(node: cst.BaseExpression) -> Any:
    """Return the value of an expression without names; raise Unknown for any other."""
    return _Evaluator({}, {}).value(node)


def evaluate_function(function: Function, report: ErrorReport) -> Any:
    """Return the result of a function of one argument for a report; raise Unknown if source does not show it."""
    arguments = function.arguments
    if len(arguments) != 1 or function.node.decorators or function.node.asynchronous is not None:
        raise Unknown
    constants = {
        name: bound.value for name, bound in function.module.bindings.items() if isinstance(bound, Assigned)
    }
    evaluator = _Evaluator({arguments[0].name: report}, constants)
    for result in evaluator.run(function.node.body.body):
        return result
    return None


class _Evaluator:
    def __init__(self, names: dict[str, Any], constants: Mapping[str, cst.BaseExpression]) -> None:
        self._names = names
        self._constants = constants

    def run(self, body: Sequence[cst.CSTNode]) -> Iterator[Any]:
        """Yield the value of the first `return` that is reached, if any."""
        for statement in body:
            match statement:
                case cst.SimpleStatementLine():
                    yield from self.run(statement.body)
                case cst.If():
                    taken = statement.body if self.value(statement.test) else statement.orelse
                    if isinstance(taken, cst.If):
                        yield from self.run([taken])
                    elif taken is not None:
                        yield from self.run((taken.body if isinstance(taken, cst.Else) else taken).body)
                case cst.Return():
                    yield self.value(statement.value) if statement.value is not None else None
                case cst.Assign(targets=[cst.AssignTarget(target=target)]):
                    self._assign(target, self.value(statement.value))
                case cst.AnnAssign(value=cst.BaseExpression() as value):
                    self._assign(statement.target, self.value(value))
                case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()) | cst.Pass():
                    continue
                case _:
                    raise Unknown

    def _assign(self, target: cst.BaseExpression, value: Any) -> None:
        match target:
            case cst.Name(value=name):
                self._names[name] = value
            case cst.Subscript(
                value=cst.Name(value=name), slice=[cst.SubscriptElement(slice=cst.Index(value=key))]
            ):
                holder = self._names.get(name)
                if not isinstance(holder, dict):
                    raise Unknown
                holder[self.value(key)] = value
            case _:
                raise Unknown

    def value(self, node: cst.BaseExpression) -> Any:
        """Return the value of an expression; raise Unknown if it is not supported."""
        found: Any
        match node:
            case cst.SimpleString() | cst.ConcatenatedString() | cst.Integer() | cst.Float():
                found = node.evaluated_value
            case cst.Name(value=name):
                found = self._named(name)
            case cst.Attribute(
                value=cst.Call(func=cst.Name(value="HTTPStatus"), args=[status]),
                attr=cst.Name(value="phrase"),
            ):
                found = self._phrase(status.value)
            case cst.Attribute(attr=cst.Name(value=name)):
                found = self._report_field(self.value(node.value), name)
            case cst.List() | cst.Tuple():
                values = self._elements(node.elements)
                found = list(values) if isinstance(node, cst.List) else tuple(values)
            case cst.IfExp():
                found = self.value(node.body if self.value(node.test) else node.orelse)
            case cst.Comparison(comparisons=[comparison]):
                found = self._compared(self.value(node.left), comparison)
            case cst.Call(func=cst.Name(value=name)):
                found = self._call(name, [argument.value for argument in node.args])
            case _:
                found = self._of_mapping(node)
        return found

    def _of_mapping(self, node: cst.BaseExpression) -> Any:
        """Evaluate a mapping, `{…}` or `a | b`, or the member of one: `a["b"]` or `a.get("b", c)`."""
        match node:
            case cst.Dict():
                return dict(self._items(node))
            case cst.BinaryOperation(operator=cst.BitOr()):
                return self._mapping(node.left) | self._mapping(node.right)
            case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=key))]):
                return self._member(self._mapping(node.value), self.value(key))
            case cst.Call(func=cst.Attribute(value=holder, attr=cst.Name(value="get")), args=[key, *other]):
                found, default = self._mapping(holder), self.value(other[0].value) if other else None
                return found.get(self.value(key.value), default)
        return self._of_details(node)

    def _of_details(self, node: cst.BaseExpression) -> Any:
        """Evaluate `[… for one in report.details]`, and in it `one["path"][1:]` and `one["path"].split("/")`."""
        match node:
            case cst.ListComp(for_in=cst.CompFor(target=cst.Name(value=name), ifs=[], inner_for_in=None)):
                return [self._with(name, one).value(node.elt) for one in self._copied(node.for_in.iter)]
            case cst.Subscript(
                slice=[cst.SubscriptElement(slice=cst.Slice(cst.Integer() as start, None, None))]
            ):
                found = self.value(node.value)
                if isinstance(found, str | list):
                    return found[start.evaluated_value :]
            case cst.Call(
                func=cst.Attribute(value=holder, attr=cst.Name(value="split")),
                args=[cst.Arg(value=cst.SimpleString() as separator)],
            ):
                text, between = self.value(holder), separator.evaluated_value
                if isinstance(text, str) and isinstance(between, str) and between:
                    return text.split(between)
        raise Unknown

    def _with(self, name: str, value: Any) -> _Evaluator:
        return _Evaluator({**self._names, name: value}, self._constants)

    def _named(self, name: str) -> Any:
        if name in ("True", "False", "None"):
            return {"True": True, "False": False}.get(name)
        if name in self._names:
            return self._names[name]
        if name in self._constants:
            return evaluate_literal(self._constants[name])
        raise Unknown

    def _report_field(self, holder: Any, name: str) -> Any:
        if not isinstance(holder, ErrorReport) or name not in _REPORT:
            raise Unknown
        return getattr(holder, name)

    def _phrase(self, node: cst.BaseExpression) -> str:
        try:
            return HTTPStatus(self.value(node)).phrase
        except ValueError as exc:
            raise Unknown from exc

    def _compared(self, left: Any, comparison: cst.ComparisonTarget) -> bool:
        """Evaluate `report.status == 404` and `report.status in (400, 404)`."""
        right = self.value(comparison.comparator)
        match comparison.operator:
            case cst.Equal():
                return bool(left == right)
            case cst.NotEqual():
                return bool(left != right)
            case cst.In() if isinstance(right, list | tuple):
                return left in right
        raise Unknown

    def _items(self, node: cst.Dict) -> Iterator[tuple[Any, Any]]:
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                yield self.value(element.key), self.value(element.value)
            else:
                yield from self._mapping(element.value).items()

    def _mapping(self, node: cst.BaseExpression) -> dict[Any, Any]:
        found = self.value(node)
        if not isinstance(found, dict):
            raise Unknown
        return found

    def _member(self, holder: dict[Any, Any], key: Any) -> Any:
        if key not in holder:
            raise Unknown
        return holder[key]

    def _elements(self, elements: Sequence[cst.BaseElement]) -> Iterator[Any]:
        for element in elements:
            found = self.value(element.value)
            if isinstance(element, cst.StarredElement):
                if not isinstance(found, list | tuple):
                    raise Unknown
                yield from found
            else:
                yield found

    def _call(self, name: str, arguments: list[cst.BaseExpression]) -> Any:
        """Evaluate calls that copy, such as `list(report.details)` and `map(dict, report.details)`."""
        match name, arguments:
            case "map", [cst.Name(value="dict"), source]:
                return [*self._copied(source)]
            case "list" | "tuple" | "dict" | "str", [source]:
                found = self.value(source)
                if name == "str" and isinstance(found, str | int):
                    return str(found)
                if isinstance(found, dict if name == "dict" else (list, tuple)) and name != "str":
                    return dict(found) if isinstance(found, dict) else list(found)
        raise Unknown

    def _copied(self, source: cst.BaseExpression) -> Iterator[dict[Any, Any]]:
        found = self.value(source)
        if not isinstance(found, list | tuple):
            raise Unknown
        yield from map(dict, found)
