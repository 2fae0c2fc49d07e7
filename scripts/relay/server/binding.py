"""Binds each operation to its handler: found by first tag and operationId, called by argument name.

`GET /pets` with the tag "Pet Shop" and the operationId `list-pets` is `pet_shop.list_pets` of the
handlers package; the contract needs no extension for that. A handler gets, as keyword arguments:

- each parameter of the contract, under its name in snake case (`X-Trace` → `x_trace`);
- `body`, if the operation has one;
- `caller`, the result of the package's `identify`, and `claims`, the claims of the credential; both
  are None on an operation without security;
- the package's collaborators;
- `request`, a `relay.Request`, if it names this argument and none of the above has the name;
- `user`, `token_info` and `context_` as Connexion has them, if it names them and none of the above has the name.

Where the package has no such function, one that the contract names by a Python path serves the operation; it
gets its arguments as Connexion passes them (`connexion_arguments.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

from relay.contract.connexion_words import python_path
from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Pointer, display
from relay.contract.model import Contract, Operation
from relay.contract.names import RESERVED_ARGUMENTS

from .connexion_arguments import ConnexionArguments
from .connexion_code import connexion_notes, template_notes
from .functions import (
    CONTEXT_ARGUMENTS,
    missing_handler_message,
    required_names,
    signature_problems,
)
from .handler_modules import NamedFunctions, find_function, is_package, module_name
from .threads import Function


class MissingHandlerPolicy(StrEnum):
    """A policy for missing handlers: an error at start, a 501 response, or a mock response."""

    FAIL = "fail"
    STUB = "stub"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class Policies:
    """The default policy, and the policies of single tags."""

    default: MissingHandlerPolicy = MissingHandlerPolicy.FAIL
    by_tag: Mapping[str, MissingHandlerPolicy] = field(default_factory=dict)

    def of(self, operation: Operation) -> MissingHandlerPolicy:
        """Return the policy of an operation: that of its first tag, else the default."""
        return self.by_tag.get(operation.tag, self.default)

    def cover(self, contract: Contract) -> bool:
        """Return True if the contract can be served without any handler."""
        return all(self.of(operation) is not MissingHandlerPolicy.FAIL for operation in contract.operations)

    def includes(self, policy: MissingHandlerPolicy) -> bool:
        """Return True if a policy is used by default or for a tag."""
        return policy in (self.default, *self.by_tag.values())


def read_policies(texts: Iterable[str], contract: Contract) -> Policies:
    """Parse policies, such as `mock` or, for a tag, `Event Logs=stub`; later ones go first. Raises SetupError."""
    tags = {operation.tag for operation in contract.operations}
    problems: list[Diagnostic] = []
    default, by_tag = MissingHandlerPolicy.FAIL, {}
    for text in texts:
        tag, sign, word = (part.strip() for part in text.rpartition("="))
        if word not in list(MissingHandlerPolicy):
            message = f"unknown policy '{text.strip()}'; use fail, stub or mock, or TAG=mock for one tag"
            problems.append(Diagnostic("RELAY_MISSING", message))
        elif not sign:
            default = MissingHandlerPolicy(word)
        elif tag not in tags:
            message = f"no operation has the first tag '{tag}'; the tags are {', '.join(sorted(tags))}"
            problems.append(Diagnostic("RELAY_MISSING", message))
        else:
            by_tag[tag] = MissingHandlerPolicy(word)
    if problems:
        raise SetupError(problems)
    return Policies(default, by_tag)


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation and its handler; `names` are arguments by pointer, `sent` those of a named function."""

    operation: Operation
    function: Function
    names: Mapping[Pointer, str]
    missing: MissingHandlerPolicy | None = None
    is_named: bool = False
    sent: frozenset[str] = frozenset()

    def unknown_names(self, collaborators: Iterable[str]) -> list[str]:
        """Return the required arguments that Relay does not pass."""
        sent = self.sent if self.is_named else self.names.values()
        known = {*sent, *RESERVED_ARGUMENTS, *CONTEXT_ARGUMENTS, "request", *collaborators}
        return [name for name in required_names(self.function) if name not in known]


def bind(
    contract: Contract,
    package: ModuleType,
    policies: Policies | None = None,
    named: NamedFunctions | None = None,
) -> tuple[list[Binding], list[Diagnostic]]:
    """Find the handler of every operation; return the bindings, and what is wrong with handlers."""
    policies, named = policies or Policies(), named or NamedFunctions()
    problems: list[Diagnostic] = []
    bindings: list[Binding] = []
    for operation in contract.operations:
        try:
            binding, found = _bound(operation, contract, package, policies.of(operation), named)
        except SetupError as exc:
            problems += exc.problems
            continue
        bindings.append(binding)
        problems += found
    if any(binding.is_named for binding in bindings):
        problems += [*template_notes(contract), *connexion_notes(named.folder)]
    return bindings, problems


def _bound(
    operation: Operation,
    contract: Contract,
    package: ModuleType,
    policy: MissingHandlerPolicy,
    named: NamedFunctions,
) -> tuple[Binding, list[Diagnostic]]:
    """Return the binding of an operation, and what its function does not accept. Raises SetupError without one."""
    function = find_function(operation, contract, package)
    if function is not None and not (policy is MissingHandlerPolicy.MOCK and is_stub(function)):
        binding = Binding(operation, function, operation.arguments)
        return binding, list(signature_problems(operation, function, contract))
    if function is None and (other := named.of(operation, contract)) is not None:
        arguments = ConnexionArguments(operation, other, contract)
        adapted, names = arguments.adapted(), arguments.names
        return Binding(operation, adapted, names, is_named=True, sent=arguments.sent), list(
            arguments.problems()
        )
    if policy is not MissingHandlerPolicy.FAIL:
        return Binding(operation, _not_implemented, operation.arguments, policy), []
    where, path = contract.place(operation.pointer), python_path(operation, contract)
    if path and (not is_package(package) or named.module(path) is not None):
        message = f"{operation} has no handler: '{path}' is not there; {named.missing(path)}"
    else:
        name = module_name(operation, package)
        module = sys.modules.get(name)
        target = f"the module {name}" if module is None else display(Path(str(module.__file__)))
        message = missing_handler_message(operation, target)
    raise SetupError([Diagnostic(where, message)])


async def _not_implemented(**_arguments: Any) -> None:
    """The handler of operations without one."""
    raise NotImplementedError


def is_stub(function: Function) -> bool:
    """Return True for an unchanged stub: an async function with only `raise NotImplementedError`."""
    code = getattr(function, "__code__", None)
    return code is not None and (code.co_code, code.co_names) == _STUB


_STUB = _not_implemented.__code__.co_code, _not_implemented.__code__.co_names
