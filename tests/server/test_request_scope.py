"""The objects of one request: `scripts/relay/server/request.py`."""

import asyncio

import pytest

from relay import SetupError
from support.hosting import ask, assert_problem, bearer, calling, contract, operation

DOCUMENT = contract(
    {
        "/order": {"post": operation("order")},
        "/secure": {"post": operation("secure", security=[{"token": []}])},
    },
    components={"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
)
THINGS = """
    async def order(session):
        session.append("order")
        return "ordered"

    def secure(session):
        session.append("secure")
        return "ordered"
"""
COLLABORATORS = """
    from collections.abc import AsyncIterator, Iterator
    from typing import Any, TypedDict

    log = []

    def collaborators(settings):
        return {"log": log}
"""
ASYNC = """
    async def scope(*, log, caller):
        session = [caller]
        try:
            yield {"session": session, "unused": 1}
        except BaseException as exc:
            log.append(("rollback", type(exc).__name__, *session))
            raise
        else:
            log.append(("commit", *session))
"""
PLAIN = ASYNC.replace("async def", "def")


@pytest.fixture
def hosted(hosting):
    def serve(scope, things=THINGS, **settings):
        return hosting(DOCUMENT, settings=settings, init=COLLABORATORS + scope, things=things)

    return serve


@pytest.fixture(params=[ASYNC, PLAIN], ids=["async", "plain"])
def scope(request):
    return request.param


async def test_a_request_gets_objects_of_its_own_and_commits(hosted, scope):
    application = hosted(scope)
    async with calling(application) as client:
        answers = [await client.post("/order"), await client.post("/order")]
    assert [one.json() for one in answers] == ["ordered", "ordered"]
    assert application.package.log == [("commit", None, "order")] * 2


POOLED = """
    import queue

    pool = queue.Queue()
    pool.put([])

    def scope():
        session = pool.get(timeout=5)
        try:
            yield {"session": session}
        finally:
            pool.put(session)
"""
PLAIN_THINGS = THINGS.replace("async def", "def")


async def test_requests_that_wait_for_a_connection_do_not_delay_those_that_have_one(hosted):
    """One connection and one thread: what waits for the connection must not take the thread that gives it back."""
    async with calling(hosted(POOLED, PLAIN_THINGS, threads=1)) as client:
        answers = await asyncio.gather(*(client.post("/order") for _ in range(8)))
    assert [one.status_code for one in answers] == [200] * 8


AWAITED = """
    import threading

    running, begun, committed = threading.Event(), threading.Event(), threading.Event()

    def scope():
        yield {"session": (running, begun, committed)}
        committed.set()
"""


async def test_handlers_that_block_do_not_delay_the_end_of_another_request(hosted):
    """They may wait for what it has not committed yet, such as a lock of a database."""
    things = """
    def order(session):
        running, begun, _ = session
        running.set()
        return begun.wait(5)

    def secure(session):
        _, begun, committed = session
        begun.set()
        return committed.wait(5)
    """
    init = f"{AWAITED}\n    def identify(claims):\n        return claims\n"
    application = hosted(init, things, threads=2)

    async with calling(application, **bearer({"sub": "ada"})) as client:
        order = asyncio.create_task(client.post("/order"))
        await asyncio.to_thread(application.package.running.wait, 5)
        answers = await asyncio.gather(order, *(client.post("/secure") for _ in range(2)))

    assert [one.json() for one in answers] == [True, True, True]


@pytest.mark.slow
async def test_a_connection_that_comes_after_its_request_timed_out_is_given_back(hosted):
    """The thread that waits for it cannot be interrupted."""
    application = hosted(
        POOLED.replace("timeout=5", "timeout=20"), PLAIN_THINGS, threads=1, handler_seconds=0.2
    )
    pool = application.package.pool

    async with calling(application) as client:
        connection = pool.get()
        assert_problem(await client.post("/order"), 503, "HANDLER_TIMEOUT")
        pool.put(connection)

        assert (await client.post("/order")).status_code == 200


STREAMING = """
    import relay

    def order(session):
        def pieces():
            yield "1"
            session.append("streamed")
            yield "2"

        return relay.Reply(pieces(), background=lambda: session.append("late"))

    secure = order
"""


async def test_the_objects_of_a_stream_live_as_long_as_it_does(hosted, scope):
    """Its pieces are made of them; the end of the body says that they are committed, and what follows comes later."""
    application = hosted(scope, STREAMING)
    assert (await ask(application, "/order", "POST")).text == "12"
    assert application.package.log == [("commit", None, "streamed")]


async def test_it_sees_the_caller(hosted, scope):
    init = f"{scope}\n    async def identify(claims):\n        return claims['sub']\n"
    application = hosted(init)
    assert (await ask(application, "/secure", "POST", headers=bearer({"sub": "ada"}))).status_code == 200
    assert application.package.log == [("commit", "ada", "secure")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status", "failure"),
    [
        ("raise RuntimeError", 500, "RuntimeError"),
        ("raise NotImplementedError", 501, "NotImplementedError"),
        ("return object()", 500, "ResponseViolation"),
        ("import asyncio; await asyncio.sleep(9)", 503, "HandlerTimeout"),
    ],
)
async def test_it_sees_the_failure_and_rolls_back(hosted, scope, body, status, failure):
    """A response that violates the contract is a failure, too: the client gets 500."""
    things = f"async def order(session):\n    {body}\nasync def secure(session): ...\n"
    application = hosted(scope, things, handler_seconds=0.2)
    assert (await ask(application, "/order", "POST")).status_code == status
    assert application.package.log == [("rollback", failure, None)]


async def test_a_failing_commit_is_a_500(hosted):
    scope = "\n    async def scope():\n        yield {'session': []}\n        raise RuntimeError('canary')\n"
    assert_problem(await ask(hosted(scope), "/order", "POST"), 500, "INTERNAL_ERROR")


async def test_a_scope_that_swallows_the_failure_does_not_hide_it(hosted):
    scope = """
    async def scope():
        try:
            yield {"session": []}
        except RuntimeError:
            pass
    """
    things = "async def order(session):\n    raise RuntimeError\nasync def secure(session): ...\n"

    assert_problem(await ask(hosted(scope, things), "/order", "POST"), 500, "INTERNAL_ERROR")


async def test_it_is_not_opened_for_a_rejected_request(hosted, scope):
    application = hosted(scope)
    assert (await ask(application, "/secure", "POST")).status_code == 401
    assert application.package.log == []


TYPED = """
    class Objects(TypedDict):
        session: list[Any]

    async def scope() -> AsyncIterator[Objects]:
        yield {"session": []}
"""


async def test_names_in_its_annotation_are_compared_with_the_functions(hosted):
    wrong = hosted(TYPED, "async def order(sesion): ...\nasync def secure(session): ...\n")
    with pytest.raises(SetupError, match=r"does not send 'sesion'.*collaborators: log, session"):
        async with calling(wrong):
            pass
    assert (await ask(hosted(TYPED), "/order", "POST")).json() == "ordered"


@pytest.mark.parametrize("scope", ["\n    scope = 7\n", "\n    def scope():\n        return {}\n"])
def test_a_wrong_export_is_reported_before_the_start(hosted, scope):
    with pytest.raises(SetupError, match="scope: must be a function with a `yield`"):
        hosted(scope)


async def test_what_it_takes_must_exist(hosted):
    with pytest.raises(SetupError, match="scope needs 'pool', and no collaborator has that name"):
        async with calling(hosted("\n    async def scope(pool):\n        yield {}\n")):
            pass
