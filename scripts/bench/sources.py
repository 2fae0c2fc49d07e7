"""The data sources of the programs; a store is filled before the measurement."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.programs.response_data import ORGANIZATION, USER, stored_numbers
from handlers._commands.load import load_file
from handlers._settings import Settings
from handlers._store.keyring import new_entry
from relay.contract.diagnostics import Diagnostic, SetupError


def source_url(source: str, numbers: int, folder: Path, mongodb: str = "", users: int = 1) -> str:
    """Return the value of BENCH_SOURCE; fill a new database with `numbers` numbers, except for memory.

    An SQLite database is a file in `folder`, a MongoDB database is created at the URL `mongodb`. Raises
    SetupError if it cannot be filled.
    """
    if source == "memory":
        return "memory"
    name = f"relay_bench_{secrets.token_hex(6)}"
    url = f"sqlite:///{folder}/{name}.db"
    if source == "mongodb":
        url = urlsplit(mongodb)._replace(path=f"/{name}").geturl()
    records = folder / f"{name}.json"
    records.write_text(json.dumps(_records(numbers, users)), "utf-8")
    settings = Settings.load(store=url, keyring=new_entry("bench"))
    try:
        asyncio.run(load_file(settings, records))
    except SetupError as exc:  # it names settings that the user has not set
        where = "--mongodb" if source == "mongodb" else str(folder)
        raise SetupError(Diagnostic(where, problem.message) for problem in exc.problems) from exc
    records.unlink()
    return url


def _records(numbers: int, users: int) -> dict[str, Any]:
    """Return an organization with its users; the first user has all numbers."""
    user = {"organizationId": ORGANIZATION, "accessRole": "ADMIN", "fullName": "Ada Admin"}
    return {
        "organizations": [{"_id": ORGANIZATION, "name": "Acme"}],
        "users": [
            {"_id": USER, **user, "voicePhoneNumbers": stored_numbers(numbers)},
            *({"_id": f"{index:024x}", **user} for index in range(1, users)),
        ],
        "credentials": [
            {
                "organizationId": ORGANIZATION,
                "aiVoiceProvider": "elevenlabs",
                "elevenlabsApiKey": "never-read",
                "elevenlabsToolSecret": "never-read",
                "sinchEstKeyId": "never-read",
                "sinchEstKeySecret": "never-read",
                "sinchEstProjectId": "project",
                "sinchEstTrunkId": "trunk",
                "sinchEstTrunkDomain": "example.sip.sinch.com",
            }
        ],
    }
