"""Plain functions, which may block: `scripts/relay/server/threads.py`."""

import asyncio
import re

import pytest

from support.hosting import calling, contract, logged, operation
from support.running import eventually_async

DOCUMENT = contract(
    {
        "/meet": {"get": operation("meet")},
        "/block": {"get": operation("block")},
        "/fail": {"get": operation("fail")},
        "/enter": {"get": operation("enter", security=[{"key": []}])},
    },
    components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
)
THINGS = """
    import threading

    together, release = threading.Barrier(30), threading.Event()

    def meet():
        together.wait(20)
        return "met"

    def block():
        release.wait(20)
        return "done"

    def fail():
        release.wait(20)
        raise LookupError("canary")

    async def enter(caller):
        return caller
"""
INIT = """
    def verify(key):
        return {"sub": key}

    def identify(claims):
        return claims["sub"]

    verifiers = {"key": verify}
"""


async def test_thirty_plain_handlers_run_at_the_same_time(hosted):
    """Each waits for all others; the default executor of asyncio has six threads on two cores."""
    async with calling(hosted()) as client:
        answers = await asyncio.gather(*(client.get("/meet") for _ in range(30)))
    assert {(one.status_code, one.text) for one in answers} == {(200, '"met"')}


async def test_plain_handlers_that_block_do_not_delay_authentication(hosted):
    """A plain verifier and a plain `identify` have threads of their own."""
    application = hosted(threads=2)
    async with calling(application, **{"X-Key": "ada"}) as client:
        blocked = [asyncio.create_task(client.get("/block")) for _ in range(4)]
        await asyncio.sleep(0.05)

        entered = await asyncio.wait_for(client.get("/enter"), 10)

        assert (entered.status_code, entered.json()) == (200, "ada")
        assert not any(one.done() for one in blocked)
        application.endpoints["block"].binding.function.__globals__["release"].set()
        assert {one.status_code for one in await asyncio.gather(*blocked)} == {200}


@pytest.mark.slow
async def test_what_a_function_raises_after_its_request_ended_is_logged(hosted, caplog):
    """In one line with class and place, but not the text; the client has its response."""
    application = hosted(handler_seconds=0.1)
    module = application.endpoints["block"].binding.function.__globals__
    async with calling(application) as client:
        assert (await client.get("/fail")).status_code == 503
        module["release"].set()
        (record,) = await eventually_async(
            lambda: logged(caplog, "a function failed after its request had ended")
        )

    assert record.cause == "LookupError"
    assert re.search(r"things\.py:\d+$", record.at)
    assert "canary" not in caplog.text
