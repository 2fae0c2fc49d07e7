"""Find the handlers that a contract names by Python paths and that can move to the modules of their tags.

A function moves if everything it needs is still there afterwards, and if every use of it can be updated. Any
other is reported with the reason, and stays.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import QualifiedNameProvider

from relay.contract.connexion_words import body_names
from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.project.module_source import Function, Imported, Module
from relay.project.syntax import declares, has_name, texts
from relay.server.connexion_arguments import absent_body, file_fields

from .argument_usage import global_names, name_uses, would_hide
from .import_edit import imports_of
from .named_handlers import NamedFunction, connexion_names
from .package_state import State
from .signature_diff import ALWAYS_GIVEN, GIVEN_BY_NAME, collaborator_names

_OF_A_MODULE = frozenset(
    {"__file__", "__name__", "__package__", "__path__", "__spec__", "globals", "exec", "eval"}
)


Reason = tuple[cst.CSTNode | None, str] | tuple[cst.CSTNode, str, Module]
"""Where and why a function cannot move; the module is given if it is another one than the function's."""


@dataclass(frozen=True, slots=True)
class Move:
    """A function, and the operation whose module and name it gets."""

    operation: Operation
    path: str
    function: Function

    @property
    def module(self) -> Module:
        """The module that has the function."""
        return self.function.module


class Moves:
    """The functions that can move, and why the others cannot."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._collaborators = collaborator_names(state.sources)
        self.refused: dict[str, Diagnostic] = {}
        self.possible: dict[str, Move] = {}
        for operation in state.contract.operations:
            if (named := state.handlers.named.get(operation.id)) is not None:
                self._consider(operation, named)
        while blocked := {move.path: why for move in self.possible.values() if (why := self._obstacle(move))}:
            for path, why in blocked.items():
                del self.possible[path]
                self.refused[path] = why

    def _consider(self, operation: Operation, named: NamedFunction) -> None:
        path, module, function = named
        if path in self.possible:
            move = self.possible.pop(path)
            self.refused[path] = self._diagnostic(move, None, "serves several operations")
        elif path not in self.refused:
            if function is None or function.is_repeated or function.node not in module.tree.body:
                message = f"{path} was not moved: it is not one function of the module's top level"
                self.refused[path] = Diagnostic(module.end, message, "not-moved", Severity.WARNING)
            else:
                self.possible[path] = Move(operation, path, function)

    def _diagnostic(
        self, move: Move, node: cst.CSTNode | None, why: str, module: Module | None = None
    ) -> Diagnostic:
        place = (module or move.module).place(node or move.function.node)
        target = display(self._state.sources.path(move.operation.module))
        message = f"{move.path} was not moved to {target}: {why}; move it by hand"
        return Diagnostic(place, message, "not-moved", Severity.WARNING)

    def _obstacle(self, move: Move) -> Diagnostic | None:
        reason = next(self._reasons(move), None)
        return None if reason is None else self._diagnostic(move, *reason)

    def _reasons(self, move: Move) -> Iterator[Reason]:
        target = self._state.sources.module(move.operation.module)
        if target is not None and target.fault is not None:
            yield None, "that module cannot be read"
            return
        yield from self._name_reasons(move, target)
        yield from _argument_reasons(move.function, move.operation, self._state.contract, self._collaborators)
        if target is move.module:
            return
        if target is not None and not target.is_lazy and move.module.is_lazy:
            yield None, "that module evaluates annotations; add `from __future__ import annotations` to it"
        yield from self._need_reasons(move, target)
        yield from self._inner_uses(move)
        yield from self._outer_uses(move)

    def _name_reasons(self, move: Move, target: Module | None) -> Iterator[Reason]:
        old, new = move.function.name, move.operation.function
        taken = frozenset() if target is None else target.names
        for name in taken & ({new} if target is move.module else {old, new}):
            yield None, f"that module has a name '{name}' already"
        if would_hide(move.module, old, new) or (target is not None and would_hide(target, old, new)):
            yield None, f"a function that uses it uses '{new}' for something else"

    def _need_reasons(self, move: Move, target: Module | None) -> Iterator[Reason]:
        module = move.module
        moving = {one.function.name for one in self.possible.values() if one.module is module}
        for name in sorted(self.needs(move)):
            if name in _OF_A_MODULE:
                yield None, f"it uses {name} of its module"
            elif name not in module.names:
                if module.stars and not hasattr(builtins, name):
                    yield None, f"'{name}' may come from `import *`"
            elif name in moving:
                yield None, f"it uses {name}(), which moves to another module"
            elif _is_rebound(module, name):
                yield None, f"it uses '{name}', which its module sets in several places"
            elif target is not None and name in target.names and not _is_same(module, target, name):
                yield None, f"that module uses the name '{name}' for something else"

    def needs(self, move: Move) -> set[str]:
        """Return the names of its module, or of Python, that a function uses and that do not move with it."""
        return global_names(move.function) - {one.function.name for one in self.together(move)}

    def together(self, move: Move) -> list[Move]:
        """Return the functions that move from the same module to the same one."""
        places = move.module, move.operation.module
        return [one for one in self.possible.values() if (one.module, one.operation.module) == places]

    def _inner_uses(self, move: Move) -> Iterator[Reason]:
        moving = {one.function.node for one in self.together(move)}
        rest = [statement for statement in move.module.tree.body if statement not in moving]
        for node in name_uses(rest, move.function.name):
            yield node, "the rest of its module uses it"
        for text in texts(move.module.tree):
            if text.value.strip("\"'") == move.function.name:
                yield text, "a string of its module has its name"

    def _outer_uses(self, move: Move) -> Iterator[Reason]:
        """Yield where other files use a function in a way that cannot be updated."""
        name, whole = move.function.name, f"{move.module.name}.{move.function.name}"
        for module in self._state.sources.modules([name]):
            if module is move.module:
                continue
            for node in _attribute_uses(module, whole):
                yield node, "it is used by an attribute of its module here", module
            if move.module.name in module.stars:
                yield module.tree, "it may be imported by `import *` here", module


def _attribute_uses(module: Module, whole: str) -> Iterator[cst.CSTNode]:
    for node, names in module.wrapper.resolve(QualifiedNameProvider).items():
        if isinstance(node, cst.Attribute) and names:
            found = names() if callable(names) else names
            if any(module.absolute_name(one.name) == whole for one in found):
                yield node


def _is_rebound(module: Module, name: str) -> bool:
    bound = module.times_bound(name)
    return declares(module.tree, name) or bound > max(1, len(imports_of(module, name)))


def _is_same(module: Module, target: Module, name: str) -> bool:
    """Return True if both modules import the same by a name, or one imports it from the other."""
    own, other = module.bindings.get(name), target.bindings.get(name)
    is_from_there = isinstance(other, Imported) and (other.module, other.member) == (module.name, name)
    return is_from_there or (isinstance(own, Imported) and own == other)


def _argument_reasons(
    function: Function, operation: Operation, contract: Contract, collaborators: frozenset[str] | None
) -> Iterator[Reason]:
    """Yield the arguments that a function would not get in the package, or with another value, and why.

    `collaborators` are the names of the package's own objects; None if they cannot be read from source.
    """
    own = {argument.name: argument for argument in function.arguments}
    names = connexion_names(operation, contract, [*own])
    body = operation.body
    bodies = {*body_names(operation, contract)} if body is not None else set()
    has_absent_body = body is not None and not body.required and absent_body(operation, contract) is not None
    files = file_fields(operation, contract)
    variadic = function.node.params.star_kwarg
    if variadic is not None and name_uses([function.node.body], variadic.name.value):
        yield variadic, f"in the package, '**{variadic.name.value}' has the names that Relay passes"
    for name, argument in own.items():
        if files and name in files | bodies:
            yield argument.node, "in the package, the files of a form are in `body`, as relay.Upload"
        elif name in bodies and argument.default is None and has_absent_body:
            what = f"for a request without a body, '{name}' has a value now"
            yield argument.node, f"{what}, and none in the package"
        elif name in names and not may_be_renamed(function, name, names[name]):
            yield argument.node, f"its argument '{name}' cannot be renamed to '{names[name]}' for certain"
        elif argument.default is None and collaborators is not None:
            sent = {*operation.arguments.values(), *names, *bodies, *ALWAYS_GIVEN, *GIVEN_BY_NAME}
            if name not in sent | collaborators:
                yield argument.node, f"{operation} does not send its argument '{name}'"


def may_be_renamed(function: Function, old: str, new: str) -> bool:
    """Return True if a function neither has the new name nor refers to its arguments in unusual ways."""
    words = (new, "locals", "vars", "eval", "exec")
    return not declares(function.node, old) and not has_name(function.node, *words)
