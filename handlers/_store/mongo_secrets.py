"""The secrets in MongoDB, for `relay keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bson import ObjectId
from pymongo import UpdateOne

from . import encryption, rules
from .keyring import Encrypted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymongo.asynchronous.collection import AsyncCollection

    from . import StoredSecret

_FIELDS = dict.fromkeys(("organizationId", *rules.SECRETS), 1)
_PAGE_SIZE = 200


async def read(credentials: AsyncCollection[dict[str, Any]], after: Any) -> list[dict[str, Any]]:
    """Read a page of records with `_id` greater than `after`: organization and secret fields."""
    query = {} if after is None else {"_id": {"$gt": after}}
    return await credentials.find(query, _FIELDS).sort("_id").limit(_PAGE_SIZE).to_list()


async def replace(
    credentials: AsyncCollection[dict[str, Any]], changes: Sequence[tuple[StoredSecret, Encrypted]]
) -> int:
    """Replace the secrets that have not changed since they were read, in one round trip; each update is atomic."""
    updates = [
        UpdateOne(
            {"organizationId": ObjectId(secret.organization_id), **_unchanged(secret)},
            {"$set": {secret.name: to_document(encrypted)}},
        )
        for secret, encrypted in changes
    ]
    return (await credentials.bulk_write(updates, ordered=False)).matched_count


def to_document(encrypted: Encrypted) -> dict[str, Any]:
    """Return the BSON document of an encrypted secret; bytes are binary data."""
    return encryption.to_document(encrypted, bytes)


def to_bytes(value: Any) -> bytes:
    """Return the bytes of a document's binary data."""
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _unchanged(secret: StoredSecret) -> dict[str, Any]:
    match secret.value:
        case Encrypted() as encrypted:
            return {f"{secret.name}.{name}": value for name, value in to_document(encrypted).items()}
        case value:
            return {secret.name: value}
