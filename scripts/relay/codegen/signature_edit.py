"""Edit the signature of an existing handler to match the contract; its body is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import libcst as cst

from relay.project.module_source import Argument, Function
from relay.project.syntax import code

from .annotations import NONE, Type, union
from .argument_usage import hides, uses
from .expected_signature import Difference
from .signature_diff import can_lose_default, is_none
from .stubs import Annotated


def is_fixable(function: Function, difference: Difference, known: Iterable[str]) -> bool:
    """Return True if a difference can be fixed without changing what a person wrote.

    `known` are the arguments that the contract gave the function before.
    """
    match difference.rule, difference.argument:
        case "extra-argument", Argument() as argument:
            star = function.node.params.star_arg
            written = code(argument.node) + (code(star) if isinstance(star, cst.ParamStar) else "")
            return argument.name in known and "#" not in written and not uses(function, argument.name)
        case "missing-argument" | "misnamed-argument", argument:
            is_free = argument is None or not uses(function, argument.name)
            return is_free and not (difference.wanted and hides(function, difference.wanted.name))
        case "default-needed", Argument() as argument:
            positional = [one for one in function.arguments if one.kind != "keyword"]
            after = positional[positional.index(argument) + 1 :] if argument in positional else []
            return all(one.default is not None for one in after)
        case "return-annotation" | "argument-annotation", _:
            return difference.type is not None
    return False


def with_fixes(
    function: Function, differences: Sequence[Difference], annotated: Annotated, local: Mapping[str, str]
) -> tuple[cst.FunctionDef, list[str]]:
    """Return a function with some differences fixed, and a description of each edit.

    `annotated` returns a type as an annotation of the module; `local` has the module's names for types.
    """
    editor = _Editor(function, annotated, local)
    actions = [*filter(None, map(editor.fix, differences))]
    return editor.node(), actions


class _Editor:
    def __init__(self, function: Function, annotated: Annotated, local: Mapping[str, str]) -> None:
        self._function = function
        self._annotated = annotated
        self._local = local
        self._changed = {argument.name: argument.node for argument in function.arguments}
        self._added: list[cst.Param] = []
        self._returns = function.node.returns

    def fix(self, difference: Difference) -> str:
        argument, wanted, kind = difference.argument, difference.wanted, difference.type
        done = ""
        match difference.rule:
            case "missing-argument" if wanted is not None:
                self._added.append(self._param(wanted.name, wanted.type, is_optional=not wanted.always))
                done = f"added {wanted.name}"
            case "misnamed-argument" if argument is not None and wanted is not None:
                needs_default = not wanted.always and argument.default is None
                default = cst.Name("None") if needs_default else argument.default
                self._change(argument, name=cst.Name(wanted.name), default=default)
                done = f"renamed {argument.name} to {wanted.name}"
            case "extra-argument" if argument is not None:
                del self._changed[argument.name]
                done = f"removed {argument.name}"
            case "default-needed" if argument is not None:
                self._change(argument, default=cst.Name("None"))
                done = f"made {argument.name} optional"
            case "argument-annotation" if argument is not None and kind is not None and wanted is not None:
                expression = self._expression(kind)
                annotation = argument.node.annotation or cst.Annotation(expression)
                self._change(argument, annotation=annotation.with_changes(annotation=expression))
                if wanted.always and is_none(argument.default) and can_lose_default(self._function, argument):
                    self._change(argument, default=None, equal=cst.MaybeSentinel.DEFAULT)
                done = f"annotated {argument.name} as {kind.written(self._local)}"
            case "return-annotation" if kind is not None and self._returns is not None:
                self._returns = self._returns.with_changes(annotation=self._expression(kind))
                done = f"set the return type to {kind.written(self._local)}"
        return done

    def _change(self, argument: Argument, **changes: object) -> None:
        self._changed[argument.name] = self._changed[argument.name].with_changes(**changes)

    def _expression(self, kind: Type) -> cst.BaseExpression:
        return cst.parse_expression(self._annotated(kind))

    def _param(self, name: str, kind: Type, *, is_optional: bool) -> cst.Param:
        annotation = cst.Annotation(self._expression(union([kind, NONE]) if is_optional else kind))
        return cst.Param(
            cst.Name(name), annotation, default=cst.Name("None") if is_optional else None, star=""
        )

    def node(self) -> cst.FunctionDef:
        old = self._function.node.params
        positional_only, plain, keyword = (
            [self._changed[one.name.value] for one in group if one.name.value in self._changed]
            for group in (old.posonly_params, old.params, old.kwonly_params)
        )
        keyword += self._added
        star: cst.Param | cst.ParamStar | cst.MaybeSentinel = old.star_arg
        if not isinstance(star, cst.Param):
            needs_star = cst.ParamStar() if isinstance(star, cst.MaybeSentinel) else star
            star = needs_star if keyword else cst.MaybeSentinel.DEFAULT
        new = old.with_changes(
            posonly_params=positional_only, params=plain, star_arg=star, kwonly_params=keyword
        )
        return self._function.node.with_changes(params=_separated(old, new), returns=self._returns)


def _separated(old: cst.Parameters, new: cst.Parameters) -> cst.Parameters:
    """Let the last parameter keep or omit its comma as before; libcst writes those between others."""
    had_comma = any(isinstance(param.comma, cst.Comma) for param in [*_flat(old)][-1:])
    for last in [*_flat(new)][-1:]:
        if had_comma is not isinstance(last.comma, cst.Comma) and (had_comma or "#" not in code(last)):
            comma = cst.Comma() if had_comma else cst.MaybeSentinel.DEFAULT
            return cst.ensure_type(new.deep_replace(last, last.with_changes(comma=comma)), cst.Parameters)
    return new


def _flat(parameters: cst.Parameters) -> Iterator[cst.Param]:
    groups = (parameters.posonly_params, parameters.params, [parameters.star_arg], parameters.kwonly_params)
    for group in (*groups, [parameters.star_kwarg]):
        yield from (param for param in group if isinstance(param, cst.Param))


def header(node: cst.FunctionDef) -> str:
    """Return a function's header, with `...` as its body."""
    body = cst.SimpleStatementSuite([cst.Expr(cst.Ellipsis())])
    return code(node.with_changes(body=body, decorators=[], leading_lines=[], lines_after_decorators=[]))


def with_header(node: cst.FunctionDef, laid_out: str) -> cst.FunctionDef:
    """Return a function with its formatted header."""
    parsed = cst.ensure_type(cst.parse_module(laid_out + "\n").body[0], cst.FunctionDef)
    names = "params returns whitespace_after_def whitespace_after_name whitespace_before_params whitespace_before_colon"
    return node.with_changes(**{name: getattr(parsed, name) for name in names.split()})
