"""Connexion as in its documentation, with `validate_responses=True`; one function serves all operations."""

from __future__ import annotations

import os
from typing import Any

import jwt
import uvicorn
from common import BODY, USERS, UVICORN, verify
from connexion import AsyncApp
from connexion.exceptions import OAuthProblem


def bearer(token: str) -> dict[str, Any] | None:
    """Decode a bearer token: Connexion's bearerInfoFunc."""
    try:
        return verify(token)
    except jwt.PyJWTError:
        return None


async def answer(token_info: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return the data from memory; the content type is set because errors may have another one."""
    if token_info["userId"] not in USERS:
        raise OAuthProblem
    return {**BODY}, 200, {"Content-Type": "application/json"}


os.environ["BEARERINFO_FUNC"] = "connexion_app.bearer"
app = AsyncApp(__name__, resolver=lambda _operation_id: answer)

if __name__ == "__main__":
    app.add_api(os.environ["BENCH_SPEC"], validate_responses=True)
    uvicorn.run(app, **UVICORN)
