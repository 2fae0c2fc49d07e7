"""The secrets in MongoDB, for the commands around the keyring; and the indexes that should be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bson import ObjectId
from pymongo import UpdateOne

from . import rules, sealing
from .keyring import Sealed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pymongo.asynchronous.collection import AsyncCollection
    from pymongo.asynchronous.database import AsyncDatabase

    from . import StoredSecret

_FIELDS = dict.fromkeys(("organizationId", *rules.SECRETS), 1)
_A_PAGE = 200

# As `mongo_client` creates them.
_INDEXES = (
    ("users", ["organizationId", "_id"], False),
    ("organizationcredentials", ["organizationId"], True),
)


async def read(credentials: AsyncCollection[dict[str, Any]], after: Any) -> list[dict[str, Any]]:
    """Read a page of organizations, by the `_id` of their records, beyond one: the fields of their secrets."""
    beyond = {} if after is None else {"_id": {"$gt": after}}
    return await credentials.find(beyond, _FIELDS).sort("_id").limit(_A_PAGE).to_list()


async def replace(
    credentials: AsyncCollection[dict[str, Any]], changes: Sequence[tuple[StoredSecret, Sealed]]
) -> int:
    """Replace the secrets that are still what was read, in one trip; each update is atomic by itself."""
    updates = [
        UpdateOne(
            {"organizationId": ObjectId(secret.organization_id), **_is_still(secret)},
            {"$set": {secret.name: to_document(sealed)}},
        )
        for secret, sealed in changes
    ]
    return (await credentials.bulk_write(updates, ordered=False)).matched_count


async def missing_indexes(database: AsyncDatabase[dict[str, Any]]) -> list[str]:
    """Tell the indexes that are not there."""
    problems = []
    for name, keys, unique in _INDEXES:
        found = (await database[name].index_information()).values()
        if not any(_is_index(index, keys, unique=unique) for index in found):
            kind = "unique index" if unique else "index"
            problems.append(
                f"MongoDB has no {kind} of {name} on {', '.join(keys)}; the log says why it could not be created"
            )
    return problems


def to_document(sealed: Sealed) -> dict[str, Any]:
    """Return a sealed secret as BSON has it: bytes are binary data."""
    return sealing.to_document(sealed, bytes)


def to_bytes(value: Any) -> bytes:
    """Return the bytes of a document's binary data."""
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _is_index(index: Mapping[str, Any], keys: Sequence[str], *, unique: bool) -> bool:
    return [key for key, _ in index["key"]] == keys and bool(index.get("unique")) >= unique


def _is_still(secret: StoredSecret) -> dict[str, Any]:
    match secret.value:
        case Sealed() as sealed:
            return {f"{secret.name}.{name}": value for name, value in to_document(sealed).items()}
        case value:
            return {secret.name: value}
