"""Finds the objects of a contract that a step of the upgrade changes: what each is, by where it is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from relay.contract.schema_words import inner_schemas

from .contract_files import ContractFiles, File
from .tree import Map

METHODS = "get put post delete options head patch trace query".split()

# What the fields of each object contain: one object, a list, a map of names, or one of which `x-` keys are extensions.
_V2 = {
    "document": {
        "paths": "patterned path item",
        "definitions": "names schema",
        "parameters": "names parameter",
        "responses": "names response",
    },
    "path item": {"parameters": "list parameter", **dict.fromkeys(METHODS, "one operation")},
    "operation": {"parameters": "list parameter", "responses": "patterned response"},
    "parameter": {"schema": "one schema"},
    "response": {"schema": "one schema", "headers": "names header"},
}
_V3 = {
    "document": {
        "paths": "patterned path item",
        "webhooks": "names path item",
        "components": "one components",
    },
    "components": {
        "schemas": "names schema",
        "responses": "names response",
        "parameters": "names parameter",
        "requestBodies": "names request body",
        "headers": "names header",
        "callbacks": "names callback",
        "pathItems": "names path item",
        "mediaTypes": "names media type",
    },
    "path item": {
        "parameters": "list parameter",
        "additionalOperations": "names operation",
        **dict.fromkeys(METHODS, "one operation"),
    },
    "operation": {
        "parameters": "list parameter",
        "requestBody": "one request body",
        "responses": "patterned response",
        "callbacks": "names callback",
    },
    "parameter": {"schema": "one schema", "content": "names media type"},
    "header": {"schema": "one schema", "content": "names media type"},
    "request body": {"content": "names media type"},
    "response": {"headers": "names header", "content": "names media type"},
    "media type": {"schema": "one schema", "itemSchema": "one schema", "encoding": "names encoding"},
    "encoding": {"headers": "names header"},
}


class Visit(NamedTuple):
    """An object of a contract, what it is, and the file that has it."""

    role: str
    value: Map
    file: File


def visits(files: ContractFiles, version: str) -> list[Visit]:
    """Return the objects in the files of one version, each once; `$ref`s are followed into other files."""
    found: list[Visit] = []
    known: set[int] = set()
    started: set[int] = set()
    pending: deque[Visit] = deque([Visit("document", files.root.root, files.root)])
    while pending:
        visit = pending.popleft()
        if id(visit.value) not in known and files.version(visit.file) == version:
            known.add(id(visit.value))
            found.append(visit)
            pending.extend(_inner(files, visit, _V2 if version == "2.0" else _V3))
        if not pending:  # files that are contracts of their own, which others refer to in part
            others = [one for one in files.files.values() if one.own_version and id(one) not in started]
            started.update(map(id, others))
            pending.extend(Visit("document", one.root, one) for one in others)
    return found


def _inner(files: ContractFiles, visit: Visit, grammar: dict[str, dict[str, str]]) -> Iterator[Visit]:
    """Yield the objects directly in an object, and what its `$ref` leads to."""
    role, value, file = visit
    target = files.follow(value, file)
    if target is not None and isinstance(target[0], Map):
        yield Visit(role, *target)
    if role == "schema":
        yield from (Visit(role, part, file) for _, part in inner_schemas(value) if isinstance(part, Map))
        return
    members = grammar.get(role, {})
    if role == "callback":
        members = {key: "one path item" for key in value if key[:2] != "x-"}
    for key in [key for key in members if key in value]:
        shape, _, inner = members[key].partition(" ")
        found: Any = [value[key]] if shape == "one" else value[key]
        if shape in ("names", "patterned"):
            names = found if isinstance(found, dict) else {}
            found = [one for name, one in names.items() if shape == "names" or not name.startswith("x-")]
        for one in found if isinstance(found, list) else ():
            if isinstance(one, Map):
                yield Visit(inner, one, file)
