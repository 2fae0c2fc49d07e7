"""The contract as plain data: its operations, its schemas, and their locations.

It is one module because each part of an operation is read by following references from the place of the part around it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from .bundling import Bundle
from .chosen_names import ChosenNames, chosen_name_problems, with_names
from .diagnostics import Diagnostic, SetupError, Severity, SourceLocation
from .documents import Document, Pointer
from .methods import in_request, operations_in
from .names import derived_id, operation_ids
from .operations import (
    ABSENT,
    LeftOut,
    Location,
    Operation,
    Parameter,
    RequestBody,
    Response,
    Schema,
    SecurityRequirement,
)
from .pointers import lookup, parse_pointer
from .versions import Version

__all__ = [
    "ABSENT",
    "Contract",
    "LeftOut",
    "Location",
    "Operation",
    "Parameter",
    "RequestBody",
    "Response",
    "Schema",
    "SecurityRequirement",
]

_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form", "querystring": "form"}
_IGNORED_HEADERS = ("accept", "content-type", "authorization")  # OpenAPI 3.0.3, "Parameter Object", `name`
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's dumper takes a third of the time


class Contract:
    """An OpenAPI document, bundled: every `$ref` in `document` is local, and its schemas are canonical.

    Where the files have faults, it is their sound part; `published` is the document as they are written.
    """

    def __init__(self, bundle: Bundle, document: dict[str, Any], source: bytes | None = None) -> None:
        self._bundle = bundle
        self._source = source
        self.version: Version = bundle.version
        self.document = document
        self.faults: tuple[Diagnostic, ...] = ()
        self.left_out: tuple[LeftOut, ...] = ()
        self._resolved: dict[str, Any] = {}
        self.title: str = self.document["info"]["title"]
        self.base_path = self._base_path()
        schemes = (self.document.get("components") or {}).get("securitySchemes") or {}
        self.security_schemes: Mapping[str, Mapping[str, Any]] = {
            name: self.resolve(scheme) for name, scheme in schemes.items()
        }
        self.chosen_names = ChosenNames()
        self.operations = with_names(self._with_ids([*self._operations()]), self.chosen_names)

    def named(self, chosen: ChosenNames) -> Self:
        """Return the contract with names that a project chooses.

        Raises SetupError for keys that the contract does not have, and for impossible names.
        """
        if problems := self.chosen_name_problems(chosen):
            raise SetupError(problems)
        return self.renamed(chosen)

    def chosen_name_problems(self, chosen: ChosenNames) -> list[Diagnostic]:
        """Return what is wrong with chosen names; a key may be for an operation that is left out."""
        return chosen_name_problems(self.operations, chosen, is_whole=not self.left_out)

    def renamed(self, chosen: ChosenNames) -> Self:
        """Return the contract with names that may be chosen for another version of it."""
        renamed = copy.copy(self)
        renamed.chosen_names = chosen
        renamed.operations = with_names(self.operations, chosen)
        return renamed

    @property
    def warnings(self) -> list[Diagnostic]:
        """The faults, for commands that work on the rest: first the operations that are left out."""
        return [*(one.reason for one in self.left_out), *self.faults]

    @property
    def published(self) -> dict[str, Any]:
        """The document as it is written, with its faults."""
        return self._bundle.written if self.faults else self._bundle.data

    @property
    def documents(self) -> tuple[Document, ...]:
        """The files, as they are written."""
        return self._bundle.documents

    def not_served(self, name: str) -> LeftOut | None:
        """Return the operation that is left out and has this operationId, or is this `GET /pets`; None for others."""
        paths = self.published.get("paths") if self.left_out else None
        for one in self.left_out:
            item = paths.get(one.path) if isinstance(paths, dict) else None
            ids = [raw.get("operationId") for method, _, raw in operations_in(item) if method == one.method]
            if name in (*ids, f"{in_request(one.method)} {one.path}"):
                return one
        return None

    def reduced(
        self, operations: Iterable[Operation], faults: Iterable[Diagnostic], left_out: Iterable[LeftOut]
    ) -> Contract:
        """Return a contract with other operations, and with what is wrong with it."""
        contract = copy.copy(self)
        contract.operations = with_names(operations, self.chosen_names)
        contract.faults = tuple(dict.fromkeys(faults))
        contract.left_out = tuple(left_out)
        return contract

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the file, line and column of the value at `pointer`."""
        return self._bundle.place(pointer)

    def problem(self, pointer: Pointer, message: str, rule: str) -> Diagnostic:
        """Return an error for the value at `pointer`."""
        return Diagnostic(self.place(pointer), message, rule)

    def warning(self, pointer: Pointer, message: str, rule: str) -> Diagnostic:
        """Return a warning for the value at `pointer`."""
        return Diagnostic(self.place(pointer), message, rule, Severity.WARNING)

    def as_yaml(self) -> bytes:
        """Return the contract as YAML: the file's own bytes if it is one YAML file, else the bundle."""
        if self._source is not None:
            return self._source
        return yaml.dump(self.published, Dumper=_DUMPER, sort_keys=False, allow_unicode=True).encode()

    def resolve(self, value: Any) -> Any:
        """Follow local `$ref`s from `value` to the definition. Raises SetupError for a circular reference."""
        seen: dict[str, None] = {}
        while isinstance(value, dict) and isinstance(ref := value.get("$ref"), str):
            if ref in self._resolved:
                value = self._resolved[ref]
                break
            pointer = parse_pointer(ref[1:])
            if ref in seen:
                raise SetupError([self.problem(pointer, f"'{ref}' is a circular reference", "circular-ref")])
            seen[ref] = None
            value = lookup(self.document, pointer)
        self._resolved.update(dict.fromkeys(seen, value))
        return value

    def follow(self, pointer: Pointer) -> tuple[Any, Pointer]:
        """Return the value at a pointer that may pass through `$ref`s, and the value's own pointer."""
        value: Any = self.document
        at = Pointer()
        for token in (*pointer, None):
            while isinstance(value, dict) and isinstance(ref := value.get("$ref"), str):
                at = parse_pointer(ref[1:])
                value = lookup(self.document, at)
            if token is not None:
                value, at = lookup(value, (token,)), (*at, token)
        return value, at

    def raw(self, operation: Operation) -> dict[str, Any]:
        """Return an operation's Operation Object, unprocessed."""
        found: dict[str, Any] = self.follow(operation.pointer)[0]
        return found

    def add_path_parameter(self, operation: Operation, name: str) -> Parameter:
        """Declare a string as a path parameter of an operation, in a document of its own, and return it."""
        added = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        paths, raw = self.document["paths"], self.raw(operation)
        declared = [*raw.get("parameters", []), added]
        item = self.resolve(paths[operation.path])
        item = _with(item, operation.pointer[2:], {**raw, "parameters": declared})
        self.document = {**self.document, "paths": {**paths, operation.path: item}}
        return self._parameter(added, (*operation.pointer, "parameters", str(len(declared) - 1)))

    def default(self, schema: Schema) -> Any:
        """Return the default of a schema, direct or through its `$ref` and `allOf`; ABSENT if it has none."""
        return next((one["default"] for one in self.with_parts(schema) if "default" in one), ABSENT)

    def is_marked(self, schema: Schema, keyword: str) -> bool:
        """Return True if a schema, or the target of its `$ref`, has a keyword that is true.

        From OpenAPI 3.1 on those of its `allOf`, too: the canonical form has a `$ref` with other keywords there.
        """
        target = self.resolve(schema)
        if target.get(keyword) is True or self.version == "3.0" or "allOf" not in target:
            return target.get(keyword) is True
        return any(one.get(keyword) is True for one in self.with_parts(target))

    def with_parts(self, schema: Schema) -> Iterator[Schema]:
        """Yield a schema and those of its `allOf`, at each level and through `$ref`s; one that recurs ends."""
        seen: set[int] = set()
        pending = [schema]
        while pending:
            one = self.resolve(pending.pop())
            yield one
            if id(one) not in seen:
                seen.add(id(one))
                pending += reversed(one.get("allOf", []))

    def has_scopes(self, scheme: str) -> bool:
        """Return True for a scheme whose requirements may list scopes (OpenAPI 3.0.3, "Security Requirement Object")."""
        return self.security_schemes[scheme]["type"] in ("oauth2", "openIdConnect")

    def with_checked_scopes(self, requirement: SecurityRequirement) -> SecurityRequirement:
        """Return a requirement without the scopes of schemes that have none, because no credential can have them."""
        return {name: scopes if self.has_scopes(name) else [] for name, scopes in requirement.items()}

    def header(self, name: str, pointer: Pointer) -> Parameter:
        """Return the Header Object at a pointer, by its name."""
        return self._parameter(self.follow(pointer)[0], pointer, name, "header")

    def headers(self, owner: Mapping[str, Any], pointer: Pointer) -> tuple[Parameter, ...]:
        """Return the headers of a Response or an Encoding Object at a pointer; its Content-Type is ignored.

        OpenAPI 3.0.3, "Response Object" and "Encoding Object", `headers`.
        """
        return tuple(
            self._parameter(header, (*pointer, "headers", name), name, "header")
            for name, header in (owner.get("headers") or {}).items()
            if name.lower() != "content-type"
        )

    def parameter(self, pointer: Pointer) -> Parameter:
        """Return the Parameter Object or the Header Object at a pointer."""
        value = self.follow(pointer)[0]
        return self._parameter(value, pointer) if "in" in value else self.header(pointer[-1], pointer)

    def always_sends(self, parameter: Parameter) -> bool:
        """Return True if the parameter has a value in every valid request."""
        return parameter.required or self.default(parameter.schema) is not ABSENT

    def _base_path(self) -> str:
        server = (self.document.get("servers") or [{"url": "/"}])[0]
        values = server.get("variables") or {}
        url = re.sub(r"\{([^{}]*)\}", lambda one: values.get(one[1], {}).get("default", ""), server["url"])
        try:
            path = urlsplit(url).path.strip("/")
        except ValueError as exc:
            problem = self.problem(("servers", "0", "url"), "not a valid URL", "server-url")
            raise SetupError([problem]) from exc
        return f"/{path}" if path else ""

    def _operations(self) -> Iterator[Operation]:
        for path, value in self.document["paths"].items():
            item = {} if path.startswith("x-") else self.resolve(value)
            for method, at, raw in operations_in(item):
                yield self._operation(path, method, item, ("paths", path, *at), raw)

    def _with_ids(self, operations: Iterable[Operation]) -> Iterator[Operation]:
        wishes = {
            one.pointer: (self.raw(one).get("operationId"), derived_id(one.method, one.path))
            for one in operations
        }
        ids = operation_ids(wishes)
        return (replace(one, id=ids[one.pointer]) for one in operations)

    def _operation(
        self, path: str, method: str, item: dict[str, Any], pointer: Pointer, raw: dict[str, Any]
    ) -> Operation:
        parameters = {
            (parameter.name, parameter.location): parameter
            for owner, at in ((item, pointer[:2]), (raw, pointer))
            for index, value in enumerate(owner.get("parameters", []))
            if (parameter := self._parameter(value, (*at, "parameters", str(index)))).location != "header"
            or parameter.name.lower() not in _IGNORED_HEADERS
        }
        return Operation(
            method=method,
            path=path,
            id=raw.get("operationId") or derived_id(method, path),
            tag=(raw.get("tags") or ["default"])[0],
            parameters=tuple(parameters.values()),
            body=self._body(raw["requestBody"], (*pointer, "requestBody")) if "requestBody" in raw else None,
            responses={
                status.upper() if status != "default" else status: self._response(
                    value, (*pointer, "responses", status)
                )
                for status, value in raw.get("responses", {}).items()
                if not status.startswith("x-")
            },
            security=tuple(raw.get("security", self.document.get("security") or [])),
            pointer=pointer,
        )

    def _parameter(
        self, value: Any, pointer: Pointer, name: str = "", location: Location | None = None
    ) -> Parameter:
        raw = self.resolve(value)
        where: Location = location or raw["in"]
        media_type, media = next(iter((raw.get("content") or {}).items()), (None, raw))
        style = raw.get("style", _STYLES[where])
        return Parameter(
            name=name or raw["name"],
            location=where,
            required=raw.get("required", False),
            schema=media.get("schema", {}),
            style=style,
            explode=raw.get("explode", style in ("form", "cookie")),
            media_type=media_type,
            pointer=pointer,
            allows_empty=where == "query" and raw.get("allowEmptyValue") is True,
        )

    def _body(self, value: Any, pointer: Pointer) -> RequestBody:
        raw = self.resolve(value)
        return RequestBody(raw.get("required", False), schemas_of(raw), pointer, _items(raw))

    def _response(self, value: Any, pointer: Pointer) -> Response:
        raw = self.resolve(value)
        return Response(schemas_of(raw), self.headers(raw, pointer), pointer, _items(raw))


def schemas_of(owner: Mapping[str, Any]) -> dict[str, Schema]:
    """Return the schema of each media type of a body's or a response's `content`."""
    return {media_type: media.get("schema", {}) for media_type, media in (owner.get("content") or {}).items()}


def _items(owner: Mapping[str, Any]) -> dict[str, Schema]:
    content = owner.get("content") or {}
    return {name: media["itemSchema"] for name, media in content.items() if "itemSchema" in media}


def _with(value: dict[str, Any], pointer: Pointer, part: Any) -> dict[str, Any]:
    key, *rest = pointer
    return {**value, key: _with(value[key], tuple(rest), part) if rest else part}
