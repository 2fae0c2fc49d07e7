"""Edit the signature of an existing handler to match the contract; its body is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import libcst as cst

from relay.project.module_source import Argument, Function
from relay.project.syntax import code

from .annotations import NONE, Type, union
from .argument_usage import hides, uses
from .differences import Difference
from .signature_diff import can_lose_default, is_none
from .stubs import Annotated


def is_fixable(function: Function, difference: Difference, known: Iterable[str]) -> bool:
    """Whether a difference can be fixed without changing what a person wrote.

    `known` are the arguments that the contract gave the function before.
    """
    match difference.rule, difference.argument:
        case "extra-argument", Argument() as argument:
            return argument.name in known and _is_free(function, argument)
        case "missing-argument" | "misnamed-argument", argument:
            is_free = argument is None or not uses(function, argument.name)
            return is_free and not (difference.wanted and hides(function, difference.wanted.name))
        case "default-needed", Argument() as argument:
            return argument.kind == "keyword" or _may_have_default(function, argument)
        case "return-annotation" | "argument-annotation", _:
            return difference.type is not None
    return False


def _is_free(function: Function, argument: Argument) -> bool:
    """Whether an argument can be removed without loss: the body does not use it, and it has no comment."""
    has_comment = "#" in code(argument.node) or "#" in code(_star(function) or cst.Pass())
    return not has_comment and not uses(function, argument.name)


def _star(function: Function) -> cst.CSTNode | None:
    star = function.node.params.star_arg
    return star if isinstance(star, cst.ParamStar) else None


def _may_have_default(function: Function, argument: Argument) -> bool:
    positional = [one for one in function.arguments if one.kind != "keyword"]
    return all(one.default is not None for one in positional[positional.index(argument) + 1 :])


def with_fixes(
    function: Function, differences: Sequence[Difference], annotated: Annotated, local: Mapping[str, str]
) -> tuple[cst.FunctionDef, list[str]]:
    """Return a function with some differences fixed, and a description of each edit.

    `annotated` returns a type as an annotation of the module; `local` has the module's names for types.
    """
    editor = _Editor(function, annotated, local)
    for difference in differences:
        editor.fix(difference)
    return editor.node(), editor.actions


class _Editor:
    def __init__(self, function: Function, annotated: Annotated, local: Mapping[str, str]) -> None:
        self._function = function
        self._annotated = annotated
        self._local = local
        self._changed: dict[str, cst.Param] = {
            argument.name: argument.node for argument in function.arguments
        }
        self._removed: set[str] = set()
        self._added: list[cst.Param] = []
        self._returns = function.node.returns
        self.actions: list[str] = []

    def fix(self, difference: Difference) -> None:
        argument, wanted, kind = difference.argument, difference.wanted, difference.type
        match difference.rule:
            case "missing-argument" if wanted is not None:
                default = not wanted.always
                self._added.append(self._param(wanted.name, wanted.type, default=default))
                self.actions.append(f"added {wanted.name}")
            case "misnamed-argument" if argument is not None and wanted is not None:
                self._change(argument, name=cst.Name(wanted.name))
                if not wanted.always and argument.default is None:
                    self._give_default(argument)
                self.actions.append(f"renamed {argument.name} to {wanted.name}")
            case "extra-argument" if argument is not None:
                self._removed.add(argument.name)
                self.actions.append(f"removed {argument.name}")
            case "default-needed" if argument is not None and wanted is not None:
                self._give_default(argument)
                self.actions.append(f"made {argument.name} optional")
            case "argument-annotation" if argument is not None and kind is not None and wanted is not None:
                self._annotate(argument, kind)
                if wanted.always and is_none(argument.default) and can_lose_default(self._function, argument):
                    self._change(argument, default=None, equal=cst.MaybeSentinel.DEFAULT)
                self.actions.append(f"annotated {argument.name} as {kind.written(self._local)}")
            case "return-annotation" if kind is not None and self._returns is not None:
                self._returns = self._returns.with_changes(annotation=self._expression(kind))
                self.actions.append(f"set the return type to {kind.written(self._local)}")

    def _give_default(self, argument: Argument) -> None:
        self._change(argument, default=cst.Name("None"))

    def _annotate(self, argument: Argument, kind: Type) -> None:
        annotation = argument.node.annotation
        assert annotation is not None  # an argument without one has no such difference
        self._change(argument, annotation=annotation.with_changes(annotation=self._expression(kind)))

    def _change(self, argument: Argument, **changes: object) -> None:
        self._changed[argument.name] = self._changed[argument.name].with_changes(**changes)

    def _expression(self, kind: Type) -> cst.BaseExpression:
        return cst.parse_expression(self._annotated(kind))

    def _param(self, name: str, kind: Type, *, default: bool) -> cst.Param:
        annotation = union([kind, NONE]) if default else kind
        return cst.Param(
            cst.Name(name),
            cst.Annotation(self._expression(annotation)),
            default=cst.Name("None") if default else None,
            star="",
        )

    def node(self) -> cst.FunctionDef:
        """Return the edited function."""
        node = self._function.node
        parameters = node.params
        keyword = [*self._remaining(parameters.kwonly_params), *self._added]
        star: cst.Param | cst.ParamStar | cst.MaybeSentinel = parameters.star_arg
        if keyword and isinstance(star, cst.MaybeSentinel):
            star = cst.ParamStar()
        elif not keyword and isinstance(star, cst.ParamStar):
            star = cst.MaybeSentinel.DEFAULT
        groups: dict[str, object] = {
            "posonly_params": self._remaining(parameters.posonly_params),
            "params": self._remaining(parameters.params),
            "star_arg": star,
            "kwonly_params": keyword,
        }
        return node.with_changes(
            params=_separated(parameters, parameters.with_changes(**groups)), returns=self._returns
        )

    def _remaining(self, parameters: Sequence[cst.Param]) -> list[cst.Param]:
        return [
            self._changed[param.name.value] for param in parameters if param.name.value not in self._removed
        ]


def _separated(old: cst.Parameters, new: cst.Parameters) -> cst.Parameters:
    """Set the commas of a parameter list; the last parameter keeps or omits its comma as before."""
    had_last = any(isinstance(param.comma, cst.Comma) for param in [*_flat(old)][-1:])
    last = next(reversed([*_flat(new)]), None)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))

    def with_comma(param: cst.Param) -> cst.Param:
        if param is not last:
            return param if isinstance(param.comma, cst.Comma) else param.with_changes(comma=comma)
        if had_last:
            return param if isinstance(param.comma, cst.Comma) else param.with_changes(comma=cst.Comma())
        return param if "#" in code(param) else param.with_changes(comma=cst.MaybeSentinel.DEFAULT)

    changes: dict[str, object] = {
        group: [with_comma(param) for param in getattr(new, group)]
        for group in ("posonly_params", "params", "kwonly_params")
    }
    for group in ("star_arg", "star_kwarg"):
        if isinstance(param := getattr(new, group), cst.Param):
            changes[group] = with_comma(param)
    return new.with_changes(**changes)


def _flat(parameters: cst.Parameters) -> Iterator[cst.Param]:
    yield from parameters.posonly_params
    yield from parameters.params
    if isinstance(parameters.star_arg, cst.Param):
        yield parameters.star_arg
    yield from parameters.kwonly_params
    if parameters.star_kwarg is not None:
        yield parameters.star_kwarg


def header(node: cst.FunctionDef) -> str:
    """Return a function's header, with `...` as its body."""
    without_body = node.with_changes(
        body=cst.SimpleStatementSuite([cst.Expr(cst.Ellipsis())]),
        decorators=[],
        leading_lines=[],
        lines_after_decorators=[],
    )
    return code(without_body)


def with_header(node: cst.FunctionDef, laid_out: str) -> cst.FunctionDef:
    """Return a function with its formatted header."""
    parsed = cst.ensure_type(cst.parse_module(laid_out + "\n").body[0], cst.FunctionDef)
    names = (
        "params returns whitespace_after_def whitespace_after_name whitespace_before_params "
        "whitespace_before_colon"
    )
    return node.with_changes(**{name: getattr(parsed, name) for name in names.split()})
