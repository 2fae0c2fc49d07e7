"""How a store is to fail, and how the service is to answer meanwhile."""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from handlers._settings import Settings
from handlers._store import StoreUnavailable
from relay import create_app

from .hosting import SECRET, assert_envelope, bearer, calling
from .planting import ALEX, acme, user
from .running import eventually_async

BATCH = acme(user(accessRole="ADMIN"))
CONFIG = "/api/calls/voice-ai/config"


async def unavailable_in_time(asking: Awaitable[object], seconds: float = 3.0) -> None:
    """Expect the store to say in time that it is not available, and to say nothing else."""
    asked = time.monotonic()
    with pytest.raises(StoreUnavailable) as trouble:
        await asking
    assert time.monotonic() - asked < seconds
    assert str(trouble.value) == StoreUnavailable.message
    assert not trouble.value.args


@dataclass
class Outcome:
    """The answers before, during and after a fault, with the seconds that each took."""

    before: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    readiness: list = field(default_factory=list)
    others: list = field(default_factory=list)
    after: list = field(default_factory=list)
    recovered: bool = False


@asynccontextmanager
async def client_of(url):
    """A client of a service whose store is at some URL."""
    application = create_app(settings=Settings(store=url, jwt_secret=SECRET))
    async with calling(application) as client:
        yield client


async def timed(client, path, **headers):
    """Ask, and return the answer with the seconds that it took."""
    began = time.monotonic()
    response = await client.get(path, headers=headers)
    return response, time.monotonic() - began


async def config(client, name="x"):
    """Ask for the configuration, as a user that there is."""
    return await timed(client, CONFIG, **bearer({"userId": ALEX}), **{"x-request-id": name})


async def is_ready(store):
    """Return True if a store responds."""
    try:
        await store.ready()
    except StoreUnavailable:
        return False
    return True


async def ready(client):
    """Wait until the service is ready, which it has to be by itself."""

    async def is_ready():
        return (await client.get("/readyz")).status_code == 200

    return await eventually_async(is_ready, 10)


async def through(client, name, begin, end):
    """Send fifty requests during a fault, and others at the same time; return all answers and those that follow."""
    outcome = Outcome()
    await ready(client)  # on a busy machine the first connection takes longer than a request may
    outcome.before.append(await config(client))
    await begin()
    asking = [asyncio.create_task(config(client, f"{name}-{i}.")) for i in range(50)]
    await asyncio.sleep(0.1)
    outcome.others += [
        await timed(client, CONFIG, authorization="Bearer x"),
        await timed(client, "/nothing"),
        await timed(client, "/livez"),
        await timed(client, "/openapi.json"),
    ]
    outcome.readiness.append(await timed(client, "/readyz"))
    outcome.asked += await asyncio.gather(*asking)
    await end()
    outcome.recovered = await ready(client)
    outcome.after.append(await config(client))
    return outcome


def assert_as_designed(outcome):
    """Assert that what needs the database fails in time, that the rest goes on, and that all is well afterwards."""
    for response, seconds in outcome.asked:
        assert_envelope(response, 500, "DB_UNAVAILABLE")
        assert seconds < 3.5  # 3 s, and half a one for the machine that runs fifty of them
    [(readiness, seconds)] = outcome.readiness
    assert (readiness.status_code, readiness.json()) == (503, {"status": "unavailable", "failing": ["store"]})
    assert seconds < 3.5
    assert [response.status_code for response, _ in outcome.others] == [401, 404, 200, 200]
    assert max(seconds for _, seconds in outcome.others) < 1
    assert outcome.recovered
    assert [response.status_code for response, _ in outcome.before + outcome.after] == [200, 200]
