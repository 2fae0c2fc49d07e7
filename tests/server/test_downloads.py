"""Bodies that are larger than the memory of the process, and streams that stay open."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from support.downloads import MAX_MEMORY, download, open_streams, serving_downloads
from support.targets import Measured

pytestmark = pytest.mark.slow

SIZE = 300 * 10**6
STREAMS = 100


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving_downloads(tmp_path_factory.mktemp("downloads")) as service:
        yield service


@pytest.mark.parametrize("path", ["/file", "/stream"])
async def test_a_large_body_goes_through_a_small_process(service, path):
    """Neither a file nor a stream is held in memory; `tox -e soak` takes 10 GB of each."""
    assert await download(service.url, path, SIZE) == SIZE
    assert Measured.of(service.process.pid).peak < MAX_MEMORY


async def test_open_streams_need_little_and_are_closed(service):
    """Each costs a connection and a generator; the service answers others, and forgets those whose clients left."""
    async with httpx.AsyncClient(base_url=service.url) as client:
        before = Measured.of(service.process.pid).memory
        async with open_streams(service.url, STREAMS):
            assert (await client.get("/open")).json() == STREAMS
            assert Measured.of(service.process.pid).memory < before + STREAMS * 0.3
        await _all_closed(client)


async def _all_closed(client):
    while True:
        if (await client.get("/open")).json() == 0:
            return
        await asyncio.sleep(0.05)
