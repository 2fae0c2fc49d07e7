"""The connection to MongoDB: its timeouts and its indexes."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from . import StoreMisconfigured

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection
    from pymongo.asynchronous.database import AsyncDatabase

_log = logging.getLogger("relay.store")

# The driver's own defaults wait 30 s for a server and forever for a response. The URL may override these.
_DEFAULTS = {
    "timeoutMS": 2000,
    "serverSelectionTimeoutMS": 1500,
    "connectTimeoutMS": 1000,
    "heartbeatFrequencyMS": 1000,
    "maxPoolSize": 50,
    "waitQueueTimeoutMS": 500,
}

INDEXES = (
    ("users", ["organizationId", "_id"], False),
    ("organizationcredentials", ["organizationId"], True),
)
"""Collection, keys, and whether the index is unique."""

_RETRY_SECONDS = 1.0
_INDEX_SECONDS = 600.0  # a large collection takes long, but no request waits for it

_NOT_AUTHENTICATED = 18

# Not allowed, cannot be created, exists with other options, exists with other keys, duplicate values.
_REFUSALS = {13, 67, 85, 86, 11000}


def create_client(url: str) -> pymongo.AsyncMongoClient[dict[str, Any]]:
    """Return the client of a URL; it connects on first use. Raises `StoreMisconfigured` for an invalid URL."""
    given = {name.lower() for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)}
    defaults: dict[str, Any] = {name: value for name, value in _DEFAULTS.items() if name.lower() not in given}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # the driver warns of options that it ignores
            client: pymongo.AsyncMongoClient[dict[str, Any]] = pymongo.AsyncMongoClient(url, **defaults)
            client.get_default_database()
    except (PyMongoError, ValueError, OSError, UserWarning):
        raise StoreMisconfigured(
            "The MongoDB URL cannot be used: check its host, its database name, its options and the files "
            "they name, and that user and password are percent-encoded."
        ) from None  # the driver's text may quote the password
    return client


def is_known_to_be_down(client: pymongo.AsyncMongoClient[Any]) -> bool:
    """Return True if all servers were tried and none is available; False for a client that was not used yet."""
    topology = client.topology_description
    return not topology.has_known_servers and all(
        server.error for server in topology.server_descriptions().values()
    )


def is_refusal(exc: BaseException | None) -> bool:
    """Return True if the server does not execute a query: it lacks a stage, or the result is too large."""
    return isinstance(exc, OperationFailure) and not exc.timeout


async def ensure_indexes(database: AsyncDatabase[dict[str, Any]], ending: asyncio.Event) -> None:
    """Create the indexes, retrying until the database is available; log the reason when it changes."""
    logged = ""
    while not ending.is_set():
        try:
            await database.command("ping")
            with pymongo.timeout(_INDEX_SECONDS):
                for name, keys, unique in INDEXES:
                    await _ensure_index(database[name], keys, unique=unique)
        except PyMongoError as exc:
            reason = _reason(database.client, exc)
            if reason != logged:
                _log.warning("MongoDB is not available yet and is asked every second: %s", reason)
            logged = reason
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _RETRY_SECONDS)
        else:
            return


async def missing_indexes(database: AsyncDatabase[dict[str, Any]]) -> list[str]:
    """Report the missing indexes."""
    problems = []
    for name, keys, unique in INDEXES:
        found = (await database[name].index_information()).values()
        if not any(_is_index(index, keys, unique=unique) for index in found):
            kind = "unique index" if unique else "index"
            problems.append(
                f"MongoDB has no {kind} of {name} on {', '.join(keys)}; `relay serve` creates it, or logs why it cannot"
            )
    return problems


def _reason(client: pymongo.AsyncMongoClient[Any], exc: BaseException) -> str:
    """Return why a database is unavailable, as error code or class; an exception's text may contain secrets."""
    servers = client.topology_description.server_descriptions().values()
    for error in (exc, *(server.error for server in servers if server.error)):
        if isinstance(error, OperationFailure):
            if error.code == _NOT_AUTHENTICATED:
                return "it refuses the user or the password of its URL"
            return f"it answers with code {error.code}"
        exc = error
    while exc.__cause__ is not None:
        exc = exc.__cause__
    return type(exc).__name__


async def _ensure_index(
    collection: AsyncCollection[dict[str, Any]], keys: Sequence[str], *, unique: bool
) -> None:
    try:
        await collection.create_index(keys, unique=unique)
    except OperationFailure as exc:
        if exc.code not in _REFUSALS:
            raise
        _log.error(
            "MongoDB refuses the index %s of %s (code %s); the service continues without it",
            keys,
            collection.name,
            exc.code,
        )


def _is_index(index: Mapping[str, Any], keys: Sequence[str], *, unique: bool) -> bool:
    return [key for key, _ in index["key"]] == keys and bool(index.get("unique")) >= unique
