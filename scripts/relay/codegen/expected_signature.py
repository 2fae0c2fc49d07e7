"""The signature that the contract requires of a handler: its arguments in order, and its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.contract.model import Contract, Operation
from relay.project.module_source import Argument
from relay.server.functions import HandlerArgument, handler_arguments

from .annotations import Type, of_schema, union
from .documented_results import DocumentedResults, HeaderClasses, documented_bodies, documented_results

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, slots=True)
class ExpectedArgument(HandlerArgument):
    """An argument that an operation passes, and its type."""

    type: Type


@dataclass(frozen=True, slots=True)
class Signature:
    """A handler's signature: what it is called with, and what it may return."""

    arguments: tuple[ExpectedArgument, ...]
    results: DocumentedResults

    def argument(self, name: str) -> ExpectedArgument | None:
        """Return the argument with a name; None if there is none."""
        return next((one for one in self.arguments if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between a handler's signature and the contract.

    `argument` is the handler's, `wanted` the contract's, where there is one; `type` is the annotation that
    resolves it. `is_certain` is False if the source alone does not show whether this is an error.
    """

    rule: str
    message: str
    node: cst.CSTNode
    argument: Argument | None = None
    wanted: ExpectedArgument | None = None
    type: Type | None = None
    is_certain: bool = True


def signature(
    operation: Operation, contract: Contract, names: Mapping[str, str], headers: HeaderClasses
) -> Signature:
    """Return the signature of an operation's handler; `names` are the classes of `components/schemas`."""
    types = [of_schema(parameter.schema, contract, names) for parameter in operation.parameters]
    if operation.body is not None:
        bodies = documented_bodies(operation.body, contract, names)
        types.append(union(one.type for one in sorted(bodies, key=lambda one: one.as_list is not None)))
    arguments = [
        ExpectedArgument(one.name, one.what, one.always, kind)
        for one, kind in zip(handler_arguments(operation, contract), types, strict=True)
    ]
    return Signature(tuple(arguments), documented_results(operation, contract, names, headers))
