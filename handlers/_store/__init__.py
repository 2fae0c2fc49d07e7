"""Stores organizations, users and their voice-AI settings: one protocol, two implementations.

`open_store(url)` selects the store: SQLite in one file, or MongoDB. Both return identical results, which
`tests/handlers/test_store.py` verifies. In this protocol, ids are 24 lower-case hex digits.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from handlers._types import CallsVoiceAiOrgPhoneNumber

from .keyring import Encrypted, Keyring

Role = Literal["SUPERADMIN", "ADMIN", "DEPARTMENT_HEAD", "SALES_REP"]


@dataclass(frozen=True, slots=True)
class User:
    """The data of a user that decides on access."""

    id: str
    organization_id: str
    access_role: Role
    login_disabled: bool


@dataclass(frozen=True, slots=True)
class VoiceAiSettings:
    """An organization's voice-AI settings: which secrets exist, never their values."""

    ai_voice_provider: str | None
    has_api_key: bool
    has_tool_secret: bool
    has_est_credentials: bool
    sinch_est_project_id: str | None
    sinch_est_trunk_id: str | None
    sinch_est_trunk_domain: str | None


VoiceAi = tuple[VoiceAiSettings, "list[CallsVoiceAiOrgPhoneNumber]"]
"""An organization's settings, and its users' Sinch numbers."""


class Member(NamedTuple):
    """A user, and a function that returns what `Store.voice_ai` returns of the user's organization.

    What it returns was stored when the user was read, or later: it is for the request that read the user.
    """

    user: User
    voice_ai: Callable[[], Awaitable[VoiceAi]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to load, under their stored field names: `_id` and `organizationId` are 24-hex strings.

    Users and credentials name their `organizationId`; credentials are one record per organization.
    """

    organizations: list[dict[str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    credentials: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A stored secret; `name` is its field.

    `value` is the encrypted secret, or the plain text, or None if the stored value is unreadable.
    """

    organization_id: str
    name: str
    value: Encrypted | str | None = field(repr=False)


class StoreUnavailable(Exception):
    """The database did not respond, or not in time; the cause is chained, never shown to clients.

    `reason` is for operators: a fixed text that says what to do; empty if there was no response.
    """

    status, code, message = 500, "DB_UNAVAILABLE", "The database is not available"

    def __init__(self, *, reason: str = "") -> None:
        super().__init__()
        self.reason = reason

    def __str__(self) -> str:
        return self.message


class StoreMisconfigured(Exception):
    """The store cannot be opened with this configuration; the text is one line that says what to change."""


class StoreAbsent(Exception):
    """The store does not exist yet, and `read_only` forbids creating it; the text is one line with its path."""


@dataclass(eq=False)
class RecordRefused(Exception):
    """A record of a batch cannot be stored, so nothing of the batch was stored."""

    kind: str
    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.reason}"


class Store(Protocol):
    """The operations of a store; every method raises `StoreUnavailable` if the database fails."""

    async def user(self, user_id: str) -> User | None:
        """Return a user; None if it does not exist, or has no organization or no known role.

        An id that is not 24 hex digits is unknown; the database is not queried.
        """

    async def member(self, user_id: str) -> Member | None:
        """Return a user with the settings and numbers of the organization; None as of `user`.

        A store may read both at the same time, if that costs less than to read one after the other.
        """

    async def voice_ai(self, organization_id: str) -> VoiceAi:
        """Return an organization's settings and its users' Sinch numbers, ordered by user id and list position."""

    async def load(self, batch: Batch) -> None:
        """Merge a batch, completely or not at all: null clears a field, an absent field is not changed.

        A user's `voicePhoneNumbers`, if given, replace the whole list. Secrets are encrypted before they
        are sent to the database. Raises `RecordRefused`, and `KeyringMissing` for a secret without a keyring.
        """

    async def ready(self) -> None:
        """Return if the database responds."""

    # The following methods are for `relay keys` and `relay check`; the service itself reads no secret.

    def secrets(self) -> AsyncIterator[StoredSecret]:
        """Yield the secrets of all organizations; a secret changed meanwhile may have its old or its new value."""

    async def replace_secrets(self, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
        """Replace secrets, each only if it has not changed since it was read; return the number replaced."""

    async def scrub(self) -> bool:
        """Remove overwritten data from the database's files, if the store can do that.

        Returns False if another reader prevents it; then try again.
        """

    async def check(self) -> list[str]:
        """Return the problems of this store that an operator should fix, a line each."""


def open_store(
    url: str, keyring: Keyring | None = None, *, read_only: bool = False
) -> AbstractAsyncContextManager[Store]:
    """Return the store of a URL as a context manager.

    Only writing secrets needs a keyring.

    Supports `sqlite:///relative.db`, `sqlite:////absolute.db`, `mongodb://host/database` and
    `mongodb+srv://host/database`. Raises `StoreMisconfigured`, here or on entering. With `read_only`,
    opening creates neither file nor index; raises `StoreAbsent` on entering if the store does not exist.
    """
    # Drivers are imported on demand: importing pymongo takes longer than the rest of the start.
    if url.startswith("sqlite:"):
        from .sqlite import open_sqlite

        return open_sqlite(url, keyring, read_only=read_only)
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from .mongo import open_mongo

        return open_mongo(url, keyring, read_only=read_only)
    raise StoreMisconfigured(
        "The database URL must begin with sqlite:///, mongodb:// or mongodb+srv://, "
        "for example sqlite:///relay.db."
    )
