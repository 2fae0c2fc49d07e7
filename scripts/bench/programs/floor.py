"""An ASGI application by hand: PyJWT, orjson, and nothing that is not needed; nothing is validated.

With BENCH_TOKEN_CACHE=1 tokens are remembered as Relay does.
"""

from __future__ import annotations

import os
from typing import Any

import jwt
import orjson
import uvicorn
from answer import PATH, SETTINGS, numbers
from common import REFUSED, USERS, UVICORN, verify, verify_cached

_NUMBERS = numbers()
_decode = verify_cached if os.environ.get("BENCH_TOKEN_CACHE") == "1" else verify


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer one path."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
        return
    status, body = _answer(scope)
    written = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(written))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": written})


def _answer(scope: Any) -> tuple[int, Any]:
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
