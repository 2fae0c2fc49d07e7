"""What both servers answer with, from memory, and the token that both accept."""

from __future__ import annotations

import os
import time
from typing import Any

import jwt

SECRET = "a-secret-for-benchmarks-of-thirty-two-bytes"  # noqa: S105 -- signs for loopback only
USER = "64f0a1b2c3d4e5f6a7b8c9d1"
ORGANIZATION = "64f0a1b2c3d4e5f6a7b8c000"
PATH = "/api/calls/voice-ai/config"
COUNT = "RELAY_BENCH_NUMBERS"
"""The environment variable that says how many numbers the organization has."""


def numbers() -> list[dict[str, Any]]:
    """Return the organization's numbers, all fields set."""
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
            "userName": "Ada Admin",
            "userId": USER,
        }
        for index in range(int(os.environ[COUNT]))
    ]


def token() -> str:
    """Return a token that is good for a day."""
    return jwt.encode({"userId": USER, "sub": USER, "exp": int(time.time()) + 86400}, SECRET, "HS256")
