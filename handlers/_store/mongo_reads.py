"""The reads of a request from MongoDB: the stages of its aggregations, and the shape of their results."""

from collections.abc import Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from handlers._types import CallsVoiceAiOrgPhoneNumber

from . import User, VoiceAiSettings, rules

_MOST_OWNERS = 100
"""So many users with their numbers come with the caller, in one document, which MongoDB limits to 16 MB."""

ACCESS = {"organizationId": 1, "accessRole": 1, "loginDisabled": 1}


def _is_set(field: str) -> dict[str, Any]:
    """Return an expression that is true if a field is set; an encrypted secret is a document, which is set.

    A string is set if it has more bytes than its blank characters. $trim would be simpler, but some servers
    that implement MongoDB's protocol do not have it, and all servers get the same query.
    """
    value = f"${field}"
    is_text = {"$and": [{"$gte": [value, ""]}, {"$lt": [value, {}]}]}  # BSON values of all types are ordered
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


def _encoded(*stages: dict[str, Any]) -> list[RawBSONDocument]:
    """Return stages that the driver copies; encoding them anew would take longer than decoding their result."""
    return [RawBSONDocument(bson.encode(stage)) for stage in stages]


# The flags are computed in the database, so that no secret leaves it.
_SETTINGS = {
    "$project": {
        "_id": 0,
        "apiKey": _is_set(rules.API_KEY),
        "toolSecret": _is_set(rules.TOOL_SECRET),
        "est": {"$and": [_is_set(field) for field in rules.EST_CREDENTIALS]},
        **dict.fromkeys(rules.IDENTIFIERS, 1),
    }
}

NUMBERS = {"fullName": 1} | {f"voicePhoneNumbers.{field}": 1 for field in rules.NUMBER_FIELDS}


# What comes with a user: a number is an array, because names of fields take longer to decode than values. The inner
# $map only copies; without it, some servers do not evaluate the elements.
_VALUES = [f"$$number.{field}" for field in rules.NUMBER_FIELDS[1:]] + ["$fullName", {"$toString": "$_id"}]
_ROWS = {
    "$project": {
        "_id": 0,
        "numbers": {
            "$map": {
                "input": {
                    "$filter": {
                        "input": {"$cond": [{"$isArray": ["$voicePhoneNumbers"]}, "$voicePhoneNumbers", []]},
                        "as": "number",
                        "cond": {"$eq": ["$$number.provider", rules.SINCH]},
                    }
                },
                "as": "number",
                "in": {
                    "$map": {
                        "input": [{"$ifNull": [value, None]} for value in _VALUES],
                        "as": "value",
                        "in": "$$value",
                    }
                },
            }
        },
    }
}

SETTINGS = _encoded(_SETTINGS)
"""The stages that make settings of an organization's credentials."""

HAS_NUMBERS = {"voicePhoneNumbers.provider": rules.SINCH}  # the filter of users who have Sinch numbers


def _lookup(name: str, source: str, match: dict[str, Any], *stages: dict[str, Any]) -> dict[str, Any]:
    """Return a stage that reads what a collection has of the user's organization."""
    is_of_organization = {"$expr": {"$eq": ["$organizationId", "$$organization"]}}
    return {
        "$lookup": {
            "from": source,
            "let": {"organization": "$organizationId"},
            "pipeline": [{"$match": {**is_of_organization, **match}}, *stages],
            "as": name,
        }
    }


JOINED = _encoded(
    _lookup("settings", "organizationcredentials", {}, _SETTINGS),
    _lookup("owners", "users", HAS_NUMBERS, {"$sort": {"_id": 1}}, {"$limit": _MOST_OWNERS + 1}, _ROWS),
    {"$project": {**ACCESS, "settings": 1, "owners": 1}},
)
"""The stages that add the settings and the first numbers of the organization to a user."""


def user(user_id: str, found: Mapping[str, Any] | None) -> User | None:
    """Return a user from its document."""
    return rules.user(user_id, *map(found.get, ACCESS)) if found else None


def settings(rows: Sequence[Mapping[str, Any]]) -> VoiceAiSettings:
    """Return an organization's settings from the documents of its credentials, of which it has at most one."""
    if not rows:
        return rules.no_settings()
    row = rows[0]
    return rules.settings(
        [row.get(field) for field in rules.IDENTIFIERS],
        api_key=row["apiKey"],
        tool_secret=row["toolSecret"],
        est=row["est"],
    )


def joined_numbers(owners: Sequence[Mapping[str, Any]]) -> list[CallsVoiceAiOrgPhoneNumber] | None:
    """Return the numbers that came with a user; None if there may be more of them.

    A display with constant keys is made in less than half the time of `dict(zip(…))`.
    """
    if len(owners) > _MOST_OWNERS:
        return None
    rows: list[list[Any]] = [row for owner in owners for row in owner["numbers"]]
    numbers: list[Any] = [
        {
            "provider": rules.SINCH,
            "phoneNumber": phone_number,
            "isDefault": is_default,
            "isInboundEnabled": is_inbound_enabled,
            "aiEnabled": ai_enabled,
            "aiAgentId": agent_id,
            "elevenlabsPhoneNumberId": elevenlabs_id,
            "label": label,
            "userName": user_name,
            "userId": user_id,
        }
        for phone_number, is_default, is_inbound_enabled, ai_enabled, agent_id, elevenlabs_id, label, user_name, user_id in rows
    ]
    # If all fields are set, and none to an ObjectId, the numbers need no second pass.
    types = set(map(type, chain.from_iterable(rows)))
    return numbers if types.isdisjoint((NoneType, ObjectId)) else list(map(_cleaned, numbers))


def number(stored: Mapping[str, Any], owner: Mapping[str, Any]) -> CallsVoiceAiOrgPhoneNumber:
    """Return a number of a user."""
    values = (*map(stored.get, rules.NUMBER_FIELDS), owner.get("fullName"), owner["_id"])
    return rules.number([str(value) if isinstance(value, ObjectId) else value for value in values])


def _cleaned(number: dict[str, Any]) -> Any:
    """Return a number without what is missing, and with ids as text."""
    return {
        name: str(value) if isinstance(value, ObjectId) else value
        for name, value in number.items()
        if value is not None
    }
