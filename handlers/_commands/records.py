"""Reads and validates the files of `relay load`; each record has its location in the file."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from handlers._store.rules import IDENTIFIERS, SECRETS
from relay import Diagnostic, SetupError

if TYPE_CHECKING:
    from relay.documents import Document, NotJson, Pointer

MAX_PROBLEMS = 20
"""How many errors of one file are listed; the others are counted."""

KINDS = {"organization": "organizations", "user": "users", "credentials": "credentials"}
"""The key of a record in NDJSON, and the list of a JSON file for the same records."""

_ID = {"type": "string", "pattern": "^[0-9a-f]{24}$"}
_TEXT = {"type": ["string", "null"]}
_FLAG = {"type": ["boolean", "null"]}
_NUMBER = {
    "type": "object",
    "required": ["provider", "phoneNumber"],
    "additionalProperties": False,
    "properties": {
        "provider": {"enum": ["twilio", "sinch", "textgrid"]},
        "phoneNumber": {"type": "string", "minLength": 1},
        "isDefault": _FLAG,
        "isInboundEnabled": _FLAG,
        "label": _TEXT,
        "aiEnabled": _FLAG,
        "aiAgentId": _TEXT,
        "elevenlabsPhoneNumberId": _TEXT,
    },
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "organizations": {
        "type": "object",
        "required": ["_id"],
        "additionalProperties": False,
        "properties": {"_id": _ID, "name": _TEXT},
    },
    "users": {
        "type": "object",
        "required": ["_id", "organizationId", "accessRole"],
        "additionalProperties": False,
        "properties": {
            "_id": _ID,
            "organizationId": _ID,
            "email": _TEXT,
            "fullName": _TEXT,
            "accessRole": {"enum": ["SUPERADMIN", "ADMIN", "DEPARTMENT_HEAD", "SALES_REP"]},
            "loginDisabled": _FLAG,
            "voicePhoneNumbers": {"type": ["array", "null"], "items": _NUMBER},
        },
    },
    "credentials": {
        "type": "object",
        "required": ["organizationId"],
        "additionalProperties": False,
        "properties": {"organizationId": _ID, **dict.fromkeys((*IDENTIFIERS, *SECRETS), _TEXT)},
    },
}
"""The JSON Schema of the records of each list; the fields are those of the stored documents."""

KEYS = {"organizations": "_id", "users": "_id", "credentials": "organizationId"}
"""The field that identifies a record of each list."""


class Record(NamedTuple):
    """One record: its list, its value, and a function that returns the location of a pointer into it."""

    kind: str
    value: Any
    place: Callable[[Pointer], str]

    @property
    def id(self) -> str:
        """The identifier of a record that conforms to its schema."""
        key: str = self.value[KEYS[self.kind]]
        return key

    def problem(self, message: str, at: Pointer = ()) -> Diagnostic:
        """Return a diagnostic for the record, or for the value at a pointer into it."""
        return Diagnostic(self.place(at), message)


def read_records(path: Path, *, progress: bool = False) -> dict[str, list[Record]]:
    """Return a file's records by list; raise SetupError with the location of each error."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import track

    try:
        raw = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as exc:
        raise SetupError([Diagnostic(str(path), f"cannot be read: {exc.strerror}")]) from exc
    read = _read_lines if path.suffix.lower() in (".ndjson", ".jsonl") else _read_lists
    records, problems = read(path, raw)
    console = Console(stderr=True)
    problems += _invalid_records(
        track(records, f"Checking {escape(str(path))}", console=console, disable=not progress)
    )
    if problems:
        raise SetupError(_shortened(path, problems))
    return {kind: [record for record in records if record.kind == kind] for kind in SCHEMAS}


def _shortened(path: Path, problems: list[Diagnostic]) -> list[Diagnostic]:
    unique = list(dict.fromkeys(problems))  # a file of one line may repeat the same diagnostic
    rest = len(unique) - MAX_PROBLEMS
    return [*unique[:MAX_PROBLEMS], Diagnostic(str(path), f"… and {rest} more")] if rest > 0 else unique


def _invalid_records(records: Iterable[Record]) -> Iterator[Diagnostic]:
    """Report records that violate their schema, and duplicate records."""
    import jsonschema_rs

    validators = {
        kind: jsonschema_rs.Draft4Validator(schema, mask="the value") for kind, schema in SCHEMAS.items()
    }
    known: set[tuple[str, str]] = set()
    for record in records:
        errors = list(validators[record.kind].iter_errors(record.value))
        for error in errors:
            at = tuple(map(str, error.instance_path))
            yield record.problem(f"{'/'.join((record.kind, *at))}: {error.message}", at)
        if errors:
            continue
        if (record.kind, record.id) in known:
            key = KEYS[record.kind]
            yield record.problem(
                f"{record.kind}/{key}: an earlier record of the file has the same value", (key,)
            )
        known.add((record.kind, record.id))


def _read_lines(path: Path, raw: bytes) -> tuple[list[Record], list[Diagnostic]]:
    from relay.documents import NotJson, parse_json

    records: list[Record] = []
    problems: list[Diagnostic] = []
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            entry = parse_json(line)
        except NotJson as exc:
            problems.append(_not_json(path, exc, number))
            continue
        if isinstance(entry, dict) and len(entry) == 1 and (name := next(iter(entry))) in KINDS:
            records.append(Record(KINDS[name], entry[name], partial(_line, path, number)))
        else:
            expected = f"a line must be an object with exactly one of the keys {', '.join(KINDS)}"
            problems.append(Diagnostic(f"{path}:{number}", expected))
    return records, problems


def _read_lists(path: Path, raw: bytes) -> tuple[list[Record], list[Diagnostic]]:
    from relay.documents import NotJson, parse_json

    try:
        document = parse_json(raw)
    except NotJson as exc:
        return [], [_not_json(path, exc)]
    lists = ", ".join(SCHEMAS)
    if not isinstance(document, dict):
        return [], [Diagnostic(str(path), f"the file must be one object with the lists {lists}")]
    records: list[Record] = []
    problems: list[Diagnostic] = []
    places = _Places(path)
    for kind, values in document.items():
        if kind not in SCHEMAS:
            problems.append(Diagnostic(str(path), f"unknown list '{kind}'; the lists are {lists}"))
        elif not isinstance(values, list):
            problems.append(Diagnostic(str(path), f"'{kind}' must be a list"))
        else:
            records += [
                Record(kind, value, partial(places.of, (kind, str(index))))
                for index, value in enumerate(values)
            ]
    return records, problems


def _not_json(path: Path, exc: NotJson, number: int | None = None) -> Diagnostic:
    """Report that a file, or the line `number` of it, is not JSON."""
    if exc.line is not None:
        return Diagnostic(f"{path}:{number or exc.line}:{exc.column}", "not JSON")
    return Diagnostic(f"{path}:{number}" if number else str(path), str(exc))


def _line(path: Path, number: int, _at: Pointer) -> str:
    return f"{path}:{number}"


class _Places:
    """The locations of a JSON file's values; the file is parsed for them once, on the first use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _document(self) -> Document | None:
        from relay.documents import read_document

        try:
            return read_document(self._path)
        except SetupError:  # JSON that YAML reads differently
            return None

    def of(self, record: Pointer, at: Pointer) -> str:
        pointer = (*record, *at)
        if self._document is None:
            return f"{self._path}#/{'/'.join(pointer)}"
        return f"{self._path}:{self._document.place(pointer).line}"
