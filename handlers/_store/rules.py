"""Rules that both stores share, so that their results are identical; pure functions."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard, cast, get_args

from handlers._types import CallsVoiceAiOrgPhoneNumber

from . import Batch, RecordRefused, Role, User, VoiceAiSettings

ID = re.compile("[0-9a-f]{24}")

# A request first reads the user, then the data, and has 3 s for both.
USER_SECONDS, ANSWER_SECONDS = 0.8, 1.8

SINCH = "sinch"

# The fields of a stored number that are read, in the contract's order; two fields of its owner follow.
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

# The fields of an organization's credentials that are read, in the order of `settings`.
IDENTIFIERS = ("aiVoiceProvider", "sinchEstProjectId", "sinchEstTrunkId", "sinchEstTrunkDomain")

API_KEY, TOOL_SECRET = "elevenlabsApiKey", "elevenlabsToolSecret"

# Sinch's REST API needs exactly these four; the trunk's domain is only a SIP host.
EST_CREDENTIALS = ("sinchEstKeyId", "sinchEstKeySecret", "sinchEstProjectId", "sinchEstTrunkId")

# The encrypted fields: all credentials of an organization except the identifiers in the contract.
SECRETS = (API_KEY, TOOL_SECRET, "webhookSecret", "sinchEstKeyId", "sinchEstKeySecret")

# Unicode's White_Space and the byte order mark; a constant, because each database trims other characters.
BLANK = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

# SQLite's JSON ends a string at NUL, and an unpaired surrogate cannot be encoded.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def user(user_id: str, organization_id: object, role: object, disabled: object) -> User | None:
    """Return a user from stored values; None without an organization or a known role."""
    if organization_id is None or role not in get_args(Role):
        return None
    return User(user_id, str(organization_id), cast("Role", role), bool(disabled))


def settings(
    identifiers: Sequence[object], *, api_key: object, tool_secret: object, est: object
) -> VoiceAiSettings:
    """Return an organization's settings from its identifiers and flags."""
    provider, project, trunk, domain = map(_text, identifiers)
    return VoiceAiSettings(provider, bool(api_key), bool(tool_secret), bool(est), project, trunk, domain)


def no_settings() -> VoiceAiSettings:
    """Return the settings of an organization without credentials."""
    return settings([None] * len(IDENTIFIERS), api_key=False, tool_secret=False, est=False)


def number(values: Sequence[object]) -> CallsVoiceAiOrgPhoneNumber:
    """Return a number from the values of `NUMBER_FIELDS` and its owner's name and id; None values are left out."""
    named = dict(zip(_FLAT_FIELDS, values, strict=True))
    if None in values:
        named = {name: value for name, value in named.items() if value is not None}
    return cast("CallsVoiceAiOrgPhoneNumber", named)


def check_records(batch: Batch) -> None:
    """Raise `RecordRefused` for the first record that cannot be stored."""
    for kind, key, records in _kinds(batch):
        for record in records:
            if not is_storable(record):
                raise RecordRefused(
                    kind, str(record[key]), "contains text or a field name that cannot be stored"
                )
            for name in (key, "organizationId"):
                if name in record and not ID.fullmatch(str(record[name])):
                    raise RecordRefused(kind, str(record[key]), f"its {name} is not 24 lower-case hex digits")
    for record in batch.credentials:
        for name in SECRETS:
            if not isinstance(record.get(name), str | None):
                raise RecordRefused("credentials", record["organizationId"], f"its {name} is not text")


def organizations_of(batch: Batch) -> list[str]:
    """Return the ids of the organizations of a batch's users and credentials."""
    return sorted({record["organizationId"] for record in (*batch.users, *batch.credentials)})


def check_owners(batch: Batch, stored: Iterable[str]) -> None:
    """Raise `RecordRefused` for the first record whose organization is neither in the batch nor stored."""
    known = {organization["_id"] for organization in batch.organizations}.union(stored)
    for kind, key, records in _kinds(batch)[1:]:
        for record in records:
            if record["organizationId"] not in known:
                raise RecordRefused(
                    kind, record[key], "its organization is neither in the same file nor stored"
                )


def _kinds(batch: Batch) -> list[tuple[str, str, list[dict[str, Any]]]]:
    return [
        ("organizations", "_id", batch.organizations),
        ("users", "_id", batch.users),
        ("credentials", "organizationId", batch.credentials),
    ]


def is_text(value: object) -> TypeGuard[str]:
    """Return True for a string that is not blank."""
    return isinstance(value, str) and bool(value.strip(BLANK))


def is_storable(value: Any) -> bool:
    """Return True if both databases can store a value unchanged."""
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
