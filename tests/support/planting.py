"""Records for a store, and what no store of this version would write: as an older one did, or somebody else."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from handlers._store import Batch, sqlite_rows
from handlers._store.keyring import Encrypted

ACME, GLOBEX = "a" * 24, "b" * 24
ALEX, BO = "1" * 24, "2" * 24


def user(user_id: str = ALEX, organization_id: str = ACME, **fields: Any) -> dict[str, Any]:
    """A user's record."""
    return {"_id": user_id, "organizationId": organization_id, "accessRole": "SALES_REP", **fields}


def sinch(phone_number: str, **fields: Any) -> dict[str, Any]:
    """A number of Sinch's."""
    return {"provider": "sinch", "phoneNumber": phone_number, **fields}


def acme(*users: dict[str, Any], **credentials: Any) -> Batch:
    """An organization with users and credentials."""
    return Batch([{"_id": ACME}], list(users), [{"organizationId": ACME, **credentials}])


def plant(url: str, records: dict[str, dict[str, Any]]) -> None:
    """Set fields of organizations' credentials; what is sealed gets the form that the store has for it."""
    write = _into_mongodb if url.startswith("mongodb") else _into_sqlite
    write(url, records.items())


def _into_sqlite(url: str, records: Iterable[tuple[str, dict[str, Any]]]) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        for organization_id, fields in records:
            document = json.dumps(_with_documents(fields, sqlite_rows.FORMAT))
            connection.execute(
                "INSERT OR IGNORE INTO organizations (id, document) VALUES (?, '{}')", (organization_id,)
            )
            connection.execute(
                "INSERT INTO credentials (organization_id, document) VALUES (?, ?) ON CONFLICT DO UPDATE "
                "SET document = json_patch(document, excluded.document)",
                (organization_id, document),
            )


def _into_mongodb(url: str, records: Iterable[tuple[str, dict[str, Any]]]) -> None:
    from bson import ObjectId
    from pymongo import MongoClient

    from handlers._store import mongo_writes

    with MongoClient(url) as client:
        credentials = client.get_default_database()["organizationcredentials"]
        for organization_id, fields in records:
            changed = {"$set": _with_documents(fields, mongo_writes.FORMAT)}
            credentials.update_one({"organizationId": ObjectId(organization_id)}, changed, upsert=True)


def _with_documents(fields: dict[str, Any], stored: Any) -> dict[str, Any]:
    return {
        name: stored.document(value) if isinstance(value, Encrypted) else value
        for name, value in fields.items()
    }
