"""Answers of the service while MongoDB fails, over the real driver: in time, logged once, and as usual afterwards.

Lines with faults lead to RELAY_TEST_MONGODB_URI or the stand-in; logins and elections, which the stand-in
does not have, are played by a server that says what a test has it say.
"""

import asyncio
import logging
import random
import signal
import threading
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from bson import ObjectId
from pymongo import MongoClient

from handlers._store import open_store
from support import faults, faulty, mongodb
from support.hosting import assert_envelope
from support.planting import ACME, ALEX
from support.running import eventually_async

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
    """Keeps every record of any logger, with its whole text."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        self.records.append((record, said(record)))

    def about(self, text):
        """The records that mention a text anywhere."""
        return [record for record, whole in self.records if text in whole]


def said(record):
    """Return the whole text of a record: its message and its attributes."""
    return f"{record.getMessage()} {vars(record)}"


async def meet(url, name, fault):
    """Meet one fault of a line."""
    async with faulty.line_to(url) as line, faults.client_of(line.url) as client:

        async def begin():
            line.fault = fault or faulty.forward
            if fault is None:
                await line.cut()

        async def end():
            line.fault = faulty.forward
            if fault is None:
                await line.restore()

        return await faults.through(client, name.replace(" ", "_"), begin, end)


@pytest.fixture(scope="module")
def stored(mongodb_uri):
    """The URL of a database that has a user."""

    async def load(url):
        async with open_store(url) as store:
            await store.load(faults.BATCH)

    name = f"relay_test_{uuid4().hex}"
    url = mongodb.with_database(mongodb_uri, name)
    asyncio.run(load(url))
    yield url
    with MongoClient(mongodb_uri) as client:
        client.drop_database(name)


@pytest.fixture(scope="module")
def met(stored):
    """Return the outcome of each fault, all at the same time, and what is left behind."""

    async def meet_all():
        before = resources()
        found = await asyncio.gather(*(meet(stored, *one) for one in FAULTS.items()))
        await asyncio.sleep(0.1)  # what was closed is closed in the next round of the loop
        return dict(zip(FAULTS, found, strict=True)), before, resources()

    kept = Kept()
    logging.getLogger().addHandler(kept)
    threads = threading.active_count()
    try:
        outcomes, before, after = asyncio.run(meet_all())
    finally:
        logging.getLogger().removeHandler(kept)
    return outcomes, kept, (*before, threads), (*after, threading.active_count())


def resources():
    """Count tasks and, where that can be seen, file descriptors."""
    return len(asyncio.all_tasks()), len([*Path("/proc/self").glob("fd/*")])


@pytest.mark.mongo
@pytest.mark.parametrize("name", FAULTS)
def test_answers_as_designed(met, name):
    outcomes, *_ = met

    faults.assert_as_designed(outcomes[name])


@pytest.mark.mongo
@pytest.mark.parametrize("name", FAULTS)
def test_reports_a_fault_once_a_request(met, name):
    """In one line without a traceback; a log that repeats itself is not read."""
    _, kept, *_ = met

    for i in range(50):
        [record] = kept.about(f"{name.replace(' ', '_')}-{i}.")
        assert record.exc_info is None
        assert "\n" not in record.getMessage()


@pytest.mark.mongo
def test_leaves_nothing_behind(met):
    """Neither tasks nor sockets nor threads; and only the service has logged something."""
    _, kept, before, after = met

    assert all(left <= there for left, there in zip(after, before, strict=True)), (before, after)
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

    async with faults.client_of(stored) as client:
        try:
            outcome = await faults.through(client, "stopped", stop, go_on)
        finally:
            await go_on()

    faults.assert_as_designed(outcome)


@pytest.mark.mongo
async def test_a_full_pool_is_answered_for_in_time(stored):
    """With few connections to a slow server some wait in vain, none longer than it may take."""

    async def slow(writer, said):
        await asyncio.sleep(0.1)
        await faulty.forward(writer, said)

    async with faulty.line_to(stored) as line, faults.client_of(f"{line.url}&maxPoolSize=2") as client:
        await faults.config(client)
        line.fault = slow
        asked = await asyncio.gather(*(faults.config(client) for _ in range(90)))
        line.fault = faulty.forward
        recovered = await faults.ready(client)
        after = await asyncio.gather(*(faults.config(client) for _ in range(2)))

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
        faulty.line_to(stored) as line,
        open_store(f"{line.url}&maxPoolSize=2&serverSelectionTimeoutMS=5000") as store,
    ):
        await store.ready()
        line.fault = fault
        for _ in range(40):
            reads = (store.voice_ai, ACME), (store.member, ALEX)
            asking = [asyncio.create_task(read(one)) for read, one in reads * 2]
            await asyncio.sleep(random.random() / 50)  # noqa: S311 -- any moment will do
            for one in asking:
                one.cancel()
            await asyncio.wait(asking)
        line.fault = faulty.forward
        await eventually_async(partial(faults.is_ready, store))

        for _ in range(5):
            await asyncio.gather(store.voice_ai(ACME), store.user(ALEX), store.member(ALEX))


def cursor(*documents):
    """Return the reply to a query."""
    return {"ok": 1, "cursor": {"id": 0, "ns": "relay.users", "firstBatch": [*documents]}}


def failing(code, name):
    """Return the reply to a refused command; it may quote anything."""
    return {"ok": 0, "code": code, "codeName": name, "errmsg": f"{name} of relay:hunter2"}


async def test_a_wrong_password_is_reported_as_such(caplog):
    """Not as a server that is away, and without the password; a bad token is one all the same."""

    def refuse(command):
        if "saslStart" in command:
            return failing(18, "AuthenticationFailed")
        return {**faulty.HELLO, "ok": 1}

    async with faulty.server(refuse) as port:
        url = f"mongodb://relay:hunter2@127.0.0.1:{port}/relay"
        async with open_store(url) as store:
            await faults.unavailable_in_time(store.user(ALEX))
            await eventually_async(lambda: caplog.records)
        async with faults.client_of(url) as client:
            asked, _ = await faults.config(client)
            refused, _ = await faults.timed(client, faults.CONFIG, authorization="Bearer x")
            readiness, _ = await faults.timed(client, "/readyz")

    assert_envelope(asked, 500, "DB_UNAVAILABLE")
    assert_envelope(refused, 401, "UNAUTHENTICATED")
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
        """Return the function that replies as a member."""

        def said(command):
            name = next(iter(command)).lower()
            if name in ("hello", "ismaster"):
                return self._hello(member)
            if member != self.primary and name != "endsessions":
                return failing(10107, "NotWritablePrimary")
            if name == "aggregate" and command["aggregate"] == "users":
                organization = {"organizationId": ObjectId(ACME), "accessRole": "ADMIN"}
                return cursor({"_id": ObjectId(ALEX), **organization, "settings": [], "owners": []})
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
        """Make a member the primary; None for no member."""
        self.primary = member
        self.election += 1


@asynccontextmanager
async def replica_set():
    """Play a replica set, and yield it with a client of a service whose store it is."""
    members = ReplicaSet()
    async with faulty.server(members.reply(0)) as first, faulty.server(members.reply(1)) as second:
        members.ports = [first, second]
        url = f"mongodb://127.0.0.1:{first},127.0.0.1:{second}/relay?replicaSet=rs"
        async with faults.client_of(url) as client:
            yield members, client


@pytest.mark.slow
async def test_follows_an_election():
    """A primary that steps down is left for the new one, without a failed request when that is there in time."""
    async with replica_set() as (members, client):
        await faults.ready(client)
        before, _ = await faults.config(client)
        members.elect(None)
        asking = [asyncio.create_task(faults.config(client)) for _ in range(20)]
        await asyncio.sleep(0.3)
        members.elect(1)
        during = await asyncio.gather(*asking)
        after, _ = await faults.config(client)

    assert [before.status_code, after.status_code] == [200, 200]
    assert {response.status_code for response, _ in during} == {200}
    assert max(seconds for _, seconds in during) < 3.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["find", "aggregate"])
async def test_a_server_that_refuses_to_join_is_asked_apart(name):
    """One that has no $lookup, or whose answer would be too large: the user is read alone, then the rest."""
    asked = []

    def reply(command):
        asked.append(next(iter(command)))
        if "$lookup" in str(command.get("pipeline")):
            return failing(17276, "Location17276")
        if asked[-1] == name == "find":
            return failing(13, "Unauthorized")
        if asked[-1] == "find" and "_id" in command["filter"]:
            return cursor({"_id": ObjectId(ALEX), "organizationId": ObjectId(ACME), "accessRole": "ADMIN"})
        return cursor() if asked[-1] in ("find", "aggregate") else {**faulty.HELLO, "ok": 1}

    async with faulty.server(reply) as port, faults.client_of(f"mongodb://127.0.0.1:{port}/relay") as client:
        await faults.ready(client)
        answer, _ = await faults.config(client)

    if name == "find":
        assert_envelope(answer, 500, "DB_UNAVAILABLE")
    else:
        assert (answer.status_code, answer.json()["phoneNumbers"]) == (200, [])


@pytest.mark.slow
async def test_an_election_without_a_winner_is_answered_for_in_time():
    """As long as there is no primary there is no answer; the first one that is elected ends that."""
    async with replica_set() as (members, client):

        async def elect(member):
            members.elect(member)

        outcome = await faults.through(client, "election", lambda: elect(None), lambda: elect(1))

    faults.assert_as_designed(outcome)


@pytest.mark.slow
async def test_a_client_that_leaves_costs_nothing():
    """Its request ends with its time, or before; who comes afterwards is answered."""
    async with faulty.mute() as (url, is_connected):
        before = asyncio.all_tasks()
        async with faults.client_of(url) as client:
            asking = [asyncio.create_task(faults.config(client)) for _ in range(20)]
            await is_connected.wait()
            for one in asking:
                one.cancel()
            done, pending = await asyncio.wait(asking, timeout=3)
            answer, _ = await faults.timed(client, "/livez")
        left = {task for task in asyncio.all_tasks() - before if "say_nothing" not in repr(task)}

    assert (len(done), pending) == (20, set())
    assert answer.status_code == 200
    assert left == set()
