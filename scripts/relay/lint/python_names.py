"""Checks the Python names of modules, functions and arguments."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract, Operation
from relay.server.binding import argument_names, function_name, module_collisions, slug

from .lint_rules import finding


def check_names(contract: Contract) -> Iterator[Diagnostic]:
    """Yield names that are missing, that collide, or that differ in Python."""
    yield from module_collisions(contract)
    declared = {tag["name"] for tag in contract.document.get("tags", [])}
    for operation in contract.operations:
        raw = contract.raw(operation)
        if "operationId" not in raw:
            message = f"{operation} has no operationId, so its handler is {function_name(operation)}(); add an operationId"
            yield finding(contract, "missing-operation-id", operation.pointer, message)
        yield from _function(contract, operation)
        yield from _arguments(contract, operation)
        if not raw.get("tags"):
            message = f"{operation} has no tag, so its handler is in default.py; add a tag"
            yield finding(contract, "missing-tag", operation.pointer, message)
        for index, tag in enumerate(raw.get("tags") or []):
            if declared and tag not in declared:
                message = (
                    f"the tag '{tag}' is not in the contract's list of tags; add it or use one of the list"
                )
                yield finding(contract, "undeclared-tag", (*operation.pointer, "tags", str(index)), message)


def _function(contract: Contract, operation: Operation) -> Iterator[Diagnostic]:
    name = function_name(operation)
    if name != operation.id:
        message = f"the operationId '{operation.id}' is not a Python name, so its handler is {name}()"
        yield finding(contract, "python-name", (*operation.pointer, "operationId"), message)


def _arguments(contract: Contract, operation: Operation) -> Iterator[Diagnostic]:
    names = argument_names(operation)
    for name, times in Counter(names.values()).items():
        if times > 1:
            message = f"several parameters of {operation} map to the argument '{name}'; rename one"
            yield finding(contract, "argument-collision", operation.pointer, message)
    for parameter in operation.parameters:
        word = slug(parameter.name)
        if word.startswith("_") or word.endswith("_"):
            reason = "is reserved" if _is_reserved(word) else "is not a Python name"
            message = (
                f"the parameter '{parameter.name}' {reason}, so its argument is '{names[parameter.pointer]}'"
            )
            yield finding(contract, "python-name", parameter.pointer, message)


def _is_reserved(word: str) -> bool:
    return keyword.iskeyword(word.rstrip("_")) or word.rstrip("_").isidentifier()
