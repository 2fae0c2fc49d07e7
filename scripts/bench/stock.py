"""Stock Connexion, as its documentation writes it, with `validate_responses=True`."""

from __future__ import annotations

import os
from typing import Any

import jwt
import uvicorn
from connexion import AsyncApp  # type: ignore[attr-defined]  # Connexion ships no types

from handlers._app import SPEC
from scripts.bench.data import SECRET, numbers

_NUMBERS = numbers()


def verify(token: str) -> dict[str, Any] | None:
    """Decode a bearer token: Connexion's bearerInfoFunc."""
    try:
        return jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp"]})
    except jwt.PyJWTError:
        return None


async def get_calls_voice_ai_config() -> dict[str, Any]:
    """Answer from memory."""
    return {
        "aiVoiceProvider": "elevenlabs",
        "hasApiKey": True,
        "hasToolSecret": True,
        "hasEstCredentials": True,
        "sinchEstProjectId": "project",
        "sinchEstTrunkId": "trunk",
        "sinchEstTrunkDomain": "example.sip.sinch.com",
        "phoneNumbers": _NUMBERS,
    }


def main() -> None:
    """Serve on the port of the environment."""
    os.environ["BEARERINFO_FUNC"] = "scripts.bench.stock.verify"
    app = AsyncApp(__name__, resolver=lambda _operation_id: get_calls_voice_ai_config)
    app.add_api(SPEC, validate_responses=True)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
