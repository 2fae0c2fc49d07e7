"""`_types.py`: the shapes of `components/schemas`, and the record of the operations they were made for.

The file belongs to the generator, whole. By the record, a run knows what an operation was called when
the package was last brought in line: the same method and path under another name is a rename.
"""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract

from .formatting import ruff

MARK = "# Generated from "
RECORD = "# Operations, as they were when this was generated; by this a rename is recognised:"
_LINE = re.compile(
    r"# (?P<method>[a-z]+) (?P<path>/.*) = (?P<module>\w+)\.(?P<name>\w+)\((?P<arguments>.*)\)"
)
_STYLE = ["--isolated", "--line-length", "110", "--target-version", "py311"]  # the same on every machine


@dataclass(frozen=True, slots=True)
class Types:
    """The generated classes as source, the name of each component's class, and the names of all."""

    source: str
    names: Mapping[str, str]
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What an operation was called, and which arguments the contract gave it."""

    module: str
    name: str
    arguments: tuple[str, ...]


Record = dict[tuple[str, str], Known]
"""By method and path."""


def generate_types(contract: Contract) -> Types:
    """Make the classes of a contract's components; SetupError for schemas that no class can be made of."""
    components = (contract.document.get("components") or {}).get("schemas") or {}
    if not components:
        return Types("from __future__ import annotations\n", {}, frozenset())
    document = {
        "openapi": "3.0.3",
        "info": {"title": "types", "version": "1"},
        "paths": {},
        "components": {"schemas": {name: _untitled(schema) for name, schema in components.items()}},
    }
    try:
        source, models = _generate(document)
    except Exception as exc:
        reason = next(iter(str(exc).splitlines()), type(exc).__name__)
        where = contract.place(("components", "schemas"))
        raise SetupError(
            [Diagnostic(where, f"no types can be made of the schemas: {reason}", "types")]
        ) from exc
    names = {
        path[2]: model["class_name"]
        for model in models
        if (path := model["source_path"] or [])[:2] == ["components", "schemas"] and len(path) == 3
    }
    return Types(_formatted(source), names, frozenset(model["class_name"] for model in models))


def _untitled(schema: Any) -> Any:
    """Leave out a component's title: its class is called as the component is."""
    return {key: value for key, value in schema.items() if key != "title"}


def _generate(document: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    from datamodel_code_generator import generate
    from datamodel_code_generator.enums import DataModelType, InputFileType
    from datamodel_code_generator.format import PythonVersion

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own future
        metadata = Path(folder) / "models.json"
        source = generate(
            document,
            input_file_type=InputFileType.OpenAPI,
            output_model_type=DataModelType.TypingTypedDict,
            target_python_version=PythonVersion.PY_311,
            strict_nullable=True,
            disable_timestamp=True,
            use_title_as_name=True,
            use_closed_typed_dict=False,  # PEP 728 is not in Python 3.11's typing
            custom_file_header="#",
            formatters=[],
            emit_model_metadata=metadata,
        )
        assert isinstance(source, str)  # no modules were asked for
        return source.removeprefix("#").lstrip(), json.loads(metadata.read_text("utf-8"))["models"]


def _formatted(source: str) -> str:
    even = re.sub(r"\n{3,}", "\n\n", source)  # ruff widens the gaps again, where a class begins or ends
    return ruff(["format", *_STYLE, "--stdin-filename", "_types.py", "-"], even).stdout


def render(types: Types, record: Record, spec: str) -> str:
    """Write the whole file; `spec` is the contract's path as the package sees it."""
    lines = [
        f"{MARK}{_quoted(spec)} by `relay regenerate`; never edited.",
        '"""The shapes of the contract\'s components/schemas, as TypedDicts."""',
        "",
        types.source.rstrip("\n"),
        *([""] if types.names else []),
        "",
        RECORD,
        *sorted(_line(key, known) for key, known in record.items()),
    ]
    return "\n".join(lines) + "\n"


def read_record(source: str) -> Record | None:
    """Return the record of a generated file; None where it has none."""
    before, mark, after = source.replace("\r\n", "\n").rpartition(f"\n{RECORD}\n")
    if not mark or not before:
        return None
    return {
        (match["method"], json.loads(f'"{match["path"]}"')): Known(
            match["module"], match["name"], tuple(filter(None, match["arguments"].split(", ")))
        )
        for line in after.split("\n")
        if (match := _LINE.fullmatch(line))
    }


def first_difference(old: str, new: str) -> int | None:
    """Return the first line, from 1, in which two files differ; None where they say the same.

    A record may know more than it must: what went, until the file is written again.
    """
    old = old.replace("\r\n", "\n")
    old_shapes, new_shapes = (source.partition(f"\n{RECORD}\n")[0].split("\n") for source in (old, new))
    for number, (ours, theirs) in enumerate(zip(old_shapes, new_shapes, strict=False), 1):
        if ours != theirs:
            return number
    if len(old_shapes) != len(new_shapes):
        return min(len(old_shapes), len(new_shapes))
    known = read_record(old)
    if known is None or not _covers(known, read_record(new) or {}):
        return len(old_shapes) + 1
    return None


def _covers(known: Record, wanted: Record) -> bool:
    return all(
        (found := known.get(key)) is not None
        and (found.module, found.name) == (one.module, one.name)
        and set(found.arguments) >= set(one.arguments)
        for key, one in wanted.items()
    )


def _line(key: tuple[str, str], known: Known) -> str:
    method, path = key
    return f"# {method} {_quoted(path)} = {known.module}.{known.name}({', '.join(known.arguments)})"


def _quoted(text: str) -> str:
    """Keep a text on its line: a comment must not end where a path says so."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def spec_seen_from(root: Path, spec: Path) -> str:
    """Return the contract's path as the same on every machine: below `root`, else its name alone."""
    spec = spec.resolve()
    return spec.relative_to(root).as_posix() if spec.is_relative_to(root) else spec.name
