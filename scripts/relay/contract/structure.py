"""Is it OpenAPI 3.0, and can its operations be told apart? Every breach, with its place."""

from __future__ import annotations

import difflib
import functools
import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs

from .bundling import Bundle, PointerNotFound, lookup, parse_pointer, references
from .diagnostics import Diagnostic
from .documents import Pointer
from .model import Contract, Operation

_SCHEMA: dict[str, Any] = json.loads(
    Path(__file__).with_name("schemas").joinpath("openapi-3.0.json").read_text("utf-8")
)
"""The OpenAPI Initiative's schema of OpenAPI 3.0, of 2021-09-28."""


def check_structure(bundle: Bundle) -> list[Diagnostic]:
    """Find every breach of the structure, in the order of places."""
    return told(bundle, breaches(bundle))


def told(bundle: Bundle, found: Iterable[Breach]) -> list[Diagnostic]:
    """Tell breaches of a bundle in the order of their places, each once."""
    places = {(bundle.place(breach.pointer), breach.message) for breach in found}
    return [Diagnostic(place, message, "structure") for place, message in sorted(places)]


class Breach(NamedTuple):
    """One breach of the structure; what is only `superfluous` keeps nobody from reading the rest."""

    pointer: Pointer
    message: str
    superfluous: bool = False


def breaches(bundle: Bundle) -> list[Breach]:
    """Hold a bundled document against the OpenAPI 3.0 JSON Schema."""
    validator = jsonschema_rs.Draft4Validator(_SCHEMA, mask="this")
    errors = list(_specific(validator.iter_errors(bundle.data)))
    mistyped = {tuple(error.instance_path) for error in errors if error.kind.name == "type"}
    found = [
        breach
        for error in errors
        if error.kind.name == "type" or tuple(error.instance_path) not in mistyped
        for breach in _tell(error, tuple(map(str, error.instance_path)), bundle.data)
    ]
    told = {breach.pointer for breach in found if breach.message != _SEVERAL_FIT}
    found = [breach for breach in found if breach.message != _SEVERAL_FIT or breach.pointer not in told]
    return [*found, *_wrong_targets(bundle.data)]


_SEVERAL_FIT = "several kinds of object fit here; add what makes it one of them"


def _specific(errors: Iterable[Any]) -> Iterator[Any]:
    """Follow "none of these fits" into the alternative that was meant: not the one that wants a `$ref`."""
    for error in errors:
        context = [list(branch) for branch in getattr(error.kind, "context", [])]
        branches = [branch for branch in context if not any(_wants_ref(inner, error) for inner in branch)]
        meant = [branch for branch in branches if not any(map(_is_enum, branch))]
        if branches and all(context):  # else one of them fits
            yield from _specific(max(meant, key=_depth) if meant else _told_apart(branches))
        else:
            yield error


_SECTIONS = {
    "parameters": "Parameter",
    "responses": "Response",
    "requestBodies": "RequestBody",
    "headers": "Header",
    "examples": "Example",
    "links": "Link",
    "callbacks": "Callback",
    "securitySchemes": "SecurityScheme",
    "paths": "PathItem",
    "schemas": "Schema",
}
_IN_SCHEMAS = frozenset(["schema", "items", "additionalProperties", "not"])


def _wrong_targets(document: Any) -> Iterator[Breach]:
    """Find each `$ref` that leads to an object of another kind than the one that belongs where it stands."""
    fits: dict[tuple[str, str], bool] = {}
    for pointer, ref in references(document):
        kind = _kind_at(pointer)
        target = parse_pointer(ref[1:])
        if len(target) == 3 and target[0] == "components" and _SECTIONS.get(target[1]) == kind:
            continue  # checked where it stands
        if (kind, ref) not in fits:
            fits[kind, ref] = _is(kind, target, document)
        if not fits[kind, ref]:
            yield Breach(pointer, f"what '{ref}' leads to is no {kind} Object")


def _kind_at(pointer: Pointer) -> str:
    """Name the kind of object that belongs at a place."""
    if len(pointer) < 2 or (pointer[-1] in _IN_SCHEMAS and len(pointer) != 3):
        return "Schema"
    return "RequestBody" if pointer[-1] == "requestBody" else _SECTIONS.get(pointer[-2], "Schema")


def _is(kind: str, target: Pointer, document: Any) -> bool:
    """Whether the value at a pointer is such an object; what leads nowhere is told elsewhere."""
    try:
        return _object_validator(kind).is_valid(lookup(document, target))
    except PointerNotFound:
        return True


@functools.cache
def _object_validator(kind: str) -> jsonschema_rs.Draft4Validator:
    definitions = _SCHEMA["definitions"]
    alternatives = [{"$ref": f"#/definitions/{name}"} for name in (kind, "Reference")]
    return jsonschema_rs.Draft4Validator({"anyOf": alternatives, "definitions": definitions})


def _is_enum(error: Any) -> bool:
    return bool(error.kind.name == "enum")


def _told_apart(branches: list[list[Any]]) -> list[Any]:
    """Return what keeps a value from being of any kind, where a word tells the kinds apart."""
    branch = max(branches, key=_depth)
    return [error for error in branch if _is_enum(error)] or branch


def _wants_ref(inner: Any, outer: Any) -> bool:
    return (inner.kind.name, inner.instance_path) == ("required", outer.instance_path) and bool(
        inner.kind.property == "$ref"
    )


def _depth(branch: Iterable[Any]) -> int:
    return max(len(error.instance_path) for error in branch)


def _tell(error: Any, pointer: Pointer, document: Any) -> Iterator[Breach]:
    kind = error.kind
    value = lookup(document, pointer)
    match kind.name:
        case "required":
            yield Breach(pointer, f"'{kind.property}' is missing")
        case "additionalProperties":
            for name in kind.unexpected:
                yield Breach((*pointer, name), _unknown(name, pointer), superfluous=True)
        case "enum":
            options = (
                _LOCATIONS if pointer[-1:] == ("in",) and pointer[-3:-2] == ("parameters",) else kind.options
            )
            yield Breach(pointer, f"{_shown(value)} is none of {', '.join(map(str, options))}")
        case "type":
            yield Breach(
                pointer, f"{_shown(value)} where {' or '.join(_A[name] for name in kind.types)} belongs"
            )
        case "oneOf":
            yield Breach(pointer, _SEVERAL_FIT)
        case "not" if "required" in kind.schema:
            names = [f"'{name}'" for name in kind.schema["required"]]
            together = "exclude each other; keep one" if len(names) > 1 else "is not allowed here"
            yield Breach(pointer, f"{' and '.join(names)} {together}")
        case "format":
            yield Breach(
                pointer, f"this is no {'regular expression' if kind.format == 'regex' else kind.format}"
            )
        case _:
            yield Breach(pointer, str(error.message))


_LOCATIONS = ("path", "query", "header", "cookie")
_A = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def _shown(value: Any) -> str:
    """Say what was found: a scalar as it is written, of a collection only its kind."""
    if isinstance(value, dict | list):
        return _A["object" if isinstance(value, dict) else "array"]
    return f"'{textwrap.shorten(value, 40)}'" if isinstance(value, str) else json.dumps(value)


def _unknown(name: str, pointer: Pointer) -> str:
    if pointer == ("paths",):
        return f"'{name}' is no path: a path begins with '/'"
    close = difflib.get_close_matches(name, _words(), 1, 0.75)
    return f"'{name}' is unknown here" + (f"; is '{close[0]}' meant?" if close else "")


@functools.cache
def _words() -> list[str]:
    """Return every word that the specification gives a meaning."""
    definitions = _SCHEMA["definitions"].values()
    patterned = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
    return sorted({*patterned, *(name for one in definitions for name in one.get("properties", {}))})


def check_operations(contract: Contract) -> list[Diagnostic]:
    """Find what makes operations ambiguous or unservable though the structure is right."""
    return [
        *_duplicates(
            contract,
            "operationId",
            lambda operation: operation.id,
            "duplicate-operation-id",
            "their handlers would be one",
        ),
        *_duplicates(
            contract,
            "path and method",
            lambda op: f"{op.method} {re.sub(r'{[^}]*}', '{}', op.path)}",
            "ambiguous-path",
            "a request must lead to one",
        ),
        *_path_parameters(contract),
        *_security(contract),
    ]


def _duplicates(contract: Contract, what: str, key: Any, rule: str, reason: str) -> Iterator[Diagnostic]:
    groups: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in contract.operations:
        groups[key(operation)].append(operation)
    for first, *others in groups.values():
        for other in others:
            yield contract.problem(other.pointer, f"{other} has the same {what} as {first}; {reason}", rule)


def _path_parameters(contract: Contract) -> Iterator[Diagnostic]:
    for operation in contract.operations:
        names = re.findall(r"\{([^}]*)\}", operation.path)
        declared = {
            parameter.name: parameter for parameter in operation.parameters if parameter.location == "path"
        }
        if len(names) != len(set(names)):
            yield contract.problem(
                operation.pointer, f"{operation} names a path parameter twice", "duplicate-path-parameter"
            )
        for name in dict.fromkeys(names):
            if name not in declared:
                yield contract.problem(
                    operation.pointer,
                    f"{operation} does not declare its path parameter '{name}'",
                    "undeclared-path-parameter",
                )
        for name, parameter in declared.items():
            if name not in names:
                yield contract.problem(
                    parameter.pointer, f"the path of {operation} has no '{{{name}}}'", "unused-path-parameter"
                )


def _security(contract: Contract) -> Iterator[Diagnostic]:
    for operation in contract.operations:
        for name in sorted({name for requirement in operation.security for name in requirement}):
            if name not in contract.security_schemes:
                yield contract.problem(
                    operation.pointer,
                    f"{operation} needs the security scheme '{name}', which is not defined",
                    "undefined-security-scheme",
                )
