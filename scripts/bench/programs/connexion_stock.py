"""Connexion as in its documentation, with `validate_responses=True`."""

from __future__ import annotations

import os
from typing import Any

import jwt
import uvicorn
from common import USERS, UVICORN, verify
from connexion import AsyncApp
from connexion.exceptions import OAuthProblem
from response_data import SETTINGS, numbers

_NUMBERS = numbers()


def bearer(token: str) -> dict[str, Any] | None:
    """Decode a bearer token: Connexion's bearerInfoFunc."""
    try:
        return verify(token)
    except jwt.PyJWTError:
        return None


async def get_config(user: str, token_info: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 -- Connexion gives both
    """Return the data from memory."""
    if token_info["userId"] not in USERS:
        raise OAuthProblem
    return {**SETTINGS, "phoneNumbers": _NUMBERS}


def main() -> None:
    """Serve on the port in the variable PORT."""
    os.environ["BEARERINFO_FUNC"] = "connexion_stock.bearer"
    app = AsyncApp(__name__, resolver=lambda _operation_id: get_config)
    app.add_api(os.environ["BENCH_SPEC"], validate_responses=True)
    uvicorn.run(app, **UVICORN)


if __name__ == "__main__":
    main()
