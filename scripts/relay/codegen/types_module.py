"""`_types.py`: TypedDicts for `components/schemas`, and a record of the operations at generation time.

The generator owns the whole file. A run uses the record to detect renames: the same method and path
with another name is a renamed operation.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.json_text import is_64_bit
from relay.contract.model import Contract

from .class_names import class_names, with_class_names
from .documented_results import HeaderClasses, documented_bodies
from .formatting import ruff
from .response_headers import header_schemas
from .type_generator import CannotGenerate, Generated, generated
from .type_schemas import IMPORT, UPLOAD, type_schemas, with_uploads, without_title

MARK = "# Generated from "
RECORD = "# Operations, as they were when this was generated; by this a rename is recognised:"
_LINE = re.compile(r"# (?P<method>\S+) (?P<path>/.*) = (?P<module>\w+)\.(?P<name>\w+)\((?P<arguments>.*)\)")
_STYLE = ["--isolated", "--line-length", "110", "--target-version", "py311"]  # the same on every machine


@dataclass(frozen=True, slots=True)
class Types:
    """The generated classes as source, the class of each named schema and of headers, and the names of all.

    `names` are by the name of a component, and by the key of a schema within one.
    """

    source: str
    names: Mapping[str, str]
    classes: frozenset[str]
    headers: HeaderClasses = field(default_factory=dict)


class RecordedOperation(NamedTuple):
    """The recorded module, function name and contract arguments of an operation."""

    module: str
    name: str
    arguments: tuple[str, ...]


Record = dict[tuple[str, str], RecordedOperation]
"""Recorded operations by method and path."""


def generate_types(contract: Contract) -> Types:
    """Generate the classes of a contract's components and headers.

    Raises SetupError for schemas that are not supported.
    """
    wanted = type_schemas(contract)
    headers = header_schemas(contract, class_names(wanted.schemas).values())
    if not wanted.schemas and not headers:
        return with_import(Types("from __future__ import annotations\n", {}, frozenset()), contract)
    named = with_class_names(with_uploads(contract, wanted.schemas))
    schemas = {name: without_title(one) for name, one in named.schemas.items()} | dict(headers.values())
    found = _generate(contract, schemas)
    classes = {
        path[2]: model["class_name"]
        for model in found.models
        if (path := model["source_path"] or [])[:2] == ["components", "schemas"] and len(path) == 3
    }
    names = {named.originals.get(name, name): classes[name] for name in named.schemas if name in classes}
    nested = {key: names[name] for key, name in wanted.nested.items() if name in names}
    # ruff widens the gaps between classes again.
    text = re.sub(r"\n{3,}", "\n\n", without_overrides(found.source))
    source = ruff(["format", *_STYLE, "--stdin-filename", "_types.py", "-"], text)[1]
    known = frozenset(model["class_name"] for model in found.models)
    header_classes = {key: classes[name] for key, (name, _) in headers.items()}
    return with_import(Types(source, names | nested, known, header_classes), contract)


def _generate(contract: Contract, schemas: Mapping[str, Any]) -> Generated:
    document = {
        "openapi": "3.0.3",
        "info": {"title": "types", "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }
    try:
        return generated(json.loads(json.dumps(document), object_hook=_without_large_integers))
    except CannotGenerate as exc:
        where = contract.place(("components", "schemas"))
        message = f"types cannot be generated from the schemas: {exc}"
        raise SetupError([Diagnostic(where, message, "types")]) from exc


def with_import(types: Types, contract: Contract) -> Types:
    """Return types that have relay.Upload, if a file is sent to the contract's operations, unless a class has its name."""
    plain = f"from relay import {UPLOAD}\n"
    requests = (one.body for one in contract.operations if one.body is not None)
    bodies = (body for one in requests for body in documented_bodies(one, contract, types.names))
    is_used = plain in types.source or any(UPLOAD in body.type.names("generated") for body in bodies)
    if not is_used or UPLOAD in types.classes:
        return types
    lines = types.source.replace(plain, "").split("\n")
    last = max(number for number, line in enumerate(lines) if line.startswith("from "))
    source = "\n".join([*lines[: last + 1], "", IMPORT, *lines[last + 1 :]])
    return replace(types, source=source, classes=types.classes | {UPLOAD})


def _without_large_integers(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove an enum of integers beyond 64 bits, which type checkers do not take as literals."""
    members = schema.get("enum")
    is_large = isinstance(members, list) and any(type(one) is int and not is_64_bit(one) for one in members)
    return {key: value for key, value in schema.items() if key != "enum"} if is_large else schema


def render(types: Types, record: Record, spec: str) -> str:
    """Return the text of the whole file; `spec` is the contract's path relative to the package's root."""
    lines = [
        f"{MARK}{_quoted(spec)} by `relay regenerate`; never edited.",
        '"""The shapes of the contract\'s components/schemas, as TypedDicts."""',
        "",
        types.source.rstrip("\n"),
        *([""] if types.classes else []),
        "",
        RECORD,
        *sorted(
            f"# {method} {_quoted(path)} = {known.module}.{known.name}({', '.join(known.arguments)})"
            for (method, path), known in record.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def read_record(source: str) -> Record | None:
    """Return the record of a generated file; None if it has none."""
    before, mark, after = source.replace("\r\n", "\n").rpartition(f"\n{RECORD}\n")
    if not mark or not before:
        return None
    return {
        (match["method"], json.loads(f'"{match["path"]}"')): RecordedOperation(
            match["module"], match["name"], tuple(filter(None, match["arguments"].split(", ")))
        )
        for line in after.split("\n")
        if (match := _LINE.fullmatch(line))
    }


def first_difference(old: str, new: str) -> int | None:
    """Return the first line, from 1, in which two files differ; None if they are equivalent.

    The old record may contain more than the new one: entries of removed operations stay until the file
    is written again.
    """
    old = old.replace("\r\n", "\n")
    old_shapes, new_shapes = (source.partition(f"\n{RECORD}\n")[0].split("\n") for source in (old, new))
    lines = enumerate(zip_longest(old_shapes, new_shapes), 1)
    if (number := next((number for number, (ours, theirs) in lines if ours != theirs), None)) is not None:
        return min(number, len(old_shapes), len(new_shapes))
    known = read_record(old)
    wanted = (read_record(new) or {}).items()
    is_known = known is not None and all(_contains(known.get(key), one) for key, one in wanted)
    return None if is_known else len(old_shapes) + 1


def _contains(found: RecordedOperation | None, wanted: RecordedOperation) -> bool:
    return found is not None and found[:2] == wanted[:2] and {*found.arguments} >= {*wanted.arguments}


def _quoted(text: str) -> str:
    """Escape a text for a comment as JSON does: it must not end the comment, nor hide anything in it."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in quoted)


def display_path(root: Path, spec: Path) -> str:
    """Return the contract's path, independent of the machine: relative to `root`, or else its file name."""
    spec = spec.resolve()
    return spec.relative_to(root).as_posix() if spec.is_relative_to(root) else spec.name


Fields = Mapping[str, str]
"""Annotations by field."""


def without_overrides(source: str) -> str:
    """Return the source of classes in which none changes a field of its base, which a TypedDict must not.

    A schema may narrow what it takes from another by `allOf`; such a class lists all its fields instead of the base.
    What is nested too deeply for Python's parser is returned as it is.
    """
    lines = source.split("\n")
    try:
        changes = [*_changes(ast.parse(source))]
    except (RecursionError, MemoryError, SyntaxError):
        return source
    for node, merged in reversed(changes):
        fields = (f"    {key}: {value}" for key, value in merged.items())
        lines[node.lineno - 1 : node.end_lineno] = [f"class {node.name}(TypedDict):", *fields]
    return "\n".join(lines)


def _changes(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, Fields]]:
    """Yield each class that changes a field of its base, with all its fields."""
    fields: dict[str, Fields] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            parts = [fields.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name)]
            parts.append({ast.unparse(one.target): ast.unparse(one.annotation) for one in _fields(node)})
            merged = fields[node.name] = {key: value for one in parts for key, value in one.items()}
            if any(merged[key] != value for one in parts for key, value in one.items()):
                yield node, merged


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [part for part in node.body if isinstance(part, ast.AnnAssign)]
