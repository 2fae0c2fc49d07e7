"""Reads and validates the files of `relay load`; each record has its location in the file."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from handlers._store.rules import IDENTIFIERS, SECRETS
from relay import Diagnostic, SetupError

if TYPE_CHECKING:
    from relay.documents import Document, NotJson, Pointer

MAX_PROBLEMS = 20  # how many errors of one file are listed; the others are counted
KINDS = {"organization": "organizations", "user": "users", "credentials": "credentials"}
"""The key of a record in NDJSON, and the list of a JSON file for the same records."""

_ID = {"type": "string", "pattern": "^[0-9a-f]{24}$"}
_TEXT = {"type": ["string", "null"]}
_FLAG = {"type": ["boolean", "null"]}


def _record(*required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object without other properties."""
    return {
        "type": "object",
        "required": [*required],
        "additionalProperties": False,
        "properties": properties,
    }


_NUMBER = _record(
    "provider",
    "phoneNumber",
    provider={"enum": ["twilio", "sinch", "textgrid"]},
    phoneNumber={"type": "string", "minLength": 1},
    **dict.fromkeys(("isDefault", "isInboundEnabled", "aiEnabled"), _FLAG),
    **dict.fromkeys(("label", "aiAgentId", "elevenlabsPhoneNumberId"), _TEXT),
)
SCHEMAS: dict[str, dict[str, Any]] = {
    "organizations": _record("_id", _id=_ID, name=_TEXT),
    "users": _record(
        "_id",
        "organizationId",
        "accessRole",
        _id=_ID,
        organizationId=_ID,
        email=_TEXT,
        fullName=_TEXT,
        accessRole={"enum": ["SUPERADMIN", "ADMIN", "DEPARTMENT_HEAD", "SALES_REP"]},
        loginDisabled=_FLAG,
        voicePhoneNumbers={"type": ["array", "null"], "items": _NUMBER},
    ),
    "credentials": _record(
        "organizationId", organizationId=_ID, **dict.fromkeys((*IDENTIFIERS, *SECRETS), _TEXT)
    ),
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
    found = [*read(path, raw)]
    records = [one for one in found if isinstance(one, Record)]
    problems = [one for one in found if isinstance(one, Diagnostic)]
    console, title = Console(stderr=True), f"Checking {escape(str(path))}"
    problems += _invalid_records(track(records, title, console=console, disable=not progress))
    if problems:
        raise SetupError(_shortened(path, problems))
    return {kind: [record for record in records if record.kind == kind] for kind in SCHEMAS}


def _shortened(path: Path, problems: list[Diagnostic]) -> list[Diagnostic]:
    unique = list(dict.fromkeys(problems))  # a file of one line may repeat the same diagnostic
    rest = len(unique) - MAX_PROBLEMS
    return [*unique[:MAX_PROBLEMS], Diagnostic(str(path), f"… and {rest} more")] if rest > 0 else unique


def _invalid_records(records: Iterable[Record]) -> Iterator[Diagnostic]:
    """Report records that violate their schema, and duplicate records."""
    from jsonschema_rs import Draft4Validator

    validators = {kind: Draft4Validator(schema, mask="the value") for kind, schema in SCHEMAS.items()}
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
            message = f"{record.kind}/{key}: an earlier record of the file has the same value"
            yield record.problem(message, (key,))
        known.add((record.kind, record.id))


def _read_lines(path: Path, raw: bytes) -> Iterator[Record | Diagnostic]:
    from relay.documents import NotJson, parse_json

    for number, line in enumerate(raw.split(b"\n"), 1):
        place = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            entry = parse_json(line)
        except NotJson as exc:
            yield _not_json(exc, place, number)
            continue
        if isinstance(entry, dict) and len(entry) == 1 and (name := next(iter(entry))) in KINDS:
            yield Record(KINDS[name], entry[name], partial(_line, place))
        else:
            expected = f"a line must be an object with exactly one of the keys {', '.join(KINDS)}"
            yield Diagnostic(place, expected)


def _line(place: str, _at: Pointer) -> str:
    return place


def _read_lists(path: Path, raw: bytes) -> Iterator[Record | Diagnostic]:
    from relay.documents import NotJson, parse_json

    lists, place_of = ", ".join(SCHEMAS), _places(path)
    try:
        document = parse_json(raw)
    except NotJson as exc:
        yield _not_json(exc, str(path), exc.line)
        return
    if not isinstance(document, dict):
        yield Diagnostic(str(path), f"the file must be one object with the lists {lists}")
        return
    for kind, values in document.items():
        if kind not in SCHEMAS:
            yield Diagnostic(str(path), f"unknown list '{kind}'; the lists are {lists}")
        elif not isinstance(values, list):
            yield Diagnostic(str(path), f"'{kind}' must be a list")
        else:
            for index, value in enumerate(values):
                yield Record(kind, value, partial(place_of, (kind, str(index))))


def _not_json(exc: NotJson, place: str, line: int | None) -> Diagnostic:
    """Report that a file, or one line of it, is not JSON."""
    if exc.line is None:
        return Diagnostic(place, str(exc))
    return Diagnostic(f"{place.removesuffix(f':{line}')}:{line}:{exc.column}", "not JSON")


def _places(path: Path) -> Callable[[Pointer, Pointer], str]:
    """Return a function for the locations of a JSON file's values; the file is parsed for them once, on the first use."""

    @cache
    def document() -> Document | None:
        from relay.documents import read_document

        try:
            return read_document(path)
        except SetupError:  # JSON that YAML reads differently
            return None

    def place(record: Pointer, at: Pointer) -> str:
        found, pointer = document(), (*record, *at)
        return f"{path}:{found.place(pointer).line}" if found else f"{path}#/{'/'.join(pointer)}"

    return place
