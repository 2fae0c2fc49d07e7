"""Reads from and writes to the SQLite file, inside the caller's transaction."""

import base64
import json
import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from handlers._types import CallsVoiceAiOrgPhoneNumber

from . import Batch, StoredSecret, rules
from .encryption import Format
from .keyring import Encrypted
from .sqlite_inline import Read


def _is_set(field: str) -> str:
    """Return an expression that is true if a field is set; an encrypted secret is an object, which is set."""
    is_set = f"coalesce(trim(document ->> '{field}', :blank), '') <> ''"
    return f"CASE json_type(document, '$.{field}') WHEN 'object' THEN 1 ELSE {is_set} END"


_USER = "SELECT organization_id, access_role, login_disabled FROM users WHERE id = ?"

_NUMBER_COLUMNS = """
    provider, phone_number, is_default, is_inbound_enabled, ai_enabled, ai_agent_id,
    elevenlabs_phone_number_id, label, full_name, user_id
"""

# One statement reads a consistent state; one row, because the GIL is released for each row. The flags are
# computed in SQL, so that no secret leaves the database.
_VOICE_AI = f"""
    SELECT {_is_set(rules.API_KEY)}, {_is_set(rules.TOOL_SECRET)},
        {" AND ".join(map(_is_set, rules.EST_CREDENTIALS))},
        {", ".join(f"document ->> '{field}'" for field in rules.IDENTIFIERS)},
        (
            SELECT json_group_array(json_array({_NUMBER_COLUMNS})) FROM (
                SELECT {_NUMBER_COLUMNS}
                FROM voice_numbers JOIN users ON users.id = user_id
                WHERE voice_numbers.organization_id = :organization AND provider = :provider
                ORDER BY user_id, position
            )
        )
    FROM (SELECT 1) LEFT JOIN credentials ON organization_id = :organization
"""  # noqa: S608 -- the names of fields and columns are constants

_STORED_ORGANIZATIONS = "SELECT id FROM organizations WHERE id IN (SELECT value FROM json_each(?))"

# The inner patch clears every field of the record, the outer one sets those that are not null;
# so an object value is replaced, not merged.
_PUT_ORGANIZATION = """
    INSERT INTO organizations (id, document) VALUES (:id, :given)
    ON CONFLICT (id) DO UPDATE SET
        document = json_patch(json_patch(document, :cleared), excluded.document)
"""
_PUT_USER = """
    INSERT INTO users (id, organization_id, document) VALUES (:id, :organization, :given)
    ON CONFLICT (id) DO UPDATE SET
        organization_id = excluded.organization_id,
        document = json_patch(json_patch(document, :cleared), excluded.document)
"""
_PUT_CREDENTIALS = """
    INSERT INTO credentials (organization_id, document) VALUES (:organization, :given)
    ON CONFLICT (organization_id) DO UPDATE SET
        document = json_patch(json_patch(document, :cleared), excluded.document)
"""
_DROP_NUMBERS = "DELETE FROM voice_numbers WHERE organization_id = ? AND user_id = ?"
_PUT_NUMBER = "INSERT INTO voice_numbers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

# `->` returns a field's JSON, which distinguishes strings from objects.
_PAGE = f"""
    SELECT organization_id, {", ".join(f"document -> '{field}'" for field in rules.SECRETS)}
    FROM credentials WHERE organization_id > ? ORDER BY organization_id LIMIT 200
"""  # noqa: S608 -- the field names are constants
_FIELD = "SELECT document -> :field FROM credentials WHERE organization_id = :organization"
_PUT_FIELD = """
    UPDATE credentials SET document = json_set(document, '$.' || :field, json(:encrypted))
    WHERE organization_id = :organization
"""

_OWN_COLUMNS = ("_id", "organizationId", "voicePhoneNumbers")
_FLAG_COLUMNS = (2, 3, 4)  # of a number
_FLAGS = {None: None, 0: False, 1: True}

# Upper bounds of what Python objects take, in bytes: a read without texts, a number without them, a character.
_SIZE, _NUMBER_SIZE, _CHARACTER_SIZE = 2_000, 800, 4

FORMAT = Format(lambda raw: base64.b64encode(raw).decode(), partial(base64.b64decode, validate=True))
"""JSON has no bytes."""

_json = partial(json.dumps, ensure_ascii=False)


def read_user(connection: sqlite3.Connection, user_id: str) -> Read:
    """Read a user, or None."""
    rows = connection.execute(_USER, (user_id,)).fetchall()
    return Read(rules.user(user_id, *rows[0]) if rows else None, _SIZE)


def read_voice_ai(connection: sqlite3.Connection, organization_id: str) -> Read:
    """Read an organization's settings and its list of numbers; an unknown organization has neither."""
    given = {"organization": organization_id, "blank": rules.BLANK, "provider": rules.SINCH}
    [(api_key, tool_secret, est, *identifiers, text)] = connection.execute(_VOICE_AI, given).fetchall()
    settings = rules.settings(identifiers, api_key=api_key, tool_secret=tool_secret, est=est)
    numbers = [_number(values) for values in orjson.loads(text)]
    characters = len(text) + sum(len(one) for one in identifiers if one)
    return Read((settings, numbers), _SIZE + len(numbers) * _NUMBER_SIZE + characters * _CHARACTER_SIZE)


def probe(connection: sqlite3.Connection) -> None:
    """Read a row, to raise an error if the file cannot be read."""
    connection.execute("SELECT 1 FROM users LIMIT 1").fetchone()


def load(connection: sqlite3.Connection, batch: Batch) -> None:
    """Merge a batch of checked and encrypted records; raise `RecordRefused` before anything is written."""
    stored = connection.execute(_STORED_ORGANIZATIONS, (_json(rules.organizations_of(batch)),))
    rules.check_owners(batch, (organization for (organization,) in stored))
    connection.executemany(_PUT_ORGANIZATION, map(_parameters, batch.organizations))
    for user in batch.users:
        connection.execute(_PUT_USER, _parameters(user))
        if "voicePhoneNumbers" in user:
            connection.execute(_DROP_NUMBERS, (user["organizationId"], user["_id"]))
            connection.executemany(_PUT_NUMBER, _number_rows(user))
    connection.executemany(_PUT_CREDENTIALS, map(_parameters, batch.credentials))


def _number(values: list[Any]) -> CallsVoiceAiOrgPhoneNumber:
    for flag in _FLAG_COLUMNS:
        values[flag] = _FLAGS[values[flag]]
    return rules.number(values)


def _parameters(record: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in record.items() if name not in _OWN_COLUMNS}
    return {
        "id": record.get("_id"),
        "organization": record.get("organizationId"),
        "cleared": _json(dict.fromkeys(fields)),
        "given": _json({name: value for name, value in fields.items() if value is not None}),
    }


def _number_rows(user: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for position, number in enumerate(user["voicePhoneNumbers"] or []):
        values = (number.get(field) for field in rules.NUMBER_FIELDS)
        yield user["organizationId"], user["_id"], position, *values


def read_secrets(connection: sqlite3.Connection, after: str) -> list[tuple[str, dict[str, Any]]]:
    """Read a page of organizations with an id greater than `after`: their secret fields as stored."""
    return [
        (organization_id, _parsed(zip(rules.SECRETS, values, strict=True)))
        for organization_id, *values in connection.execute(_PAGE, (after,))
    ]


def replace_secrets(connection: sqlite3.Connection, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
    """Replace the secrets that have not changed since they were read, inside an exclusive write transaction."""
    replaced = 0
    for secret, encrypted in changes:
        key = {"organization": secret.organization_id, "field": secret.name}
        current = _parsed((secret.name, value) for (value,) in connection.execute(_FIELD, key))
        if secret in FORMAT.secrets(secret.organization_id, current):
            connection.execute(_PUT_FIELD, {**key, "encrypted": json.dumps(FORMAT.document(encrypted))})
            replaced += 1
    return replaced


def scrub(connection: sqlite3.Connection) -> bool:
    """Rewrite the file and empty its log, because both keep overwritten data.

    Returns False while another connection reads from the log.
    """
    connection.execute("VACUUM")
    is_busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not is_busy


def _parsed(fields: Iterator[tuple[str, str | None]]) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in fields if value is not None}
