"""Compare a handler's signature with the signature that the contract requires."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from relay.contract.model import Operation
from relay.project.module_source import Argument, Function
from relay.project.package_source import Sources
from relay.project.syntax import code, nodes
from relay.server import functions

from .annotation_reader import meanings, read_annotation, stream_names
from .annotations import BYTES, NONE, UPLOAD, Type, agrees, union
from .argument_usage import hides, uses
from .documented_results import STREAM, can_read, read_by
from .expected_signature import Difference, ExpectedArgument, Signature
from .handler_lookup import Unread, is_plain, resolve
from .return_diff import return_differences

ALWAYS_GIVEN = frozenset({"caller", "claims"})
GIVEN_BY_NAME = functions.CONTEXT_ARGUMENTS | {"request"}
"""Arguments that any handler may name; one that was the contract's until now meant something else."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The inputs of a comparison: `known` are the arguments that the contract gave the handler before.

    `classes` are those of the package's generated types. `collaborators` is None if they cannot be read from source.
    """

    operation: Operation
    wanted: Signature
    package: str
    classes: frozenset[str]
    collaborators: frozenset[str] | None
    known: frozenset[str]

    def differences(self, function: Function) -> list[Difference]:
        """Return the differences of a function that serves the operation."""
        return [*self._receiving(function), *self._annotations(function)]

    def _receiving(self, function: Function) -> Iterator[Difference]:
        for argument in function.arguments:
            if argument.kind == "positional only":
                message = functions.positional_only_message(argument.name)
                yield Difference("unreceivable-argument", message, argument.node, argument)
        # A plain function gets other types of streams.
        sent = [
            replace(one, type=read_by(one.type, is_async=function.is_async)) for one in self.wanted.arguments
        ]
        arguments = {argument.name: argument for argument in function.arguments}
        extra = [argument for argument in function.arguments if self._is_extra(argument)]
        misnamed = dict(self._misnamed(extra, [one.name for one in sent if one.name not in arguments]))
        for one in sent:
            if one.name not in arguments:
                yield from _absent(function, one, misnamed.get(one.name))
            elif (given := arguments[one.name]).default is None and not one.always:
                message = functions.missing_default_message(one)
                yield Difference("default-needed", message, given.node, given, one)
        yield from (self._extra(function, one) for one in extra if one not in misnamed.values())

    def _is_extra(self, argument: Argument) -> bool:
        """Return True if it is neither the contract's nor a collaborator, but is required or was the contract's."""
        given = ALWAYS_GIVEN.union(self.collaborators or ())
        if self.wanted.argument(argument.name) is not None or argument.name in given:
            return False
        is_required = argument.default is None and argument.name not in GIVEN_BY_NAME
        return argument.name in self.known or is_required

    def _misnamed(self, extra: list[Argument], missing: list[str]) -> Iterator[tuple[str, Argument]]:
        """Pair each missing argument with the one extra argument whose name is close to it.

        If the extra argument may be a collaborator, only case and underscores may differ.
        """
        left = {argument.name: argument for argument in extra}
        for name in missing:
            plain = {one.replace("_", "").lower(): one for one in left}
            wanted = name.replace("_", "").lower()
            near = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.75)
            if near and (near[0] == wanted or self._is_certain(left[plain[near[0]]])):
                yield name, left.pop(plain[near[0]])

    def _extra(self, function: Function, argument: Argument) -> Difference:
        is_certain = self._is_certain(argument)
        if argument.name in self.known:
            message = f"{self.operation} no longer sends '{argument.name}': remove the argument"
            message += _and_uses(function, argument)
        elif is_certain:
            offered = ", ".join(sorted(self.collaborators or ())) or "none"
            message = (
                f"{self.operation} does not send '{argument.name}', and no collaborator has that name "
                f"(collaborators: {offered}): rename or remove the argument"
            )
        else:
            message = (
                f"{self.operation} does not send '{argument.name}'; only starting the service shows whether "
                "a collaborator has that name"
            )
        return Difference("extra-argument", message, argument.node, argument, is_certain=is_certain)

    def _is_certain(self, argument: Argument) -> bool:
        return self.collaborators is not None or argument.name in self.known

    def _annotations(self, function: Function) -> Iterator[Difference]:
        meaning = meanings(function.module, self.package, self.classes)
        for argument in function.arguments:
            wanted, annotation = self.wanted.argument(argument.name), argument.annotation
            if wanted is None or annotation is None:
                continue
            right: Type | None = None
            if not (fault := _unreadable(function, annotation, wanted)):
                right = _wrong(function, argument, wanted, read_annotation(annotation, meaning))
                fault = f"{self.operation} requires {right.written({})}" if right is not None else ""
            if fault:
                message = f"'{argument.name}' is annotated {code(annotation)}; {fault}"
                yield Difference("argument-annotation", message, argument.node, argument, wanted, right)
        if function.returns is not None:
            results = self.wanted.results
            yield from return_differences(function.name, function.returns, self.operation, results, meaning)


def _absent(function: Function, one: ExpectedArgument, meant: Argument | None) -> Iterator[Difference]:
    if meant is not None:
        message = f"{one.what} is called '{one.name}': rename the argument '{meant.name}'"
        message += _and_uses(function, meant) + _but_hides(function, one.name)
        yield Difference("misnamed-argument", message, meant.node, meant, one)
    elif not function.takes_any:
        message = functions.missing_argument_message(one) + _but_hides(function, one.name)
        yield Difference("missing-argument", message, function.node, None, one)


def _wrong(
    function: Function, argument: Argument, wanted: ExpectedArgument, found: Type | None
) -> Type | None:
    """Return the annotation that an argument needs, given its default; None if it has it, or its author's own type."""
    has_own_default = argument.default is not None and not is_none(argument.default)
    is_exact = can_lose_default(function, argument) if wanted.always else has_own_default
    right = wanted.type if is_exact else union([wanted.type, NONE])
    allowed = [right, right.replaced(UPLOAD, BYTES)]  # a body in memory, if the author chooses it
    if has_own_default:
        allowed += [union([one, NONE]) for one in allowed]
    is_own = found is None or "tuple" in found.names("builtin")
    if is_own or any(agrees(one, found) for one in allowed if found is not None):
        return None
    return read_by(right, is_async=function.is_async)


def _unreadable(function: Function, annotation: cst.BaseExpression, wanted: ExpectedArgument) -> str:
    """Return why a function cannot read the items of an argument with an annotation; "" if it can."""
    names = [] if STREAM not in wanted.type.names("abc") else [*stream_names(annotation, function.module)]
    if all(can_read(name, is_async=function.is_async) for name in names):
        return ""
    if function.is_async:
        return "an async function reads the items with `async for`, from an AsyncIterator or AsyncIterable"
    return "a plain function reads the items with `for`, from an Iterator or Iterable"


def is_none(node: cst.BaseExpression | None) -> bool:
    """Return True for the expression None."""
    return isinstance(node, cst.Name) and node.value == "None"


def can_lose_default(function: Function, argument: Argument) -> bool:
    """Return True if `= None` may be removed: Python requires arguments without a default to come first."""
    if argument.kind == "keyword" or not is_none(argument.default):
        return True
    positional = [one for one in function.arguments if one.kind != "keyword"]
    return all(one.default is None for one in positional[: positional.index(argument)])


def _and_uses(function: Function, argument: Argument) -> str:
    """Return a message part with the lines of the body that use an argument."""
    lines = dict.fromkeys(str(function.module.place(node).line) for node in uses(function, argument.name))
    return f", and its use at line {', '.join(lines)}" if lines else ""


def _but_hides(function: Function, name: str) -> str:
    """Return a message part for a body that uses an argument's name for something else."""
    message = f"; {function.name}() uses '{name}' for something else: rename that first"
    return message if hides(function, name) else ""


def collaborator_names(sources: Sources) -> frozenset[str] | None:
    """Return the names of the package's `collaborators` and of its `scope`; None if source does not show them."""
    names: set[str] = set()
    for export in ("collaborators", "scope"):
        function = resolve(sources, "", export)
        if function is None:
            continue
        if isinstance(function, Unread) or not is_plain(sources, function):
            return None
        body = function.node.body
        inner = cst.FunctionDef, cst.Lambda, cst.ClassDef
        yielded = [one.value for one in nodes(body, cst.Yield, without=inner)]
        values = yielded or [one.value for one in nodes(body, cst.Return, without=inner)]
        keys = [
            element.key if isinstance(element, cst.DictElement) else None
            for value in values
            for element in (value.elements if isinstance(value, cst.Dict) else [None])
        ]
        texts = [str(key.evaluated_value) for key in keys if isinstance(key, cst.SimpleString)]
        if not values or len(texts) < len(keys):
            return None
        names |= {*texts}
    return frozenset(names)
