"""The store in MongoDB, for production."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import pymongo
from bson import ObjectId
from bson.errors import BSONError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from handlers._types import CallsVoiceAiOrgPhoneNumber

from . import (
    Batch,
    Member,
    Store,
    StoredSecret,
    StoreMisconfigured,
    StoreUnavailable,
    User,
    VoiceAi,
    VoiceAiSettings,
    encryption,
    mongo_client,
    mongo_reads,
    mongo_writes,
    rules,
)
from .keyring import Encrypted, Keyring

T = TypeVar("T")

_GRACE_SECONDS = 0.2  # for the driver to time out by itself
_CLOSE_SECONDS = 2.5  # for pending queries whose callers have stopped waiting
_USERS_BATCH = 1000  # few round trips, but small enough that decoding does not delay other requests


def open_mongo(
    url: str, keyring: Keyring | None = None, *, read_only: bool = False
) -> AbstractAsyncContextManager[Store]:
    """Return the store of a URL; raise `StoreMisconfigured` if it has no database name."""
    if not url.partition("://")[2].partition("?")[0].partition("/")[2]:
        raise StoreMisconfigured("The MongoDB URL has no database name; add it, as in mongodb://host/relay.")
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
            await asyncio.wait({indexes, *store.pending}, timeout=_CLOSE_SECONDS)
            while (
                not indexes.done()
            ):  # the driver loses a cancellation that coincides with one of its own timeouts
                indexes.cancel()
                await asyncio.wait([indexes], timeout=0.1)


class MongoStore:
    """Reads a user with the organization's settings and numbers in one round trip; else, one per collection."""

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], keyring: Keyring | None, indexes: asyncio.Task[None]
    ) -> None:
        self._client = client
        self._keyring = keyring
        self._indexes = indexes
        self._database = client.get_default_database()
        self._users = self._database["users"]
        self._credentials = self._database["organizationcredentials"]
        self.pending: set[asyncio.Task[Any]] = set()

    async def user(self, user_id: str) -> User | None:
        """See `Store.user`."""
        if not rules.ID.fullmatch(user_id):
            return None
        query = self._users.find_one({"_id": ObjectId(user_id)}, mongo_reads.ACCESS)
        return mongo_reads.user(user_id, await self._query(query, rules.USER_SECONDS))

    async def member(self, user_id: str) -> Member | None:
        """See `Store.member`; one round trip, unless many users have numbers or the server refuses the query."""
        if not rules.ID.fullmatch(user_id):
            return None
        began = time.monotonic()
        try:
            found = await self._query(self._joined(ObjectId(user_id)))
        except StoreUnavailable as exc:
            if not mongo_client.is_refusal(exc.__cause__):
                raise
            user, found = await self.user(user_id), None
        else:
            user = mongo_reads.user(user_id, found)
        if user is None:
            return None
        if found is None or not isinstance(found["organizationId"], ObjectId):
            return Member(user, partial(self.voice_ai, user.organization_id))
        left = rules.USER_SECONDS + rules.ANSWER_SECONDS - (time.monotonic() - began)
        return Member(user, partial(self._joined_voice_ai, found, min(left, rules.ANSWER_SECONDS)))

    async def voice_ai(self, organization_id: str) -> VoiceAi:
        """See `Store.voice_ai`; queries settings and numbers at the same time."""
        if not rules.ID.fullmatch(organization_id):
            return rules.no_settings(), []
        return await self._query(self._voice_ai(ObjectId(organization_id)))

    async def load(self, batch: Batch) -> None:
        """See `Store.load`, and `mongo_writes.load` for what "all or nothing" can mean without transactions."""
        rules.check_records(batch)
        encrypted = mongo_writes.FORMAT.encrypted(batch, self._keyring)
        await self.ready()  # a load may take long, but an unavailable database must be reported soon
        with _as_unavailable():
            await mongo_writes.load(self._database, encrypted)

    async def ready(self) -> None:
        """See `Store.ready`."""
        await self._query(self._database.command("ping"))

    async def secrets(self) -> AsyncIterator[StoredSecret]:
        """See `Store.secrets`; a record whose organization is not an ObjectId has no owner, so its secrets are unreadable."""
        after = None
        while records := await self._page(after):
            for record in records:
                organization = record.get("organizationId")
                is_owned = isinstance(organization, ObjectId)
                owner = str(organization) if is_owned else f"the record {record['_id']!r}"
                for secret in mongo_writes.FORMAT.secrets(owner, record):
                    yield secret if is_owned else replace(secret, value=None)
                after = record["_id"]

    async def replace_secrets(self, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
        """See `Store.replace_secrets`."""
        return await self._query(mongo_writes.replace_secrets(self._credentials, changes))

    async def scrub(self) -> bool:
        """See `Store.scrub`; MongoDB manages its own files."""
        return True

    async def check(self) -> list[str]:
        """See `Store.check`; waits for the indexes that opening the store has started to create."""
        await self.ready()
        await asyncio.wait([self._indexes], timeout=rules.ANSWER_SECONDS)
        missing = await self._query(mongo_client.missing_indexes(self._database))
        report = await encryption.count_secrets(self.secrets(), self._keyring)
        return [*missing, *report.problems()]

    async def _page(self, after: Any) -> list[dict[str, Any]]:
        return await self._query(mongo_writes.read_secrets(self._credentials, after))

    async def _joined(self, user: ObjectId) -> dict[str, Any] | None:
        cursor = await self._users.aggregate([{"$match": {"_id": user}}, *mongo_reads.JOINED])
        found = next(iter(await cursor.to_list()), None)
        if found:  # arrays that live as long as a request make the garbage collector work
            found["numbers"] = mongo_reads.joined_numbers(found.pop("owners"))
        return found

    async def _joined_voice_ai(self, found: dict[str, Any], seconds: float) -> VoiceAi:
        """Return what came with a user; numbers of many users are read apart."""
        numbers = found["numbers"]
        if numbers is None:
            numbers = await self._query(self._numbers_of(found["organizationId"]), seconds)
        return mongo_reads.settings(found["settings"]), numbers

    async def _voice_ai(self, organization: ObjectId) -> VoiceAi:
        settings, numbers = await asyncio.gather(
            self._settings_of(organization), self._numbers_of(organization)
        )
        return settings, numbers

    async def _settings_of(self, organization: ObjectId) -> VoiceAiSettings:
        found = await self._credentials.aggregate(
            [{"$match": {"organizationId": organization}}, *mongo_reads.SETTINGS]
        )
        return mongo_reads.settings(await found.to_list())

    async def _numbers_of(self, organization: ObjectId) -> list[CallsVoiceAiOrgPhoneNumber]:
        having = {"organizationId": organization, **mongo_reads.HAS_NUMBERS}
        owners = self._users.find(having, mongo_reads.NUMBERS)
        return [
            mongo_reads.number(stored, owner)
            async for owner in owners.sort("_id").batch_size(_USERS_BATCH)
            for stored in owner["voicePhoneNumbers"]
            if stored.get("provider") == rules.SINCH
        ]

    async def _query(self, query: Coroutine[Any, Any, T], seconds: float = rules.ANSWER_SECONDS) -> T:
        """Wait for the driver; stop waiting, without cancelling it, on a timeout or a cancellation.

        A cancellation while it waits for a server could make the driver lose one of its locks (Python 3.11: a
        cancellation in wait_for), and then no query would succeed until a restart.
        """
        if mongo_client.is_known_to_be_down(self._client):
            query.close()
            raise StoreUnavailable
        with pymongo.timeout(min(seconds, self._client.options.timeout or seconds)):
            task = asyncio.create_task(query)
        self.pending.add(task)
        task.add_done_callback(self._on_done)
        with _as_unavailable():
            done, _ = await asyncio.wait([task], timeout=seconds + _GRACE_SECONDS)
            if not done:
                raise TimeoutError
            return task.result()

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self.pending.discard(task)
        if not task.cancelled():
            task.exception()  # otherwise asyncio logs an exception that was never retrieved


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (PyMongoError, BSONError, TimeoutError) as exc:
        raise StoreUnavailable from exc
