"""A minimal hand-written ASGI application with PyJWT and orjson, without validation.

With BENCH_TOKEN_CACHE=1, tokens are cached as in Relay.
"""

from __future__ import annotations

import os
from typing import Any

import jwt
import orjson
import uvicorn
from common import REFUSED, USERS, UVICORN, verify, verify_cached
from response_data import PATH, SETTINGS, numbers

_NUMBERS = numbers()
_decode = verify_cached if os.environ.get("BENCH_TOKEN_CACHE") == "1" else verify


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve one path."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
        return
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
        claims = _decode(token.decode())
    except (jwt.PyJWTError, ValueError):
        return 401, REFUSED
    if scheme.lower() != b"bearer" or claims.get("userId") not in USERS:
        return 401, REFUSED
    return 200, {**SETTINGS, "phoneNumbers": _NUMBERS}


if __name__ == "__main__":
    uvicorn.run(app, **UVICORN)
