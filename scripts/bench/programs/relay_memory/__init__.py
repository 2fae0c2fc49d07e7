"""The service with an in-memory store, to measure only the server and the handler."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from bench.programs.response_data import ORGANIZATION, USER, numbers
from handlers import identify, render_error
from handlers._store import User, VoiceAiSettings
from handlers._types import CallsVoiceAiOrgPhoneNumber

__all__ = ["collaborators", "identify", "render_error"]

_SETTINGS = VoiceAiSettings(
    ai_voice_provider="elevenlabs",
    has_api_key=True,
    has_tool_secret=True,
    has_est_credentials=True,
    sinch_est_project_id="project",
    sinch_est_trunk_id="trunk",
    sinch_est_trunk_domain="example.sip.sinch.com",
)


class _Memory:
    """The part of the Store protocol that the operation needs."""

    def __init__(self) -> None:
        self._numbers = cast("list[CallsVoiceAiOrgPhoneNumber]", numbers())
        self._users = {USER: User(USER, ORGANIZATION, "ADMIN", login_disabled=False)}

    async def user(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    async def voice_ai(
        self, _organization_id: str
    ) -> tuple[VoiceAiSettings, list[CallsVoiceAiOrgPhoneNumber]]:
        return _SETTINGS, self._numbers


@asynccontextmanager
async def collaborators(_settings: Any) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the in-memory store."""
    yield {"store": _Memory()}
