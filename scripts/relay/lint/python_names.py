"""What the contract's words become in Python: modules, functions, arguments."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract, Operation
from relay.server.binding import argument_names, function_name, module_collisions, slug

from .lint_rules import finding


def check_names(contract: Contract) -> Iterator[Diagnostic]:
    """Find names that are missing, that collide, and that Python writes otherwise."""
    yield from module_collisions(contract)
    declared = {tag["name"] for tag in contract.document.get("tags", [])}
    for operation in contract.operations:
        raw = contract.raw(operation)
        if "operationId" not in raw:
            message = f"{operation} has no operationId: its handler is {function_name(operation)}(); name it yourself"
            yield finding(contract, "missing-operation-id", operation.pointer, message)
        yield from _function(contract, operation)
        yield from _arguments(contract, operation)
        if not raw.get("tags"):
            message = f"{operation} has no tag: its handler goes into default.py; give it one"
            yield finding(contract, "missing-tag", operation.pointer, message)
        for index, tag in enumerate(raw.get("tags") or []):
            if declared and tag not in declared:
                message = f"the tag '{tag}' is none of the contract's tags; list it there, or use one of them"
                yield finding(contract, "undeclared-tag", (*operation.pointer, "tags", str(index)), message)


def _function(contract: Contract, operation: Operation) -> Iterator[Diagnostic]:
    name = function_name(operation)
    if name != operation.id:
        message = f"the operationId '{operation.id}' is no name in Python: its handler is {name}()"
        yield finding(contract, "python-name", (*operation.pointer, "operationId"), message)


def _arguments(contract: Contract, operation: Operation) -> Iterator[Diagnostic]:
    names = argument_names(operation)
    for name, times in Counter(names.values()).items():
        if times > 1:
            message = f"several parameters of {operation} would be the argument '{name}'; rename one"
            yield finding(contract, "argument-collision", operation.pointer, message)
    for parameter in operation.parameters:
        word = slug(parameter.name)
        if word.startswith("_") or word.endswith("_"):
            reason = "is a word of Python's or the host's" if _is_taken(word) else "is no name in Python"
            message = (
                f"the parameter '{parameter.name}' {reason}: its argument is '{names[parameter.pointer]}'"
            )
            yield finding(contract, "python-name", parameter.pointer, message)


def _is_taken(word: str) -> bool:
    return keyword.iskeyword(word.rstrip("_")) or word.rstrip("_").isidentifier()
