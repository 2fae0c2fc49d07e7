"""The store in MongoDB: what production scales on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pymongo
from bson import ObjectId
from bson.errors import BSONError
from pymongo.errors import PyMongoError

from . import StoreMisconfigured, StoreUnavailable, encryption, mongo_client, mongo_load, mongo_secrets, rules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from pymongo import AsyncMongoClient

    from handlers._types import CallsVoiceAiOrgPhoneNumber

    from . import Batch, Store, StoredSecret, User, VoiceAiSettings
    from .keyring import Encrypted, Keyring

T = TypeVar("T")

_GRACE_SECONDS = 0.2  # for the driver to give up by itself
_CLOSE_SECONDS = 2.5  # for what was asked and is not waited for any more
_USERS_A_TRIP = 1000  # few round trips, and none so large that decoding it holds up other requests


def _is_set(field: str) -> dict[str, Any]:
    """Tell in the database whether a field is set; a sealed secret, which is a document, is.

    A text is when it has more bytes than its blank characters account for. $trim would say so more simply,
    but not everything that speaks MongoDB's protocol has it, and every server is to be asked the same.
    """
    value = f"${field}"
    is_text = {"$and": [{"$gte": [value, ""]}, {"$lt": [value, {}]}]}  # as values of all types are ordered
    times = {"$subtract": [{"$size": {"$split": [value, "$$blank"]}}, 1]}
    blank_bytes = {
        "$sum": {
            "$map": {
                "input": list(rules.BLANK),
                "as": "blank",
                "in": {"$multiply": [{"$strLenBytes": "$$blank"}, times]},
            }
        }
    }
    return {"$cond": [is_text, {"$gt": [{"$strLenBytes": value}, blank_bytes]}, {"$gt": [value, None]}]}


_ACCESS = {"organizationId": 1, "accessRole": 1, "loginDisabled": 1}

# The flags are computed there, so that no secret leaves the database.
_SETTINGS = {
    "_id": 0,
    "apiKey": _is_set(rules.API_KEY),
    "toolSecret": _is_set(rules.TOOL_SECRET),
    "est": {"$and": [_is_set(field) for field in rules.EST_CREDENTIALS]},
    **dict.fromkeys(rules.IDENTIFIERS, 1),
}

_NUMBERS = {"fullName": 1} | {f"voicePhoneNumbers.{field}": 1 for field in rules.NUMBER_FIELDS}


def open_mongo(
    url: str, keyring: Keyring | None = None, *, read_only: bool = False
) -> AbstractAsyncContextManager[Store]:
    """Choose the database that a URL names; `StoreMisconfigured` when it names none."""
    if not url.partition("://")[2].partition("?")[0].partition("/")[2]:
        raise StoreMisconfigured("The MongoDB URL names no database; end it as in mongodb://host/relay.")
    return _opened(url, keyring, read_only=read_only)


@asynccontextmanager
async def _opened(url: str, keyring: Keyring | None, *, read_only: bool) -> AsyncIterator[Store]:
    async with mongo_client.create_client(url) as client:
        database, ending = client.get_default_database(), asyncio.Event()
        indexes = asyncio.create_task(
            asyncio.sleep(0) if read_only else mongo_client.ensure_indexes(database, ending)
        )
        store = MongoStore(client, keyring, indexes)
        try:
            yield store
        finally:
            ending.set()
            await asyncio.wait({indexes, *store.asking}, timeout=_CLOSE_SECONDS)
            while not indexes.done():  # the driver loses a cancellation that meets one of its own timeouts
                indexes.cancel()
                await asyncio.wait([indexes], timeout=0.1)


class MongoStore:
    """Reads in as few round trips as there are collections to ask."""

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], keyring: Keyring | None, indexes: asyncio.Task[None]
    ) -> None:
        self._client = client
        self._keyring = keyring
        self._indexes = indexes
        self._database = client.get_default_database()
        self._users = self._database["users"]
        self._credentials = self._database["organizationcredentials"]
        self.asking: set[asyncio.Task[Any]] = set()

    async def user(self, user_id: str) -> User | None:
        """See `Store.user`."""
        if not rules.ID.fullmatch(user_id):
            return None
        found = await self._answer(
            self._users.find_one({"_id": ObjectId(user_id)}, _ACCESS), rules.USER_SECONDS
        )
        return rules.user(user_id, *map(found.get, _ACCESS)) if found else None

    async def voice_ai(
        self, organization_id: str
    ) -> tuple[VoiceAiSettings, list[CallsVoiceAiOrgPhoneNumber]]:
        """See `Store.voice_ai`; settings and numbers are asked for at the same time."""
        if not rules.ID.fullmatch(organization_id):
            return rules.no_settings(), []
        return await self._answer(self._voice_ai(ObjectId(organization_id)))

    async def load(self, batch: Batch) -> None:
        """See `Store.load`, and `mongo_load.load` for what "all or nothing" can mean without transactions."""
        rules.check_records(batch)
        encrypted = encryption.encrypted_batch(batch, self._keyring, mongo_secrets.to_document)
        await self.ready()  # a load may take long, finding out that there is no database may not
        with _troubles():
            await mongo_load.load(self._database, encrypted)

    async def ready(self) -> None:
        """See `Store.ready`."""
        await self._answer(self._database.command("ping"))

    async def _voice_ai(
        self, organization: ObjectId
    ) -> tuple[VoiceAiSettings, list[CallsVoiceAiOrgPhoneNumber]]:
        settings, numbers = await asyncio.gather(
            self._settings_of(organization), self._numbers_of(organization)
        )
        return settings, numbers

    async def secrets(self) -> AsyncIterator[StoredSecret]:
        """See `Store.secrets`; what a record has whose organization is no ObjectId is nobody's, and of no use."""
        after = None
        while records := await self._page(after):
            for record in records:
                organization = record.get("organizationId")
                is_owned = isinstance(organization, ObjectId)
                owner = str(organization) if is_owned else f"the record {record['_id']!r}"
                for secret in encryption.stored_secrets(owner, record, mongo_secrets.to_bytes):
                    yield secret if is_owned else replace(secret, value=None)
                after = record["_id"]

    async def replace_secrets(self, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
        """See `Store.replace_secrets`."""
        return await self._answer(mongo_secrets.replace(self._credentials, changes))

    async def scrub(self) -> bool:
        """See `Store.scrub`; MongoDB's files are its own."""
        return True

    async def check(self) -> list[str]:
        """See `Store.check`; indexes that opening the store has just begun to create get their time."""
        await self.ready()
        await asyncio.wait([self._indexes], timeout=rules.ANSWER_SECONDS)
        missing = await self._answer(mongo_client.missing_indexes(self._database))
        census = await encryption.count_secrets(self.secrets(), self._keyring)
        return [*missing, *census.problems()]

    async def _page(self, after: Any) -> list[dict[str, Any]]:
        return await self._answer(mongo_secrets.read(self._credentials, after))

    async def _settings_of(self, organization: ObjectId) -> VoiceAiSettings:
        pipeline: list[dict[str, Any]] = [
            {"$match": {"organizationId": organization}},
            {"$project": _SETTINGS},
        ]
        found = await (await self._credentials.aggregate(pipeline)).to_list()
        if not found:
            return rules.no_settings()
        row = found[0]
        return rules.settings(
            [row.get(field) for field in rules.IDENTIFIERS],
            api_key=row["apiKey"],
            tool_secret=row["toolSecret"],
            est=row["est"],
        )

    async def _numbers_of(self, organization: ObjectId) -> list[CallsVoiceAiOrgPhoneNumber]:
        owners = self._users.find(
            {"organizationId": organization, "voicePhoneNumbers.provider": rules.SINCH}, _NUMBERS
        )
        return [
            _number(stored, owner)
            async for owner in owners.sort("_id").batch_size(_USERS_A_TRIP)
            for stored in owner["voicePhoneNumbers"]
            if stored.get("provider") == rules.SINCH
        ]

    async def _answer(self, asked: Coroutine[Any, Any, T], seconds: float = rules.ANSWER_SECONDS) -> T:
        """Wait for the driver, and leave it to itself when that takes too long or the caller is cancelled.

        Were it cancelled while it waits for a server, it could lose a lock of its own (Python 3.11: a
        cancellation in wait_for), and nobody would be answered any more until a restart.
        """
        if mongo_client.is_known_to_be_down(self._client):
            asked.close()
            raise StoreUnavailable
        with pymongo.timeout(min(seconds, self._client.options.timeout or seconds)):
            asking = asyncio.create_task(asked)
        self.asking.add(asking)
        asking.add_done_callback(self._ended)
        with _troubles():
            done, _ = await asyncio.wait([asking], timeout=seconds + _GRACE_SECONDS)
            if not done:
                raise TimeoutError
            return asking.result()

    def _ended(self, asking: asyncio.Task[Any]) -> None:
        self.asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # else asyncio tells of one that nobody waited for


@contextmanager
def _troubles() -> Iterator[None]:
    try:
        yield
    except (PyMongoError, BSONError, TimeoutError) as exc:
        raise StoreUnavailable from exc


def _number(stored: dict[str, Any], owner: dict[str, Any]) -> CallsVoiceAiOrgPhoneNumber:
    values = (*map(stored.get, rules.NUMBER_FIELDS), owner.get("fullName"), owner["_id"])
    return rules.number([str(value) if isinstance(value, ObjectId) else value for value in values])
