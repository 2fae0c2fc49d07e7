"""The service with an in-memory store, to measure only the server and the handler."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from handlers import identify, render_error
from handlers._store import Member, User, VoiceAiSettings

__all__ = ["collaborators", "identify", "render_error"]


class _Memory:
    """The part of the Store protocol that the operation needs, with the data of the file BENCH_DATA."""

    def __init__(self) -> None:
        data = json.loads(Path(os.environ["BENCH_DATA"]).read_text("utf-8"))
        *settings, self._numbers = data["body"].values()
        self._settings = VoiceAiSettings(*settings)
        user = User(data["user"], data["organization"], "ADMIN", login_disabled=False)
        self._members = {user.id: Member(user, partial(self.voice_ai, user.organization_id))}

    async def member(self, user_id: str) -> Member | None:
        return self._members.get(user_id)

    async def voice_ai(self, _organization_id: str) -> tuple[VoiceAiSettings, Any]:
        return self._settings, self._numbers


@asynccontextmanager
async def collaborators(_settings: Any) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the in-memory store."""
    yield {"store": _Memory()}
