"""Stock Connexion with a contract of any size: `many_connexion.py SPEC`; one function serves all operations."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import jwt
import uvicorn
from connexion import AsyncApp  # type: ignore[attr-defined]  # Connexion ships no types


def verify(token: str) -> dict[str, Any] | None:
    """Decode a bearer token: Connexion's bearerInfoFunc."""
    try:
        return jwt.decode(token, os.environ["BENCH_SECRET"], ["HS256"], options={"require": ["exp"]})
    except jwt.PyJWTError:
        return None


async def answer() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return an empty list as JSON; the content type is set because errors have another one."""
    return {"items": []}, 200, {"Content-Type": "application/json"}


def main() -> None:
    """Serve on the port in the variable PORT."""
    os.environ["BEARERINFO_FUNC"] = f"{Path(__file__).stem}.verify"
    app = AsyncApp(__name__, resolver=lambda _operation_id: answer)
    app.add_api(Path(sys.argv[1]), validate_responses=True)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
