"""A minimal hand-written ASGI application with PyJWT and orjson; it remembers tokens as Relay does, and validates nothing."""

from __future__ import annotations

from typing import Any

import jwt
import orjson
import uvicorn
from common import BODY, PATH, USERS, UVICORN, verify_cached


async def app(scope: Any, _receive: Any, send: Any) -> None:
    """Serve one path."""
    status, body = _response(scope)
    written = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(written))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": written})


def _response(scope: Any) -> tuple[int, Any]:
    if scope["path"] != PATH:
        return 404, {}
    scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
    try:
        claims = verify_cached(token.decode())
    except (jwt.PyJWTError, ValueError):
        return 401, {}
    if scheme.lower() != b"bearer" or claims.get("userId") not in USERS:
        return 401, {}
    return 200, {**BODY}


if __name__ == "__main__":
    uvicorn.run(app, lifespan="off", **UVICORN)
