"""Stores that are filled before the measurement: `scripts/bench/sources.py`."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bench.data import ORGANIZATION, USER
from bench.sources import source_url
from handlers._store import open_store
from relay.contract.diagnostics import SetupError


def test_memory_needs_no_store(tmp_path):
    """No file is written."""
    assert source_url("memory", 100, tmp_path) == "memory"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["sqlite", pytest.param("mongodb", marks=pytest.mark.mongo)])
async def test_a_store_has_the_user_the_numbers_and_the_settings(request, tmp_path, source):
    """A handler reads the same data that the other programs have in memory."""
    uri = request.getfixturevalue("mongodb_uri") if source == "mongodb" else ""
    url = await asyncio.to_thread(source_url, source, 120, tmp_path, uri, 30)  # it runs its own event loop

    async with open_store(url) as store:
        user = await store.user(USER)
        settings, numbers = await store.voice_ai(ORGANIZATION)
    assert user.organization_id == ORGANIZATION
    assert settings.has_api_key
    assert settings.sinch_est_project_id == "project"
    assert len(numbers) == 120
    assert sum(number["isDefault"] for number in numbers) == 1


def test_each_store_is_new(tmp_path):
    """Loading fewer numbers would not remove those of an earlier run."""
    assert source_url("sqlite", 1, tmp_path) != source_url("sqlite", 1, tmp_path)


def test_reports_a_mongodb_that_does_not_respond(tmp_path):
    """The message names the option, without the password of the URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with pytest.raises(SetupError) as error:
        source_url("mongodb", 1, tmp_path, f"mongodb://relay:sk_canary@127.0.0.1:{port}/?authSource=admin")

    assert str(error.value) == "--mongodb: the database did not respond; nothing in the file was loaded"
