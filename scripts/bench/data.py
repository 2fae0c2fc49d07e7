"""The data that every program must return, in a file or in a database, the token that it accepts, and a check."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from handlers._commands.load import load_file
from handlers._settings import Settings
from handlers._store.keyring import new_entry
from relay.contract.diagnostics import Diagnostic, SetupError

PATH = "/api/calls/voice-ai/config"
USER = "64f0a1b2c3d4e5f6a7b8c9d1"
ORGANIZATION = "64f0a1b2c3d4e5f6a7b8c000"
SECRET = "a-secret-for-benchmarks-of-thirty-two-bytes"  # noqa: S105 -- signs for loopback only
_SINCH = {
    "sinchEstProjectId": "project",
    "sinchEstTrunkId": "trunk",
    "sinchEstTrunkDomain": "sip.example.com",
}
_SECRETS = ("elevenlabsApiKey", "elevenlabsToolSecret", "sinchEstKeyId", "sinchEstKeySecret")


def token(secret: str = SECRET, **claims: Any) -> str:
    """Return a token that is valid for a day, unless its claims say otherwise."""
    return jwt.encode({"userId": USER, "exp": int(time.time()) + 86400, **claims}, secret, "HS256")


def body(numbers: int) -> dict[str, Any]:
    """Return the response body with so many numbers."""
    flags = dict.fromkeys(("hasApiKey", "hasToolSecret", "hasEstCredentials"), True)
    found = [{**number, "userName": "Ada Admin", "userId": USER} for number in _stored_numbers(numbers)]
    return {"aiVoiceProvider": "elevenlabs", **flags, **_SINCH, "phoneNumbers": found}


def write_data(folder: Path, returned: dict[str, Any]) -> str:
    """Write a response body, and who may read it, for the programs that have it in memory; return the file's path."""
    file = folder / f"{secrets.token_hex(6)}.json"
    file.write_text(json.dumps({"user": USER, "organization": ORGANIZATION, "body": returned}), "utf-8")
    return str(file)


def source_url(source: str, numbers: int, folder: Path, mongodb: str = "") -> str:
    """Return the address of a new database with so many numbers; "memory" for memory. Raises SetupError."""
    if source == "memory":
        return source
    name = f"relay_bench_{secrets.token_hex(6)}"
    url = f"sqlite:///{folder}/{name}.db"
    if source == "mongodb":
        url = urlsplit(mongodb)._replace(path=f"/{name}").geturl()
    records = folder / f"{name}.json"
    records.write_text(json.dumps(_records(numbers)), "utf-8")
    asyncio.run(load_file(Settings.load(store=url, keyring=new_entry("bench")), records))
    return url


def _stored_numbers(count: int) -> list[dict[str, Any]]:
    """Return numbers as they are stored for a user, with all fields set."""
    return [
        {
            "provider": "sinch",
            "phoneNumber": f"+1416{index:07}",
            "isDefault": index == 0,
            "isInboundEnabled": True,
            "aiEnabled": index % 2 == 0,
            "aiAgentId": "64f0a1b2c3d4e5f6a7b8cc00",
            "elevenlabsPhoneNumberId": f"eleven-pn-{index}",
            "label": f"Line {index}",
        }
        for index in range(count)
    ]


def _records(numbers: int) -> dict[str, Any]:
    """Return an organization with one user, who has all numbers."""
    mine, numbered = {"organizationId": ORGANIZATION}, {"voicePhoneNumbers": _stored_numbers(numbers)}
    settings = {"aiVoiceProvider": "elevenlabs", **dict.fromkeys(_SECRETS, "never-read"), **_SINCH}
    user = {"_id": USER, "accessRole": "ADMIN", "fullName": "Ada Admin"}
    records = {"users": [user | mine | numbered], "credentials": [settings | mine]}
    return {"organizations": [{"_id": ORGANIZATION, "name": "Acme"}], **records}


def check(name: str, url: str, numbers: int) -> None:
    """Raise SetupError if a program does not do the work of the others."""
    response = _get(url, f"Bearer {token()}")
    if response.status_code != httpx.codes.OK or response.json() != body(numbers):
        raise SetupError([Diagnostic(name, f"returns other data, with status {response.status_code}")])
    invalid = {
        "no token": "",
        "a malformed token": "Bearer x.y.z",
        "a token signed with another key": f"Bearer {token(SECRET[::-1])}",
        "an expired token": f"Bearer {token(exp=int(time.time()) - 3600)}",
        "a token of an unknown user": f"Bearer {token(userId='f' * 24)}",
    }
    for credential, authorization in invalid.items():
        if (response := _get(url, authorization)).status_code != httpx.codes.UNAUTHORIZED:
            raise SetupError([Diagnostic(name, f"returns {response.status_code} for {credential}")])


def _get(url: str, authorization: str) -> httpx.Response:
    return httpx.get(url, headers={"Authorization": authorization} if authorization else {}, timeout=30)
