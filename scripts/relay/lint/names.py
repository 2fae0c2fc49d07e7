"""Checks names: in Python those of modules, functions and arguments; those of tags and servers."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.connexion_words import python_path
from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation
from relay.contract.names import argument_word, derived_id, function_word
from relay.contract.pointers import kinds_of

from .lint_rules import Found, findings


def check_names(contract: Contract) -> Iterator[Found]:
    """Yield names that are missing, that collide, or that differ in Python."""
    yield from _shared_modules(contract)
    for operation in contract.operations:
        raw = contract.raw(operation)
        if "operationId" not in raw:
            message = f"{operation} has no operationId, so its handler is {operation.function}(); add an operationId"
            yield "missing-operation-id", operation.pointer, message
        yield from _differing(contract, operation)
        if not raw.get("tags"):
            message = f"{operation} has no tag, so its handler is in default.py; add a tag"
            yield "missing-tag", operation.pointer, message


def given_names(contract: Contract) -> list[Diagnostic]:
    """Return the operations and parameters that could not get the name that they ask for."""
    found = findings(
        lambda _: (one for each in contract.operations for one in _differing(contract, each)), contract
    )
    return [one for one in found if one.rule != "python-name"]


def _shared_modules(contract: Contract) -> Iterator[Found]:
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
            yield "tag-collision", (*operation.pointer, "tags"), message


def _differing(contract: Contract, operation: Operation) -> Iterator[Found]:
    """Yield the names of a function and its arguments that are not chosen, and not as the contract spells them."""
    if not contract.chosen_names.function(operation):
        yield from _function(contract, operation)
    for parameter in operation.parameters:
        if contract.chosen_names.argument(operation, parameter):
            continue
        name, asked = operation.arguments[parameter.pointer], argument_word(parameter.name)
        if name not in (asked, f"{parameter.location}_{asked}"):
            message = (
                f"another parameter of {operation} has the argument '{asked}', so the argument of the "
                f"{parameter.location} parameter '{parameter.name}' is '{name}'; to choose another, set "
                f'"{parameter.location} {parameter.name}" in [tool.relay.names.parameters]'
            )
            yield "argument-collision", parameter.pointer, message
        if asked.startswith("_") or asked.endswith("_"):
            word = asked.rstrip("_")
            is_reserved = keyword.iskeyword(word) or word.isidentifier()
            reason = "is reserved" if is_reserved else "is not a Python name"
            message = f"the parameter '{parameter.name}' {reason}, so its argument is '{name}'"
            yield "python-name", parameter.pointer, message


def _function(contract: Contract, operation: Operation) -> Iterator[Found]:
    word = contract.raw(operation).get("operationId") or derived_id(operation.method, operation.path)
    name, asked = operation.function, function_word(word)
    if name != asked:
        message = (
            f"another operation of {operation.module}.py has the name {asked}(), so the handler of {operation} is "
            f'{name}(); to choose another, set "{operation}" in [tool.relay.names.operations]'
        )
        yield "name-collision", operation.pointer, message
    elif name != operation.id and not python_path(operation, contract):
        message = f"the operationId '{operation.id}' is not a Python name, so its handler is {name}()"
        yield "python-name", (*operation.pointer, "operationId"), message


def check_tags(contract: Contract) -> Iterator[Found]:
    """Yield tags and parents that are not in the list of tags, and parents that lead back to their tag."""
    listed = {tag["name"]: index for index, tag in enumerate(contract.document.get("tags", []))}
    for operation in contract.operations if listed else ():
        for index, tag in enumerate(contract.raw(operation).get("tags") or []):
            if tag not in listed:
                message = (
                    f"the tag '{tag}' is not in the contract's list of tags; add it or use one of the list"
                )
                yield "undeclared-tag", (*operation.pointer, "tags", str(index)), message
    if contract.version not in ("3.0", "3.1"):
        yield from _parents(contract.document.get("tags", []), listed)


def _parents(tags: list[dict[str, Any]], listed: Mapping[str, int]) -> Iterator[Found]:
    parents = {name: tags[index]["parent"] for name, index in listed.items() if "parent" in tags[index]}
    for name, parent in parents.items():
        if parent not in listed:
            message = f"the parent '{parent}' of the tag '{name}' is not in the list of tags; add it, or name one of the list"
            yield "undeclared-tag", ("tags", str(listed[name]), "parent"), message
    seen: set[str] = set()
    for start in parents:
        name, way = start, list[str]()
        while name in parents and name not in seen:
            seen.add(name)
            way.append(name)
            name = parents[name]
        if name in way:
            circle = " → ".join([*way[way.index(name) :], name])
            message = f"the parents of the tag '{name}' lead back to it ({circle}); remove one `parent`"
            yield "circular-tag", ("tags", str(listed[name]), "parent"), message


def check_unique_names(contract: Contract) -> Iterator[Found]:
    """Yield each tag with the name of one before it in the list, and since OpenAPI 3.2 each such server."""
    yield from _repeated(contract.document.get("tags"), ("tags",), "tag")
    for at, value, kind in kinds_of(contract.published) if contract.version not in ("3.0", "3.1") else ():
        if kind == "object":
            yield from _repeated(value.get("servers"), (*at, "servers"), "server")


def _repeated(listed: Any, at: Pointer, what: str) -> Iterator[Found]:
    names: set[str] = set()
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        name = one.get("name") if isinstance(one, dict) else None
        if name in names:
            message = f"another {what} has the name '{name}'; rename one of them, or remove it"
            yield "duplicate-name", (*at, str(index), "name"), message
        elif isinstance(name, str):
            names.add(name)
