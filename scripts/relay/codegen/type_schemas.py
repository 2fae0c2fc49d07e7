"""The schemas that types are generated from: the components, and those that have a class of their own without being one.

The generator makes a class of each of `components/schemas`. From OpenAPI 3.1 on a component may have schemas of its own
(`$defs`), to which `$ref`s lead; such a schema, and any other that is referred to in place, gets the name of its
place: `Pet/$defs/Toy` → `Toy`, or `PetToy` if that is in use.

So do the bodies that a service sends. A webhook is usually sent by POST, and any other method is part of the name:
`newPet` → `NewPetWebhook`, `NewPetPutWebhook`. A callback has the name of its operation, too, unless it is a component:
`subscribe`, `onEvent` → `SubscribeOnEventCallback`.

The files of multipart request bodies are uploads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from relay.contract.discriminators import mapped_schemas, mapping_of
from relay.contract.model import Contract, Schema
from relay.contract.outgoing import OutgoingRequest, outgoing_requests
from relay.contract.parsed import Pointer
from relay.contract.pointers import PointerNotFound, escape, lookup, mappings, parse_pointer, references
from relay.contract.schema_words import SCHEMA_WORDS
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_file

from .class_names import class_name, class_names, free_name
from .plain_schemas import plain_throughout

_COMPONENTS = "components", "schemas"

UPLOAD = "Upload"

IMPORT = f"from relay import {UPLOAD} as {UPLOAD}"
"""The line by which `_types.py` has the class, for itself and for modules with handlers."""

_TYPE = {"type": "string", "customTypePath": f"relay.{UPLOAD}"}
"""The keyword from which datamodel-code-generator makes an annotation with a class."""


@dataclass(frozen=True, slots=True)
class TypeSchemas:
    """Schemas by name; `nested` are the names of those that are no components, by `nested_key`."""

    schemas: Mapping[str, Schema]
    nested: Mapping[str, str] = field(default_factory=dict)


def nested_key(pointer: Pointer) -> str:
    """Return the key of a schema within a component; no component has it."""
    return "/".join(map(escape, pointer[2:]))


def type_schemas(contract: Contract) -> TypeSchemas:
    """Return the schemas that the types of a contract are generated from."""
    components = (contract.document.get("components") or {}).get("schemas") or {}
    if contract.version == "3.0":
        return TypeSchemas(components)
    return _Collector(contract, components).collected()


class _Collector:
    def __init__(self, contract: Contract, components: Mapping[str, Schema]) -> None:
        self._contract = contract
        self._schemas = {name: plain_throughout(without_title(one)) for name, one in components.items()}
        self._taken = {*class_names(components).values()}
        self._nested: dict[Pointer, str] = {}
        self._pending = [*self._schemas.values()]

    def collected(self) -> TypeSchemas:
        for name, schema in _outgoing_bodies(self._contract):
            self._add([name], schema)
        for pointer in self._in_operations():
            self._name_of(pointer)
        for schema in self._pending:  # renaming may add more
            for _, found in mappings(schema):
                self._rename_references(found)
        nested = {nested_key(at): name for at, name in self._nested.items() if at[:2] == _COMPONENTS}
        return TypeSchemas(self._schemas, nested)

    def _in_operations(self) -> Iterator[Pointer]:
        document = self._contract.document
        components = {key: one for key, one in (document.get("components") or {}).items() if key != "schemas"}
        for _, ref in references({**document, "components": components}):
            pointer = parse_pointer(ref[1:])
            if pointer[:2] == _COMPONENTS and len(pointer) > 3:
                yield pointer

    def _rename_references(self, schema: Schema) -> None:
        """Replace pointers that are no names of components, in a schema's `$ref` and mapping."""
        if isinstance(ref := schema.get("$ref"), str):
            schema["$ref"] = self._named(ref)
        if mapping := mapping_of(schema):
            known = mapped_schemas(schema, self._contract.document)
            schema["discriminator"]["mapping"] = {
                value: self._named(to) if to.startswith("#") else to
                for value, to in mapping.items()
                if value in known
            }

    def _named(self, ref: str) -> str:
        pointer = parse_pointer(ref[1:])
        if pointer[:2] == _COMPONENTS and len(pointer) == 3:
            return ref
        return f"#/components/schemas/{self._name_of(pointer)}"

    def _name_of(self, pointer: Pointer) -> str:
        """Return the name of the schema at a pointer, which is added if it is new."""
        if pointer not in self._nested:
            try:
                found = lookup(self._contract.document, pointer)
            except PointerNotFound:  # the canonical form may have it at another place
                found = {}
            self._nested[pointer] = self._add(_candidates(pointer), found if isinstance(found, dict) else {})
        return self._nested[pointer]

    def _add(self, candidates: list[str], schema: Schema) -> str:
        """Add a schema under the first candidate that is not in use, else under the last with a number."""
        name = free_name(candidates, self._taken)
        self._taken.add(name)
        self._schemas[name] = plain_throughout(without_title(schema))
        self._pending.append(self._schemas[name])
        return name


def _candidates(pointer: Pointer) -> list[str]:
    """Return names for the schema at a pointer: its own if it has one, then one with that of its component."""
    owner = class_name(pointer[2]) if pointer[0] == "components" and len(pointer) > 2 else ""
    if pointer[:2] != _COMPONENTS:
        return [f"{owner}Schema"]
    has_name = SCHEMA_WORDS.get(pointer[-2]) == "map"
    own = class_name(pointer[-1] if has_name else "_".join(pointer[3:]))
    return [own, f"{owner}{own}"] if has_name else [f"{owner}{own}"]


def without_title(schema: Schema) -> Schema:
    """Return a schema without its title, so that its class gets its name."""
    return {key: value for key, value in schema.items() if key != "title"}


def _outgoing_bodies(contract: Contract) -> Iterator[tuple[str, Schema]]:
    """Yield the name and the schema of each body that has a shape, those of shared requests once."""
    known: set[Pointer] = set()
    for request in outgoing_requests(contract):
        schemas = [
            schema for name, schema in request.content.items() if media.is_json(name) or media.is_form(name)
        ]
        if schemas and all(schemas) and request.pointer not in known:
            known.add(request.pointer)
            yield _name(request), schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _name(request: OutgoingRequest) -> str:
    is_shared = request.pointer[:2] == ("components", "callbacks")
    owner = "" if request.operation is None or is_shared else class_name(request.operation.id)
    name = class_name(request.pointer[2] if is_shared else request.name)
    kind = request.kind.capitalize()
    method = "" if request.method == "post" else class_name(request.method)
    return f"{owner}{name.removesuffix(kind)}{method}{kind}"


def with_uploads(contract: Contract, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components with uploads as the files of those that only multipart request bodies use."""
    forms, others = _used(contract)
    found = dict(schemas)
    for name in _closure(forms, schemas) - _closure(others, schemas):
        if isinstance(schema := schemas.get(name), dict) and isinstance(schema.get("properties"), dict):
            properties = {key: _upload(field, contract) for key, field in schema["properties"].items()}
            found[name] = {**schema, "properties": properties}
    return found


def takes_upload(media_type: str) -> bool:
    """Return True for a media type of bodies that a new handler takes as an upload: not text, nor a range of all kinds."""
    return media.is_binary(media_type) and not media.essence(media_type).startswith(("*", "application/*"))


def _upload(field: Any, contract: Contract) -> Any:
    """Return a property's schema with uploads in place of binary strings: of itself, or of its items."""
    if not isinstance(field, dict):
        return field
    if field.get("type") == "array":
        return {**field, "items": _upload(field.get("items"), contract)}
    if "anyOf" in field:
        return {**field, "anyOf": [_upload(part, contract) for part in field["anyOf"]]}
    if is_file(field, contract):
        kept = {key: value for key, value in field.items() if key in ("nullable", "description")}
        return {**kept, **_TYPE}
    return field


def _used(contract: Contract) -> tuple[set[str], set[str]]:
    """Return the components that multipart request bodies refer to, and those that anything else does."""
    forms: set[str] = set()
    others: set[str] = set()
    for operation in contract.operations:
        content = operation.body.content if operation.body else {}
        for name, schema in content.items():
            (forms if media.essence(name) == media.MULTIPART else others).update(_references(schema))
        contents = (response.content.values() for response in operation.responses.values())
        for schema in chain((one.schema for one in operation.parameters), *contents):
            others.update(_references(schema))
    return forms, others


def _closure(names: set[str], schemas: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    pending = [*names]
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += _references(schemas.get(name))
    return found


def _references(schema: Any) -> set[str]:
    pointers = (parse_pointer(ref[1:]) for _, ref in references(schema))
    return {pointer[2] for pointer in pointers if pointer[:2] == _COMPONENTS}
