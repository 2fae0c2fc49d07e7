"""Fixtures that several test files share."""

import gc
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from hypothesis import settings

from handlers._store import Store, open_store
from relay.server import logs
from relay.server.app import Application
from support import keyrings, mongodb
from support.commands import commands
from support.hosting import host, request_lines, unchanged_logs

# The machine's load is no defect of what is tested, and a failure in CI has to come again.
settings.register_profile("relay", deadline=None, print_blob=True)
settings.register_profile("fast", settings.get_profile("relay"), max_examples=10)
settings.load_profile("relay")


def pytest_collection_finish() -> None:
    """Leave thousands of tests out of each collection of garbage, which takes a tenth of the time."""
    gc.freeze()


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory) -> Iterator[str]:
    """A MongoDB to test with: the one that RELAY_TEST_MONGODB_URI names, else a stand-in."""
    if uri := os.environ.get("RELAY_TEST_MONGODB_URI"):
        yield uri
    else:
        with mongodb.standin(tmp_path_factory.mktemp("mongo_standin")) as uri:
            yield uri


@pytest.fixture
def new_mongodb_url(mongodb_uri) -> Iterator[Callable[[], str]]:
    """Name a database of one's own with each call; all are dropped in the end."""
    from pymongo import MongoClient

    names: list[str] = []

    def new_url() -> str:
        names.append(f"relay_test_{uuid4().hex}")
        return mongodb.with_database(mongodb_uri, names[-1])

    yield new_url
    with MongoClient(mongodb_uri) as client:
        for name in names:
            client.drop_database(name)


@pytest.fixture(params=["sqlite", pytest.param("mongo", marks=pytest.mark.mongo)])
def new_url(request, tmp_path) -> Callable[[], str]:
    """Name a new, empty database of either kind with each call."""
    if request.param == "mongo":
        return request.getfixturevalue("new_mongodb_url")
    return lambda: f"sqlite:///{tmp_path}/{uuid4().hex}.db"


@pytest.fixture
async def store(new_url) -> AsyncIterator[Store]:
    """An empty store of either kind."""
    async with open_store(new_url(), keyrings.OLD_ONLY) as store:
        yield store


@pytest.fixture
def without_settings(tmp_path, monkeypatch) -> None:
    """Work in an empty folder, without settings of the machine's own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RELAY_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def hosting(tmp_path, monkeypatch) -> Callable[..., Application]:
    """Compile contracts with packages in the folder of the test, as `host` does."""
    monkeypatch.syspath_prepend(tmp_path)
    return partial(host, tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """Run a command in the test's folder, and return its result."""
    with commands(tmp_path) as run:
        yield run


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Leave the process' logging as it was."""
    with unchanged_logs():
        yield


@pytest.fixture
def logged_requests(logs_as_before) -> Callable[[], list[dict[str, Any]]]:
    """Return a function for the log's lines about requests to services that are made from now on: their fields."""
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    return lambda: request_lines(stream.getvalue())
