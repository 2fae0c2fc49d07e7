"""A handlers package as a team writes it: mypy --strict and pyright check its types."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict, assert_type

from pydantic import Field, SecretStr

import relay
from relay.testing import assert_callback, assert_webhook, async_client, client, token


class Settings(relay.Settings):
    """Settings of a team's own."""

    shelf: str = Field(default="fiction", description="The shelf that is shown first.")
    api_key: SecretStr | None = Field(default=None, description="What partners send.")


class OutOfStock(relay.ApiError):
    """A failure that a client may know of."""

    status, code, message = 409, "OUT_OF_STOCK", "The book is out of stock"


class Book(TypedDict):
    """A schema of the contract."""

    title: str


@dataclass(frozen=True)
class Caller:
    """Who is calling."""

    id: str


class Gone(relay.ApiError):
    """A failure with members of its own."""

    status, code, message = 410, "GONE", "The book is gone"
    members = {"type": "https://shelf.example/gone"}  # noqa: RUF012 -- as a team writes it


errors = {LookupError: Gone, TimeoutError: (504, "LATE", "The shelf took too long")}


def get_book(*, id_: int, caller: Caller) -> relay.Result[Book]:
    """Return a body; with a status and headers where the contract has several."""
    if id_ == 0:
        raise OutOfStock({"Retry-After": "60"})
    if id_ == 1:
        return {"title": caller.id}, 200, {"X-Copies": 3}
    return {"title": "Emma"}


async def add_book(*, body: Book) -> relay.Result[Book]:
    """Return a body and its status."""
    return body, 201


class AddBookHeaders(TypedDict):
    """The headers of a status, as the generator writes them."""

    Location: str


async def find_book(*, id_: int) -> Book | tuple[None, Literal[304]]:
    """Return a type for each status, as the generator annotates it."""
    if id_ == 0:
        return None, 304
    return {"title": "Emma"}


async def register_book(*, body: Book) -> tuple[Book, Literal[201], AddBookHeaders]:
    """Return headers that the contract requires."""
    return {"title": body["title"]}, 201, {"Location": "/books/2"}


def identify(claims: Mapping[str, Any]) -> Caller:
    """Make the caller from verified claims."""
    return Caller(str(claims["sub"]))


def verify_key(credential: str) -> Mapping[str, Any] | None:
    """Return claims; None rejects the request."""
    return {"sub": "partner"} if credential else None


verifiers = {"apiKey": verify_key}


@asynccontextmanager
async def collaborators(settings: Settings) -> AsyncIterator[Mapping[str, Any]]:
    """Open what handlers need."""
    yield {"shelf": settings.shelf}


def collaborators_by_a_generator(settings: Settings) -> Iterator[Mapping[str, Any]]:
    """Open what handlers need, by a plain generator."""
    yield {"shelf": settings.shelf}


def render_error(report: relay.ErrorReport) -> tuple[Any, str]:
    """Put a failure into an envelope of the contract."""
    assert_type(report.status, int)
    assert_type(report.code, str)
    return {"error": report.message, "details": [dict(one) for one in report.details]}, "application/json"


def test_get_book() -> None:
    """Call the service in this process."""
    app = relay.create_app("spec/openapi.yaml", "handlers", Settings(port=0, shelf="crime"))
    assert_type(token(app, {"sub": "u1"}), str)
    with client(app, claims={"sub": "u1"}, record=Path("tests.har")) as api:
        response = api.get("/books/2", params={"page": 1})
        assert_type(response.status_code, int)


async def test_get_book_in_a_coroutine() -> None:
    """Call the service in this process and event loop."""
    async with async_client(relay.create_app()) as api:
        assert (await api.get("/books/2")).status_code == 200


def read_settings() -> Settings:
    """Read settings from every source; a wrong one is reported by its name."""
    try:
        return Settings.load(port=80)
    except relay.SetupError as exc:
        assert_type(exc.problems, list[relay.Diagnostic])
        raise


def test_what_is_sent() -> None:
    """Bodies of webhooks and callbacks are plain data."""
    app = relay.create_app()
    assert_webhook(app, "newBook", {"title": "Emma"})
    assert_callback(app, "order_book", "onSent", {"title": "Emma"}, method="PUT", media_type="text/json")
