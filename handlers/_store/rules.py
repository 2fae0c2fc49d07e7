"""What both stores must decide alike, so that they answer alike; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeGuard, cast, get_args

from . import RecordRefused, Role, User, VoiceAiSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from handlers._types import CallsVoiceAiOrgPhoneNumber

    from . import Batch

ID = re.compile("[0-9a-f]{24}")

# A request asks who the caller is, then for something, and has 3 s for both.
USER_SECONDS, ANSWER_SECONDS = 0.8, 1.8

SINCH = "sinch"

# What may be read of a stored number, in the order of the contract; the owner's two follow.
NUMBER_FIELDS = (
    "provider",
    "phoneNumber",
    "isDefault",
    "isInboundEnabled",
    "aiEnabled",
    "aiAgentId",
    "elevenlabsPhoneNumberId",
    "label",
)
_FLAT_FIELDS = (*NUMBER_FIELDS, "userName", "userId")

# What may be read of an organization's credentials, in the order that `settings` takes them.
IDENTIFIERS = ("aiVoiceProvider", "sinchEstProjectId", "sinchEstTrunkId", "sinchEstTrunkDomain")

API_KEY, TOOL_SECRET = "elevenlabsApiKey", "elevenlabsToolSecret"

# Sinch's REST needs exactly these four; the trunk's domain is only a SIP host.
EST_CREDENTIALS = ("sinchEstKeyId", "sinchEstKeySecret", "sinchEstProjectId", "sinchEstTrunkId")

# What is encrypted: all of an organization's credentials but the identifiers that the contract shows.
SECRETS = (API_KEY, TOOL_SECRET, "webhookSecret", "sinchEstKeyId", "sinchEstKeySecret")

# Unicode's White_Space and the byte order mark. One constant, because each database trims differently.
BLANK = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

# SQLite's JSON ends a text at NUL, and no encoding has half of a surrogate pair.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def user(user_id: str, organization_id: object, role: object, disabled: object) -> User | None:
    """Make a user of what is stored, or None without an organization or a known role."""
    if organization_id is None or role not in get_args(Role):
        return None
    return User(user_id, str(organization_id), cast("Role", role), bool(disabled))


def settings(
    identifiers: Sequence[object], *, api_key: object, tool_secret: object, est: object
) -> VoiceAiSettings:
    """Make an organization's settings of its identifiers and of which secrets are set."""
    provider, project, trunk, domain = map(_text, identifiers)
    return VoiceAiSettings(provider, bool(api_key), bool(tool_secret), bool(est), project, trunk, domain)


def no_settings() -> VoiceAiSettings:
    """Make the settings of an organization that has no credentials."""
    return settings([None] * len(IDENTIFIERS), api_key=False, tool_secret=False, est=False)


def number(values: Sequence[object]) -> CallsVoiceAiOrgPhoneNumber:
    """Name a number's values: `NUMBER_FIELDS`, then its owner's name and id; unset ones are left out."""
    named = dict(zip(_FLAT_FIELDS, values, strict=True))
    if None in values:
        named = {name: value for name, value in named.items() if value is not None}
    return cast("CallsVoiceAiOrgPhoneNumber", named)


def check_records(batch: Batch) -> None:
    """Raise `RecordRefused` for the first record that no store could keep."""
    for kind, key, records in _kinds(batch):
        for record in records:
            if not is_storable(record):
                raise RecordRefused(kind, str(record[key]), "holds a text or a name that cannot be stored")
            for name in (key, "organizationId"):
                if name in record and not ID.fullmatch(str(record[name])):
                    raise RecordRefused(kind, str(record[key]), f"its {name} is not 24 lower-case hex digits")
    for record in batch.credentials:
        for name in SECRETS:
            if not isinstance(record.get(name), str | None):
                raise RecordRefused("credentials", record["organizationId"], f"its {name} is not a text")


def organizations_of(batch: Batch) -> list[str]:
    """Name the organizations that a batch's users and credentials belong to."""
    return sorted({record["organizationId"] for record in (*batch.users, *batch.credentials)})


def check_owners(batch: Batch, stored: Iterable[str]) -> None:
    """Raise `RecordRefused` for the first record whose organization is neither in the batch nor stored."""
    known = {organization["_id"] for organization in batch.organizations}.union(stored)
    for kind, key, records in _kinds(batch)[1:]:
        for record in records:
            if record["organizationId"] not in known:
                raise RecordRefused(
                    kind, record[key], "its organization is neither loaded with it nor stored"
                )


def _kinds(batch: Batch) -> list[tuple[str, str, list[dict[str, Any]]]]:
    return [
        ("organizations", "_id", batch.organizations),
        ("users", "_id", batch.users),
        ("credentials", "organizationId", batch.credentials),
    ]


def is_text(value: object) -> TypeGuard[str]:
    """Tell whether a value is a text that is more than blank."""
    return isinstance(value, str) and bool(value.strip(BLANK))


def is_storable(value: Any) -> bool:
    """Tell whether both databases can keep a value as it is."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, list):
        return all(map(is_storable, value))
    if isinstance(value, dict):
        # MongoDB would read the dot as a path and the dollar as an operator.
        return all(
            is_storable(k) and is_storable(v) and "." not in k and k[:1] != "$" for k, v in value.items()
        )
    return True


def _text(value: object) -> str | None:
    return value if is_text(value) else None
