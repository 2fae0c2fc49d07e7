"""`relay load`: organizations, users and credentials from files into the store."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .output import setup_errors

if TYPE_CHECKING:
    from handlers._host.problems import Problem

KINDS = {"organization": "organizations", "user": "users", "credentials": "credentials"}
"""What a line of NDJSON calls a record → the list of a JSON file that holds it."""

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
_SECRETS = (
    "elevenlabsApiKey elevenlabsToolSecret webhookSecret sinchEstKeyId sinchEstKeySecret "
    "sinchEstProjectId sinchEstTrunkId sinchEstTrunkDomain"
).split()
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
            "voicePhoneNumbers": {"type": "array", "items": _NUMBER},
        },
    },
    "credentials": {
        "type": "object",
        "required": ["organizationId"],
        "additionalProperties": False,
        "properties": {"organizationId": _ID, "aiVoiceProvider": _TEXT, **dict.fromkeys(_SECRETS, _TEXT)},
    },
}
"""The records of each list, in the words of the stored documents."""


class Record(NamedTuple):
    """One record and where it stands: a line of NDJSON, or a JSON pointer into a JSON file."""

    kind: str
    value: Any
    line: int | None
    pointer: tuple[str, ...]


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
def load(files: tuple[Path, ...]) -> None:
    """Load organizations, users and credentials into the store (RELAY_STORE).

    FILE.json holds {"organizations": […], "users": […], "credentials": […]}; FILE.ndjson or .jsonl
    holds one record a line: {"organization": {…}}, {"user": {…}} or {"credentials": {…}}. Records have
    the fields of the stored documents. A file is taken whole or not at all; loading it again changes
    nothing. A field that is given is set, null clears it, an absent one stays as it was.
    """
    with setup_errors():
        from handlers._app import Settings
        from handlers._host.problems import SetupError
        from handlers._host.settings import load_settings

        settings = load_settings(Settings)
        failed: list[Problem] = []
        for file in files:
            try:
                counts = asyncio.run(load_file(settings, file, progress=sys.stderr.isatty()))
            except SetupError as exc:
                failed += exc.problems
            else:
                click.echo(f"{file}: loaded {counts}")
        if failed:
            raise SetupError(failed)


async def load_file(settings: Any, path: Path, *, progress: bool = False) -> str:
    """Load one file, all of it or nothing, and return what it held.

    Raises SetupError with each problem at its file and line.
    """
    from handlers._app import store_url
    from handlers._host.problems import Problem, SetupError
    from handlers._store import Batch, RecordRefused, StoreMisconfigured, StoreUnavailable, open_store

    lists = await asyncio.to_thread(read_records, path, progress=progress)
    batch = Batch(**{kind: [record.value for record in records] for kind, records in lists.items()})
    try:
        async with open_store(store_url(settings)) as store:
            await store.load(batch)
    except StoreMisconfigured as exc:
        raise SetupError([Problem("RELAY_STORE", str(exc))]) from exc
    except StoreUnavailable as exc:
        raise SetupError(
            [Problem("RELAY_STORE", "the database did not answer; nothing of the file was loaded")]
        ) from exc
    except RecordRefused as exc:
        key = "organizationId" if exc.kind == "credentials" else "_id"
        record = next((one for one in lists[exc.kind] if one.value[key] == exc.id), None)
        raise SetupError([_problem(path, record, (), exc.reason)]) from exc
    return ", ".join(f"{len(records)} {kind}" for kind, records in lists.items())


def read_records(path: Path, *, progress: bool = False) -> dict[str, list[Record]]:
    """Return a file's records by list; raise SetupError with everything that is wrong in it."""
    import jsonschema_rs
    from rich.console import Console
    from rich.progress import track

    from handlers._host.problems import Problem, SetupError

    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise SetupError([Problem(str(path), f"cannot be read: {exc.strerror}")]) from exc
    validators = {
        kind: jsonschema_rs.Draft4Validator(schema, mask="the value") for kind, schema in SCHEMAS.items()
    }
    problems: list[Problem] = []
    lists: dict[str, list[Record]] = {kind: [] for kind in SCHEMAS}
    reader = _json_lines if path.suffix in (".ndjson", ".jsonl") else _json_lists
    console = Console(stderr=True)
    found = list(reader(path, raw, problems))
    for record in track(found, f"Checking {path}", console=console, disable=not progress):
        for error in validators[record.kind].iter_errors(record.value):
            at = tuple(str(token) for token in error.instance_path)
            where = "".join(f"/{token}" for token in at)
            problems.append(_problem(path, record, at, f"{record.kind}{where}: {error.message}"))
        lists[record.kind].append(record)
    if problems:
        raise SetupError(problems)
    return lists


def _json_lines(path: Path, raw: bytes, problems: list[Problem]) -> Iterator[Record]:
    from handlers._host.json_strict import NotJson, parse_json
    from handlers._host.problems import Problem

    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            entry = parse_json(line)
        except NotJson as exc:
            problems.append(Problem(f"{path}:{number}", str(exc)))
            continue
        if isinstance(entry, dict) and len(entry) == 1 and (name := next(iter(entry))) in KINDS:
            yield Record(KINDS[name], entry[name], number, ())
        else:
            problems.append(
                Problem(f"{path}:{number}", f"a line is one object with one key of {', '.join(KINDS)}")
            )


def _json_lists(path: Path, raw: bytes, problems: list[Problem]) -> Iterator[Record]:
    from handlers._host.json_strict import NotJson, parse_json
    from handlers._host.problems import Problem

    try:
        document = parse_json(raw)
    except NotJson as exc:
        problems.append(Problem(str(path), str(exc)))
        return
    if not isinstance(document, dict):
        problems.append(Problem(str(path), f"the file is one object with lists of {', '.join(SCHEMAS)}"))
        return
    for kind, records in document.items():
        if kind in SCHEMAS and isinstance(records, list):
            yield from (Record(kind, value, None, (kind, str(index))) for index, value in enumerate(records))
        else:
            problems.append(Problem(str(path), f"'{kind}' is none of the lists {', '.join(SCHEMAS)}"))


def _problem(path: Path, record: Record | None, at: tuple[str, ...], message: str) -> Problem:
    from handlers._host.documents import read_document
    from handlers._host.problems import Problem, SetupError

    if record is None:
        return Problem(str(path), message)
    if record.line is not None:
        return Problem(f"{path}:{record.line}", message)
    try:
        place = read_document(path).place((*record.pointer, *at))
    except SetupError:  # JSON that YAML reads differently: the pointer has to do
        return Problem(f"{path}#/{'/'.join((*record.pointer, *at))}", message)
    return Problem(f"{path}:{place.line}", message)
