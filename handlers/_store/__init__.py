"""Where organizations, users and their voice-AI set-up are kept: one protocol, two stores.

`open_store(url)` picks the store: SQLite in one file, or MongoDB. Both answer alike, to the byte, which
`tests/handlers/test_store.py` holds them to. Ids are 24 lower-case hex digits on this side of the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from handlers._types import CallsVoiceAiOrgPhoneNumber

    from .keyring import Encrypted, Keyring

Role = Literal["SUPERADMIN", "ADMIN", "DEPARTMENT_HEAD", "SALES_REP"]


@dataclass(frozen=True, slots=True)
class User:
    """Who a caller is, as far as access is concerned."""

    id: str
    organization_id: str
    access_role: Role
    login_disabled: bool


@dataclass(frozen=True, slots=True)
class VoiceAiSettings:
    """An organization's voice-AI set-up: which secrets exist, never their values."""

    ai_voice_provider: str | None
    has_api_key: bool
    has_tool_secret: bool
    has_est_credentials: bool
    sinch_est_project_id: str | None
    sinch_est_trunk_id: str | None
    sinch_est_trunk_domain: str | None


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
    """A secret as a store has it, by the name of its field.

    It is encrypted, or in plain text; None is what is neither in a way that we know.
    """

    organization_id: str
    name: str
    value: Encrypted | str | None = field(repr=False)


class StoreUnavailable(Exception):
    """The database did not answer in time, or not at all; the cause is chained, never told.

    `reason` is for operators: a fixed text that says what to do, or nothing where nobody answered.
    """

    status, code, message = 500, "DB_UNAVAILABLE", "The database is not available"

    def __init__(self, *, reason: str = "") -> None:
        super().__init__()
        self.reason = reason

    def __str__(self) -> str:
        return self.message


class StoreMisconfigured(Exception):
    """The store cannot be opened until a person changes something; the text is one line that says what."""


class StoreAbsent(Exception):
    """There is nothing yet to be read, and writing was not wanted; the text is one line that says where."""


@dataclass(eq=False)
class RecordRefused(Exception):
    """A record of a batch that cannot be stored, so that nothing of the batch was."""

    kind: str
    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.reason}"


class Store(Protocol):
    """What the service asks of a database; every method raises `StoreUnavailable` for its troubles."""

    async def user(self, user_id: str) -> User | None:
        """Find a user; None when there is none, or none that an organization and a role make usable.

        What is not 24 hex digits names nobody, and the database is not asked.
        """

    async def voice_ai(
        self, organization_id: str
    ) -> tuple[VoiceAiSettings, list[CallsVoiceAiOrgPhoneNumber]]:
        """Read an organization's settings and its users' Sinch numbers, by user id, then list position."""

    async def load(self, batch: Batch) -> None:
        """Merge a batch, all of it or nothing: a null clears its field, a missing field stays as it was.

        A user's `voicePhoneNumbers`, when given, replace the whole list. Secrets are sealed before the
        database sees them. Raises `RecordRefused`, and `KeyringMissing` for a secret without a keyring.
        """

    async def ready(self) -> None:
        """Return when the database answers."""

    # What follows is for the commands around the keyring; the service itself reads no secret, sealed or not.

    def secrets(self) -> AsyncIterator[StoredSecret]:
        """Go through the secrets of all organizations; one changed meanwhile may be met as it was or is."""

    async def replace_secrets(self, changes: Sequence[tuple[StoredSecret, Encrypted]]) -> int:
        """Store secrets anew, each only if it is still what was read; return how many were."""

    async def scrub(self) -> bool:
        """Clear the database's files of what was overwritten, as far as that is ours to do.

        False when a reader of the moment is in the way, so that it is to be tried again.
        """

    async def check(self) -> list[str]:
        """Tell what a person should mend in this store, a line each."""


def open_store(
    url: str, keyring: Keyring | None = None, *, read_only: bool = False
) -> AbstractAsyncContextManager[Store]:
    """Choose the store that a URL names; it is opened on entering and closed on leaving.

    Reading needs no keyring, writing secrets does.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, `mongodb://host/database` and
    `mongodb+srv://host/database` are understood. Raises `StoreMisconfigured`, here or on entering;
    with `read_only`, where opening creates neither file nor index, `StoreAbsent` on entering, too.
    """
    # Each driver waits for its URL: importing pymongo alone costs more than the rest of the start.
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
