"""The response data and the user of all programs, including Relay's."""

from __future__ import annotations

import os
from typing import Any

PATH = "/api/calls/voice-ai/config"
USER = "64f0a1b2c3d4e5f6a7b8c9d1"
ORGANIZATION = "64f0a1b2c3d4e5f6a7b8c000"
SETTINGS = {
    "aiVoiceProvider": "elevenlabs",
    "hasApiKey": True,
    "hasToolSecret": True,
    "hasEstCredentials": True,
    "sinchEstProjectId": "project",
    "sinchEstTrunkId": "trunk",
    "sinchEstTrunkDomain": "example.sip.sinch.com",
}


def stored_numbers(count: int) -> list[dict[str, Any]]:
    """Return `count` numbers as stored for a user, with all fields set."""
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


def numbers() -> list[dict[str, Any]]:
    """Return BENCH_NUMBERS numbers as in the response; with BENCH_BREAK=1 the first violates the contract."""
    owner = {"userName": "Ada Admin", "userId": USER}
    made = [{**number, **owner} for number in stored_numbers(int(os.environ["BENCH_NUMBERS"]))]
    if os.environ.get("BENCH_BREAK") == "1":
        made[0]["isDefault"] = "yes"
    return made
