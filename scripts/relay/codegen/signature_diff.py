"""Compare a handler's signature with the signature that the contract requires."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import libcst as cst

from relay.contract.model import Contract, Operation
from relay.project.module_source import Argument, Function
from relay.project.syntax import code
from relay.server.functions import (
    CONTEXT_ARGUMENTS,
    HandlerArgument,
    handler_arguments,
    missing_argument_message,
    missing_default_message,
    positional_only_message,
)

from .annotation_reader import meanings, read_annotation, stream_names
from .annotations import BYTES, NONE, UPLOAD, Type, union
from .argument_usage import hides, uses
from .differences import Difference
from .expected_signature import ExpectedArgument, Signature
from .item_types import STREAM, can_read, read_by
from .return_diff import return_differences

ALWAYS_GIVEN = frozenset({"caller", "claims"})
GIVEN_BY_NAME = CONTEXT_ARGUMENTS | {"request"}
"""Arguments that any handler may name; one that was the contract's until now meant something else."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The inputs of a comparison: `known` are the arguments that the contract gave the handler before.

    `classes` are those of the package's generated types. `collaborators` is None if they cannot be read from source.
    """

    operation: Operation
    contract: Contract
    wanted: Signature
    package: str
    classes: frozenset[str]
    collaborators: frozenset[str] | None
    known: frozenset[str]

    def differences(self, function: Function) -> list[Difference]:
        """Return the differences of a function that serves the operation."""
        return [
            *self._receiving(function),
            *self._annotations(function),
        ]

    def _receiving(self, function: Function) -> Iterator[Difference]:
        for argument in function.arguments:
            if argument.kind == "positional only":
                message = positional_only_message(argument.name)
                yield Difference("unreceivable-argument", message, argument.node, argument)
        arguments = {argument.name: argument for argument in function.arguments}
        extra = [argument for argument in function.arguments if self._is_extra(argument)]
        missing = [one for one in self._sent() if one.name not in arguments]
        misnamed = dict(_misnamed(extra, missing, self._is_certain))
        for one in self._sent():
            wanted = self._wanted(function, one.name)
            given = arguments.get(one.name)
            if given is None:
                yield from self._absent(function, one, misnamed.get(one.name))
            elif given.default is None and not one.always:
                yield Difference("default-needed", missing_default_message(one), given.node, given, wanted)
        for argument in extra:
            if argument not in misnamed.values():
                yield self._extra(function, argument)

    def _absent(
        self, function: Function, one: HandlerArgument, meant: Argument | None
    ) -> Iterator[Difference]:
        wanted = self._wanted(function, one.name)
        if meant is not None:
            message = f"{one.what} is called '{one.name}': rename the argument '{meant.name}'"
            message += _and_uses(function, meant) + _but_hides(function, one.name)
            yield Difference("misnamed-argument", message, meant.node, meant, wanted)
        elif not function.takes_any:
            message = missing_argument_message(one) + _but_hides(function, one.name)
            yield Difference("missing-argument", message, function.node, None, wanted)

    def _wanted(self, function: Function, name: str) -> ExpectedArgument | None:
        """Return the contract's argument with a name, with the type that a function needs."""
        wanted = self.wanted.argument(name)
        return wanted and replace(wanted, type=read_by(wanted.type, is_async=function.is_async))

    def _sent(self) -> list[HandlerArgument]:
        return handler_arguments(self.operation, self.contract)

    def _is_extra(self, argument: Argument) -> bool:
        """Whether an argument is neither the contract's nor a collaborator, but is required or was the contract's."""
        if self.wanted.argument(argument.name) is not None or argument.name in ALWAYS_GIVEN:
            return False
        if argument.name in (self.collaborators or ()):
            return False
        return argument.name in self.known or (
            argument.default is None and argument.name not in GIVEN_BY_NAME
        )

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
        """Whether an extra argument cannot be a collaborator."""
        return self.collaborators is not None or argument.name in self.known

    def _annotations(self, function: Function) -> Iterator[Difference]:
        meaning = meanings(function.module, self.package, self.classes)
        for argument in function.arguments:
            wanted = self.wanted.argument(argument.name)
            if wanted is None or argument.annotation is None:
                continue
            if unreadable := _unreadable(function, argument.annotation, wanted):
                message = f"'{argument.name}' is annotated {code(argument.annotation)}; {unreadable}"
                yield Difference("argument-annotation", message, argument.node, argument, wanted)
                continue
            found = read_annotation(argument.annotation, meaning)
            right = argument_type(function, argument, wanted)
            allowed = [right, right.replaced(UPLOAD, BYTES)]  # a body in memory, if the author chooses it
            if _has_own_default(argument):
                allowed += [union([one, NONE]) for one in allowed]
            if found is None or "tuple" in found.names("builtin"):
                continue  # the author's own type
            if not any(one.agrees(found) for one in allowed):
                right = read_by(right, is_async=function.is_async)
                message = (
                    f"'{argument.name}' is annotated {code(argument.annotation)}; "
                    f"{self.operation} requires {right.written({})}"
                )
                yield Difference("argument-annotation", message, argument.node, argument, wanted, right)
        if function.returns is not None:
            yield from return_differences(
                function.name, function.returns, self.operation, self.wanted.results, meaning
            )


def _unreadable(function: Function, annotation: cst.BaseExpression, wanted: ExpectedArgument) -> str:
    """Return why a function cannot read the items of an argument with an annotation; "" if it can."""
    names = [] if STREAM not in wanted.type.names("abc") else [*stream_names(annotation, function.module)]
    if all(can_read(name, is_async=function.is_async) for name in names):
        return ""
    if function.is_async:
        return "an async function reads the items with `async for`, from an AsyncIterator or AsyncIterable"
    return "a plain function reads the items with `for`, from an Iterator or Iterable"


def argument_type(function: Function, argument: Argument, wanted: ExpectedArgument) -> Type:
    """Return the annotation that an argument needs, given the default that it has or will get."""
    if wanted.always:
        return wanted.type if can_lose_default(function, argument) else union([wanted.type, NONE])
    return wanted.type if _has_own_default(argument) else union([wanted.type, NONE])


def is_none(node: cst.BaseExpression | None) -> bool:
    """Whether an expression is None."""
    return isinstance(node, cst.Name) and node.value == "None"


def can_lose_default(function: Function, argument: Argument) -> bool:
    """Whether `= None` may be removed: Python requires arguments without a default to come first."""
    if argument.kind == "keyword" or not is_none(argument.default):
        return True
    positional = [one for one in function.arguments if one.kind != "keyword"]
    return all(one.default is None for one in positional[: positional.index(argument)])


def _has_own_default(argument: Argument) -> bool:
    return argument.default is not None and not is_none(argument.default)


def _misnamed(
    extra: list[Argument], missing: list[HandlerArgument], is_certain: Callable[[Argument], bool]
) -> Iterator[tuple[str, Argument]]:
    """Pair each missing argument with the one extra argument whose name is close to it.

    If the extra argument may be a collaborator, only case and underscores may differ.
    """
    left = {argument.name: argument for argument in extra}
    for one in missing:
        plain = {name.replace("_", "").lower(): name for name in left}
        wanted = one.name.replace("_", "").lower()
        near = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.75)
        if near and (near[0] == wanted or is_certain(left[plain[near[0]]])):
            yield one.name, left.pop(plain[near[0]])


def _and_uses(function: Function, argument: Argument) -> str:
    """Return a message part with the lines of the body that use an argument."""
    lines = dict.fromkeys(str(function.module.place(node).line) for node in uses(function, argument.name))
    return f", and its use at line {', '.join(lines)}" if lines else ""


def _but_hides(function: Function, name: str) -> str:
    """Return a message part for a body that uses an argument's name for something else."""
    if not hides(function, name):
        return ""
    return f"; {function.name}() uses '{name}' for something else: rename that first"
