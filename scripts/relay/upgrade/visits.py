"""Finds the objects of a contract that a step of the upgrade changes: what each is, by where it is used."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from relay.contract.methods import ADDITIONAL, METHODS
from relay.contract.pointers import SECTIONS
from relay.contract.schema_words import inner_schemas
from relay.importer.text_tree import Map

from .contract_files import ContractFiles, File

_ONE = {
    **dict.fromkeys(METHODS, "Operation"),
    **dict.fromkeys(("schema", "itemSchema"), "Schema"),
    "requestBody": "RequestBody",
    "components": "Components",
}
"""The kind of the object that a field has."""

_SEVERAL = {**SECTIONS, "definitions": "Schema", "encoding": "Encoding", ADDITIONAL: "Operation"}
"""The kind of the objects in the list or in the map of names that a field has."""

_V2 = {
    "Document": ("paths", "definitions", "parameters", "responses"),
    "PathItem": ("parameters", *METHODS),
    "Operation": ("parameters", "responses"),
    "Parameter": ("schema",),
    "Response": ("schema", "headers"),
}
_V3 = {
    "Document": ("paths", "webhooks", "components"),
    "Components": "schemas responses parameters requestBodies headers callbacks pathItems mediaTypes".split(),
    "PathItem": ("parameters", ADDITIONAL, *METHODS),
    "Operation": ("parameters", "requestBody", "responses", "callbacks"),
    "Parameter": ("schema", "content"),
    "Header": ("schema", "content"),
    "RequestBody": ("content",),
    "Response": ("headers", "content"),
    "MediaType": ("schema", "itemSchema", "encoding"),
    "Encoding": ("headers",),
}
"""The fields of each kind of object that contain others."""


class Visit(NamedTuple):
    """An object of a contract, its kind, and the file that has it."""

    kind: str
    value: Map
    file: File


def visits(files: ContractFiles, version: str) -> list[Visit]:
    """Return the objects in the files of one version, each once; `$ref`s are followed into other files."""
    found: list[Visit] = []
    known: set[int] = set()
    started: set[int] = set()
    pending: deque[Visit] = deque([Visit("Document", files.root.root, files.root)])
    while pending:
        visit = pending.popleft()
        if id(visit.value) not in known and files.version(visit.file) == version:
            known.add(id(visit.value))
            found.append(visit)
            pending.extend(_inner(files, visit, _V2 if version == "2.0" else _V3))
        if not pending:  # files that are contracts of their own, which others refer to in part
            others = [one for one in files.files.values() if one.own_version and id(one) not in started]
            started.update(map(id, others))
            pending.extend(Visit("Document", one.root, one) for one in others)
    return found


def _inner(files: ContractFiles, visit: Visit, fields: Mapping[str, Iterable[str]]) -> Iterator[Visit]:
    """Yield the objects directly in an object, and what its `$ref` leads to."""
    kind, value, file = visit
    target = files.follow(value, file)
    if target is not None and isinstance(target[0], Map):
        yield Visit(kind, *target)
    if kind == "Schema":
        found: Iterable[tuple[str, Any]] = ((kind, part) for _, part in inner_schemas(value))
    elif kind == "Callback":
        found = [("PathItem", item) for key, item in value.items() if key[:2] != "x-"]
    else:
        found = [
            one for key in fields.get(kind, ()) if key in value for one in _members(kind, key, value[key])
        ]
    yield from (Visit(inner, one, file) for inner, one in found if isinstance(one, Map))


def _members(kind: str, key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a field of an object contains, and its kind; among paths and responses are extensions."""
    if key in _ONE:
        yield _ONE[key], value
    elif isinstance(value, list):
        yield from ((_SEVERAL[key], one) for one in value)
    elif isinstance(value, dict):
        has_extensions = (kind, key) in (("Document", "paths"), ("Operation", "responses"))
        for name, one in value.items():
            if not (has_extensions and name.startswith("x-")):
                yield _SEVERAL[key], one
