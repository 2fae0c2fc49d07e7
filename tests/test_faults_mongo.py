"""What the service answers while MongoDB fails, over the real driver: in time, once told, and well afterwards.

Lines with faults lead to RELAY_TEST_MONGODB_URI or the stand-in; logins and elections, which the stand-in
does not have, are played by a server that says what a test has it say.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import signal
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from bson import ObjectId
from pymongo import MongoClient

import faults
import faulty
import mongodb
from handlers import create_app
from handlers._app import Settings
from handlers._store import Batch, StoreUnavailable, open_store
from hosting import SECRET, assert_envelope, bearer, calling

ACME, ALEX = "a" * 24, "1" * 24
BATCH = Batch([{"_id": ACME}], [{"_id": ALEX, "organizationId": ACME, "accessRole": "ADMIN"}])
CONFIG = "/api/calls/voice-ai/config"

FAULTS = {
    "silent": faulty.silence,
    "slow": faulty.delay,
    "dribbling": faulty.dribble,
    "cutting mid-reply": faulty.cut_off,
    "frozen mid-reply": faulty.freeze(),
    "resetting": faulty.reset,
    "another protocol": faulty.garbage,
    "broken documents": faulty.scramble,
    "refusing": None,
}


class Kept(logging.Handler):
    """Keeps every record, whoever logs it, with all that it says."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        self.records.append((record, said(record)))

    def about(self, text):
        """The records that mention a text anywhere."""
        return [record for record, whole in self.records if text in whole]


def said(record):
    """All that a record says: its message, and what it carries beside."""
    return f"{record.getMessage()} {vars(record)}"


@dataclass
class Outcome:
    """What was answered before, during and after a fault, with the seconds that each took."""

    before: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    readiness: list = field(default_factory=list)
    others: list = field(default_factory=list)
    after: list = field(default_factory=list)
    recovered: bool = False


@asynccontextmanager
async def client_of(url):
    """A client of a service whose store is at some URL."""
    application = create_app(Settings(_env_file=None, store=url, jwt_secret=SECRET))
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


async def ready(client):
    """Wait until the service is ready again, which it has to be by itself."""
    overdue = time.monotonic() + 10
    while time.monotonic() < overdue:
        if (await client.get("/readyz")).status_code == 200:
            return True
        await asyncio.sleep(0.1)
    return False


async def through(client, name, begin, end):
    """Have fifty requests meet a fault, with others beside, and see what comes afterwards."""
    outcome = Outcome()
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


async def meet(url, name, fault):
    """Meet one fault of a line."""
    async with faulty.faulty_line_to(url) as line, client_of(line.url) as client:

        async def begin():
            if fault is None:
                await line.cut()
            else:
                line.fault = fault

        async def end():
            line.fault = faulty.forward
            if fault is None:
                await line.restore()

        return await through(client, name.replace(" ", "_"), begin, end)


@pytest.fixture(scope="module")
def stored(mongodb_uri):
    """The URL of a database that has a user."""

    async def load(url):
        async with open_store(url) as store:
            await store.load(BATCH)

    name = f"relay_test_{uuid4().hex}"
    url = mongodb.with_database(mongodb_uri, name)
    asyncio.run(load(url))
    yield url
    with MongoClient(mongodb_uri) as client:
        client.drop_database(name)


@pytest.fixture(scope="module")
def met(stored):
    """What came of each fault, all of them met at the same time, and what is left behind."""

    async def meet_all():
        before = held()
        found = await asyncio.gather(*(meet(stored, *one) for one in FAULTS.items()))
        await asyncio.sleep(0.1)  # what was closed is closed in the next round of the loop
        return dict(zip(FAULTS, found, strict=True)), before, held()

    kept = Kept()
    logging.getLogger().addHandler(kept)
    threads = threading.active_count()
    try:
        outcomes, before, after = asyncio.run(meet_all())
    finally:
        logging.getLogger().removeHandler(kept)
    return outcomes, kept, (*before, threads), (*after, threading.active_count())


def held():
    """Count tasks and, where that can be seen, file descriptors."""
    return len(asyncio.all_tasks()), len([*Path("/proc/self").glob("fd/*")])


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


@pytest.mark.mongo
@pytest.mark.parametrize("name", FAULTS)
def test_answers_as_designed(met, name):
    """A fault of the database is one of those who need it, for as long as it lasts."""
    outcomes, *_ = met

    assert_as_designed(outcomes[name])


@pytest.mark.mongo
@pytest.mark.parametrize("name", FAULTS)
def test_tells_a_fault_once_a_request(met, name):
    """In one line without a traceback; nobody reads a log that repeats itself."""
    _, kept, *_ = met

    for i in range(50):
        [record] = kept.about(f"{name.replace(' ', '_')}-{i}.")
        assert record.exc_info is None
        assert "\n" not in record.getMessage()


@pytest.mark.mongo
def test_leaves_nothing_behind(met):
    """Neither tasks nor sockets nor threads; and nobody but the service had something to say."""
    _, kept, before, after = met

    assert after == before
    assert [record for record, _ in kept.records if record.name.partition(".")[0] != "relay"] == []


@pytest.mark.mongo
async def test_answers_as_designed_while_the_server_stands_still(stored, mongodb_uri):
    """A server that is stopped keeps its connections, and says nothing."""
    if mongodb_uri not in mongodb.STANDINS:
        pytest.skip("only a stand-in of our own is ours to stop")
    process = mongodb.STANDINS[mongodb_uri]

    async def stop():
        process.send_signal(signal.SIGSTOP)

    async def go_on():
        process.send_signal(signal.SIGCONT)

    async with client_of(stored) as client:
        try:
            outcome = await through(client, "stopped", stop, go_on)
        finally:
            await go_on()

    assert_as_designed(outcome)


@pytest.mark.mongo
async def test_a_full_pool_is_answered_for_in_time(stored):
    """With few connections to a slow server some wait in vain, none longer than it may take."""

    async def slow(writer, said):
        await asyncio.sleep(0.1)
        await faulty.forward(writer, said)

    async with faulty.faulty_line_to(stored) as line, client_of(f"{line.url}&maxPoolSize=2") as client:
        await config(client)
        line.fault = slow
        asked = await asyncio.gather(*(config(client) for _ in range(30)))
        line.fault = faulty.forward
        recovered = await ready(client)
        after = await asyncio.gather(*(config(client) for _ in range(2)))

    assert {response.status_code for response, _ in asked} == {200, 500}
    assert max(seconds for _, seconds in asked) < 3.5
    assert recovered
    assert [response.status_code for response, _ in after] == [200, 200]


@pytest.mark.mongo
@pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # the driver forgets a socket that was connecting
@pytest.mark.parametrize("fault", [faulty.forward, faulty.silence])
async def test_who_gives_up_takes_no_connection_along(stored, fault):
    """Requests that are cancelled at any moment leave the pool as it was, while the database is silent, too."""
    async with (
        faulty.faulty_line_to(stored) as line,
        open_store(f"{line.url}&maxPoolSize=2&serverSelectionTimeoutMS=5000") as store,
    ):
        await store.ready()
        line.fault = fault
        for _ in range(40):
            asking = [asyncio.create_task(store.voice_ai(ACME)) for _ in range(4)]
            await asyncio.sleep(random.random() / 50)  # noqa: S311 -- any moment will do
            for one in asking:
                one.cancel()
            await asyncio.wait(asking)
        line.fault = faulty.forward
        await eventually(store.ready)

        for _ in range(5):
            await asyncio.gather(store.voice_ai(ACME), store.user(ALEX))
    gc.collect()


async def eventually(asking):
    """Ask until there is an answer."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await asking()
            except StoreUnavailable:
                await asyncio.sleep(0.05)


def cursor(*documents):
    """What a server says to a query."""
    return {"ok": 1, "cursor": {"id": 0, "ns": "relay.users", "firstBatch": [*documents]}}


def failing(code, name):
    """What a server says to a command that it refuses; it may quote what it likes."""
    return {"ok": 0, "code": code, "codeName": name, "errmsg": f"{name} of relay:hunter2"}


async def test_a_wrong_password_is_told_as_such(caplog):
    """Not as a server that is away, and without the password; a bad token is one all the same."""

    def refuse(command):
        if "saslStart" in command:
            return failing(18, "AuthenticationFailed")
        return {**faulty.HELLO, "ok": 1}

    async def is_told():
        while not caplog.records:  # noqa: ASYNC110 -- a log sets no event
            await asyncio.sleep(0.05)

    async with faulty.server(refuse) as port:
        url = f"mongodb://relay:hunter2@127.0.0.1:{port}/relay"
        async with open_store(url) as store, asyncio.timeout(5):
            await faults.unavailable_in_time(store.user(ALEX))
            await is_told()
        async with client_of(url) as client:
            asked, _ = await config(client)
            anybody, _ = await timed(client, CONFIG, authorization="Bearer x")
            readiness, _ = await timed(client, "/readyz")

    assert_envelope(asked, 500, "DB_UNAVAILABLE")
    assert_envelope(anybody, 401, "UNAUTHENTICATED")
    assert readiness.status_code == 503
    assert "it refuses the user or the password of its URL" in caplog.records[0].getMessage()
    assert "hunter2" not in "".join(map(said, caplog.records))


class ReplicaSet:
    """Two members of a replica set, one of them its primary."""

    def __init__(self):
        self.ports = []
        self.primary = 0
        self.election = 1

    def reply(self, member):
        """What a member says."""

        def said(command):
            name = next(iter(command)).lower()
            if name in ("hello", "ismaster"):
                return self._hello(member)
            if member != self.primary and name != "endsessions":
                return failing(10107, "NotWritablePrimary")
            if name == "find" and command["find"] == "users" and "_id" in command["filter"]:
                organization = {"organizationId": ObjectId(ACME), "accessRole": "ADMIN"}
                return cursor({"_id": ObjectId(ALEX), **organization})
            return cursor() if name in ("find", "aggregate") else {"ok": 1}

        return said

    def _hello(self, member):
        is_primary = member == self.primary
        hosts = [f"127.0.0.1:{port}" for port in self.ports]
        election = {"electionId": ObjectId(f"{self.election:024x}")} if is_primary else {}
        return {
            **faulty.HELLO,
            "setName": "rs",
            "setVersion": 1,
            "hosts": hosts,
            "me": hosts[member],
            "isWritablePrimary": is_primary,
            "secondary": not is_primary,
            **election,
        }

    def elect(self, member):
        """Make a member the primary; None for nobody."""
        self.primary = member
        self.election += 1


async def test_follows_an_election():
    """A primary that steps down is left for the new one, without a failed request when that is there in time."""
    members = ReplicaSet()
    async with faulty.server(members.reply(0)) as first, faulty.server(members.reply(1)) as second:
        members.ports = [first, second]
        url = f"mongodb://127.0.0.1:{first},127.0.0.1:{second}/relay?replicaSet=rs"
        async with client_of(url) as client:
            before, _ = await config(client)
            members.elect(None)
            asking = [asyncio.create_task(config(client)) for _ in range(20)]
            await asyncio.sleep(0.3)
            members.elect(1)
            during = await asyncio.gather(*asking)
            after, _ = await config(client)

    assert [before.status_code, after.status_code] == [200, 200]
    assert {response.status_code for response, _ in during} == {200}
    assert max(seconds for _, seconds in during) < 3.5


async def test_an_election_without_a_winner_is_answered_for_in_time():
    """As long as there is no primary there is no answer; the first one that is elected ends that."""
    members = ReplicaSet()
    async with faulty.server(members.reply(0)) as first, faulty.server(members.reply(1)) as second:
        members.ports = [first, second]
        url = f"mongodb://127.0.0.1:{first},127.0.0.1:{second}/relay?replicaSet=rs"
        async with client_of(url) as client:

            async def elect(member):
                members.elect(member)

            outcome = await through(client, "election", lambda: elect(None), lambda: elect(1))

    assert_as_designed(outcome)


async def test_a_client_that_leaves_costs_nothing():
    """Its request ends with its time, or before; who comes afterwards is answered."""
    silent = asyncio.Event()

    async def say_nothing(reader, writer):
        silent.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as mute:
        port = mute.sockets[0].getsockname()[1]
        before = asyncio.all_tasks()
        async with client_of(f"mongodb://127.0.0.1:{port}/relay") as client:
            asking = [asyncio.create_task(config(client)) for _ in range(20)]
            await silent.wait()
            for one in asking:
                one.cancel()
            done, pending = await asyncio.wait(asking, timeout=3)
            answer, _ = await timed(client, "/livez")
        left = {task for task in asyncio.all_tasks() - before if "say_nothing" not in repr(task)}

    assert (len(done), pending) == (20, set())
    assert answer.status_code == 200
    assert left == set()
