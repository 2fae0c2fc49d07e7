"""FastAPI with a route and models for each operation of a contract: `many_fastapi.py SPEC`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import jwt
import uvicorn
from fastapi import (  # type: ignore[import-not-found,unused-ignore]  # installed separately for the peer
    Depends,
    FastAPI,
    HTTPException,
)
from fastapi.security import (  # type: ignore[import-not-found,unused-ignore]  # as above
    HTTPAuthorizationCredentials,
    HTTPBearer,
)
from pydantic import BaseModel, ConfigDict, Field, create_model

BEARER = HTTPBearer()


class Input(BaseModel):
    """The fields of a resource that clients write."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=80)
    state: Literal["draft", "live", "gone"]
    rank: int = Field(0, ge=0)
    labels: list[str] = Field([], max_length=20)
    note: str | None = None


class Resource(Input):
    """A stored resource."""

    id: UUID
    createdAt: datetime | None = None  # noqa: N815 -- the contract's name


def verify(credentials: Annotated[HTTPAuthorizationCredentials, Depends(BEARER)]) -> dict[str, Any]:
    """Decode the bearer token."""
    try:
        return jwt.decode(
            credentials.credentials, os.environ["BENCH_SECRET"], ["HS256"], options={"require": ["exp"]}
        )
    except jwt.PyJWTError:
        raise HTTPException(401) from None


async def page(limit: int = 20, pageCursor: str | None = None) -> dict[str, Any]:  # noqa: ARG001, N803 -- the contract's
    """Return an empty list."""
    return {"items": []}


async def single(ident: UUID) -> dict[str, Any]:
    """Return a resource."""
    return {"id": ident, "title": "A resource", "state": "live"}


def write_function(model: type[BaseModel]) -> Callable[..., Any]:
    """Return a function that accepts a body of this model."""

    async def write(body: Any) -> dict[str, Any]:
        return {"id": UUID(int=0), **body.model_dump()}

    write.__annotations__["body"] = model
    return write


def build(document: dict[str, Any]) -> FastAPI:
    """Add a route for each operation."""
    app = FastAPI()
    base = document["servers"][0]["url"]
    for path, operations in document["paths"].items():
        collection, slash, _ = path.lstrip("/").partition("/")
        name = collection.removesuffix("s").capitalize()
        given = create_model(f"{name}Input", __base__=Input)
        answered = create_model(name, __base__=Resource)
        listed = create_model(f"{name}Page", items=(list[answered], ...), nextCursor=(str | None, None))  # type: ignore[valid-type]  # created dynamically
        for method in operations:
            is_list = method == "get" and not slash
            function = write_function(given) if method in ("post", "put") else page if is_list else single
            app.add_api_route(
                f"{base}/{collection}/{{ident}}" if slash else f"{base}/{collection}",
                function,
                methods=[method.upper()],
                response_model=listed if is_list else answered,
                dependencies=[Depends(verify)],
            )
    return app


def main() -> None:
    """Serve on the port in the variable PORT."""
    document = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    port = int(os.environ["PORT"])
    uvicorn.run(build(document), host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
