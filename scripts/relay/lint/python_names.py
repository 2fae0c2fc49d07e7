"""Checks the Python names of modules, functions and arguments."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from relay.contract.connexion_words import python_path
from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract, Operation
from relay.contract.names import argument_word, derived_id, function_word

from .lint_rules import finding


def check_names(contract: Contract) -> Iterator[Diagnostic]:
    """Yield names that are missing, that collide, or that differ in Python."""
    yield from _shared_modules(contract)
    for operation in contract.operations:
        raw = contract.raw(operation)
        if "operationId" not in raw:
            message = f"{operation} has no operationId, so its handler is {operation.function}(); add an operationId"
            yield finding(contract, "missing-operation-id", operation.pointer, message)
        yield from _function(contract, operation)
        yield from _arguments(contract, operation)
        if not raw.get("tags"):
            message = f"{operation} has no tag, so its handler is in default.py; add a tag"
            yield finding(contract, "missing-tag", operation.pointer, message)


def given_names(contract: Contract) -> Iterator[Diagnostic]:
    """Yield the operations and parameters that could not get the name that they ask for."""
    for operation in contract.operations:
        found = [*_function(contract, operation), *_arguments(contract, operation)]
        yield from (one for one in found if one.rule != "python-name")


def _shared_modules(contract: Contract) -> Iterator[Diagnostic]:
    tags: dict[str, str] = {}
    reported: set[str] = set()
    for operation in contract.operations:
        first = tags.setdefault(operation.module, operation.tag)
        if first != operation.tag and operation.tag not in reported:
            reported.add(operation.tag)
            message = (
                f"the tags '{first}' and '{operation.tag}' share the module {operation.module}.py; "
                f'to separate them, set "{operation.tag}" in [tool.relay.names.tags]'
            )
            yield finding(contract, "tag-collision", (*operation.pointer, "tags"), message)


def _function(contract: Contract, operation: Operation) -> Iterator[Diagnostic]:
    """Report a function that is not called as the operationId says, unless its name is chosen."""
    word = contract.raw(operation).get("operationId") or derived_id(operation.method, operation.path)
    name, asked = operation.function, function_word(word)
    if contract.chosen_names.function(operation):
        return
    if name != asked:
        message = (
            f"another operation of {operation.module}.py has the name {asked}(), so the handler of {operation} is "
            f'{name}(); to choose another, set "{operation}" in [tool.relay.names.operations]'
        )
        yield finding(contract, "name-collision", operation.pointer, message)
    elif name != operation.id and not python_path(operation, contract):
        message = f"the operationId '{operation.id}' is not a Python name, so its handler is {name}()"
        yield finding(contract, "python-name", (*operation.pointer, "operationId"), message)


def _arguments(contract: Contract, operation: Operation) -> Iterator[Diagnostic]:
    for parameter in operation.parameters:
        name, asked = operation.arguments[parameter.pointer], argument_word(parameter.name)
        if contract.chosen_names.argument(operation, parameter):
            continue
        if name not in (asked, f"{parameter.location}_{asked}"):
            message = (
                f"another parameter of {operation} has the argument '{asked}', so the argument of the "
                f"{parameter.location} parameter '{parameter.name}' is '{name}'; to choose another, set "
                f'"{parameter.location} {parameter.name}" in [tool.relay.names.parameters]'
            )
            yield finding(contract, "argument-collision", parameter.pointer, message)
        if asked.startswith("_") or asked.endswith("_"):
            reason = "is reserved" if _is_reserved(asked) else "is not a Python name"
            message = f"the parameter '{parameter.name}' {reason}, so its argument is '{name}'"
            yield finding(contract, "python-name", parameter.pointer, message)


def _is_reserved(word: str) -> bool:
    return keyword.iskeyword(word.rstrip("_")) or word.rstrip("_").isidentifier()
