"""Loads a batch into MongoDB, without transactions, which a single server does not support, and replaces secrets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pymongo
from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from . import Batch, RecordRefused, StoredSecret, rules
from .encryption import Format
from .keyring import Encrypted

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection
    from pymongo.asynchronous.database import AsyncDatabase

_log = logging.getLogger("relay.store")

_Operation = UpdateOne | ReplaceOne[RawBSONDocument] | DeleteOne

_LOAD_SECONDS = 60.0  # thousands of records may take longer than a request may

_SECRET_FIELDS = dict.fromkeys(("organizationId", *rules.SECRETS), 1)
_PAGE_SIZE = 200

# Documents for a rollback are not decoded, so they are restored byte for byte.
_RAW = CodecOptions(document_class=RawBSONDocument)


async def load(database: AsyncDatabase[dict[str, Any]], batch: Batch) -> None:
    """Merge a batch of checked and encrypted records: save the old documents, write, roll back on failure.

    Readers may see a partial batch during the load. It stays partial if this process dies or the database
    becomes unavailable, or for records that others have changed since: rolling those back could undo their
    changes and restore plain text that they have encrypted. Loading the batch again completes it.
    """
    raw = database.with_options(codec_options=_RAW)
    steps = [
        _Step("organizations", "_id", batch.organizations, raw["organizations"]),
        _Step("users", "_id", batch.users, raw["users"]),
        _Step("credentials", "organizationId", batch.credentials, raw["organizationcredentials"]),
    ]
    begun: list[_Step] = []
    try:
        with pymongo.timeout(_LOAD_SECONDS):
            rules.check_owners(batch, await _stored_organizations(database, batch))
            for step in steps:
                await step.save_old()
            for step in steps:
                begun.append(step)
                await step.write()
    except BaseException:
        await _put_back(begun)
        raise


async def _stored_organizations(database: AsyncDatabase[dict[str, Any]], batch: Batch) -> list[str]:
    ids = [ObjectId(organization) for organization in rules.organizations_of(batch)]
    found = database["organizations"].find({"_id": {"$in": ids}}, {"_id": 1})
    return [str(organization["_id"]) async for organization in found]


async def _put_back(steps: list[_Step]) -> None:
    left = 0
    try:
        with pymongo.timeout(_LOAD_SECONDS):
            for step in reversed(steps):
                left += await step.put_back()
    except PyMongoError as exc:
        # Its text may quote documents.
        _log.error("A batch stays loaded in part (%s); load it again", type(exc).__name__)
    if left:
        _log.error("A batch stays loaded in part (%s changed meanwhile); load it again", left)


@dataclass
class _Step:
    """The records of one kind, which belong to one collection."""

    kind: str
    key: str
    records: list[dict[str, Any]]
    collection: AsyncCollection[RawBSONDocument]
    before: dict[ObjectId, RawBSONDocument] = field(default_factory=dict)
    written: int = 0

    async def save_old(self) -> None:
        keys = [ObjectId(record[self.key]) for record in self.records]
        found = self.collection.find({self.key: {"$in": keys}})
        self.before = {stored[self.key]: stored async for stored in found}

    async def write(self) -> None:
        updates = [_merge(self.key, record) for record in self.records]
        try:
            # An upsert may lose a race; all updates are idempotent.
            with suppress(BulkWriteError):
                await self._run(updates)
                self.written = len(updates)
                return
            await self._run(updates)
            self.written = len(updates)
        except BulkWriteError as exc:
            if not exc.details["writeErrors"]:
                raise
            error = exc.details["writeErrors"][0]
            self.written = error["index"]
            record = self.records[error["index"]]
            raise RecordRefused(
                self.kind, record[self.key], f"MongoDB rejects it, code {error['code']}"
            ) from exc

    async def put_back(self) -> int:
        """Roll back; return the number of records that others have changed since, which are kept."""
        undone = await self._run([self._undo(record) for record in self.records])
        return max(self.written - undone, 0)

    def _undo(self, record: dict[str, Any]) -> _Operation:
        stored = self.before.get(ObjectId(record[self.key]))
        given, cleared = _changes(self.key, record)
        fields = {name: {"$eq": value} for name, value in {**(stored or {}), **given}.items()}
        unchanged = fields | {name: {"$exists": False} for name in cleared}
        return ReplaceOne(unchanged, stored) if stored else DeleteOne(unchanged)

    async def _run(self, operations: Sequence[_Operation]) -> int:
        """Execute operations in order; return how many documents they matched."""
        if not operations:
            return 0
        result = await self.collection.bulk_write(operations)
        return result.matched_count + result.deleted_count


def _merge(key: str, record: dict[str, Any]) -> UpdateOne:
    given, cleared = _changes(key, record)
    update = {"$set": given, "$unset": dict.fromkeys(cleared, "")} if cleared else {"$set": given}
    return UpdateOne({key: given[key]}, update, upsert=True)


def _changes(key: str, record: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields that a record sets, and those that it clears; the key is always set, because $set must not be empty."""
    ids = {name: ObjectId(record[name]) for name in (key, "organizationId") if name in record}
    fields = {name: value for name, value in record.items() if name not in ("_id", "organizationId")}
    given = ids | {name: value for name, value in fields.items() if value is not None}
    return given, [name for name, value in fields.items() if value is None]


async def read_secrets(credentials: AsyncCollection[dict[str, Any]], after: Any) -> list[dict[str, Any]]:
    """Read a page of records with `_id` greater than `after`: organization and secret fields."""
    query = {} if after is None else {"_id": {"$gt": after}}
    return await credentials.find(query, _SECRET_FIELDS).sort("_id").limit(_PAGE_SIZE).to_list()


async def replace_secrets(
    credentials: AsyncCollection[dict[str, Any]], changes: Sequence[tuple[StoredSecret, Encrypted]]
) -> int:
    """Replace the secrets that have not changed since they were read, in one round trip; each update is atomic."""
    updates = [
        UpdateOne(
            {"organizationId": ObjectId(secret.organization_id), **_unchanged(secret)},
            {"$set": {secret.name: FORMAT.document(encrypted)}},
        )
        for secret, encrypted in changes
    ]
    return (await credentials.bulk_write(updates, ordered=False)).matched_count


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


FORMAT = Format(bytes, _bytes)  # bytes are binary data of BSON


def _unchanged(secret: StoredSecret) -> dict[str, Any]:
    match secret.value:
        case Encrypted() as encrypted:
            return {f"{secret.name}.{name}": value for name, value in FORMAT.document(encrypted).items()}
        case value:
            return {secret.name: value}
