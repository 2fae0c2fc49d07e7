"""Reads without a thread, and cached ones, are never older than what any process has committed."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import tracemalloc
from contextlib import closing, contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers._store import Batch, open_store, rules, sqlite_file, sqlite_inline, sqlite_rows
from handlers._store.sqlite_inline import Memory, Read
from support.planting import ACME, ALEX, BO, acme, user


def numbers(count, label="x"):
    """Return the batch of an organization with one user who has some numbers."""
    own = [{"provider": "sinch", "label": label}] * count
    return acme(user(accessRole="ADMIN", voicePhoneNumbers=own), aiVoiceProvider="x")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "relay.db"


@pytest.fixture
async def store(path):
    async with open_store(f"sqlite:///{path}") as store:
        await store.load(numbers(1))
        await store.ready()  # the first read of a thread allows those without one
        yield store


@contextmanager
def no_threads(monkeypatch):
    """Let nothing be done in a thread."""

    def refuse(*_):
        raise AssertionError("a thread is used")

    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "run_in_executor", refuse, raising=False)
        yield


def commit(path, statement, *values):
    """Write as another program would."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(statement, values)


async def test_reads_again_without_a_thread(store, path, monkeypatch):
    await asyncio.gather(store.user(ALEX), store.voice_ai(ACME))

    with no_threads(monkeypatch):
        assert (await store.user(ALEX)).access_role == "ADMIN"
        commit(path, "UPDATE credentials SET document = ?", json.dumps({"aiVoiceProvider": "y"}))
        configuration, [number] = await store.voice_ai(ACME)

    assert (configuration.ai_voice_provider, number["label"]) == ("y", "x")


async def test_a_first_read_and_a_long_one_are_for_threads(store, monkeypatch):
    """The disk may be slow for what was never read, and a long list holds up the requests of others."""
    with no_threads(monkeypatch), pytest.raises(AssertionError):
        await store.voice_ai(ACME)
    await store.voice_ai(ACME)
    await store.load(numbers(5_000))
    with no_threads(monkeypatch), pytest.raises(AssertionError):
        await store.voice_ai(ACME)

    _, found = await store.voice_ai(ACME)

    assert len(found) == 5_000
    with no_threads(monkeypatch):
        assert await store.voice_ai(ACME)


async def test_a_member_has_what_was_stored_when_the_user_was_read_or_later(store, path):
    """Nothing is asked twice in a request, and the next one has what was committed since."""
    await store.voice_ai(ACME)
    await store.user(ALEX)
    first = await store.member(ALEX)
    commit(path, "UPDATE credentials SET document = ?", json.dumps({"aiVoiceProvider": "y"}))

    next_one = await store.member(ALEX)
    providers = [(await one.voice_ai())[0].ai_voice_provider for one in (first, next_one, first)]

    assert providers[1] == "y"
    assert providers[0] in ("x", "y")


async def test_what_is_not_there_is_noticed_when_it_comes(store):
    """An unknown user is remembered, too, until there is one."""
    assert [await store.user(BO), await store.user(BO)] == [None, None]

    await store.load(Batch([], [user(BO)]))

    assert await store.user(BO)


async def test_uses_threads_where_locks_cannot_be_seen(path, monkeypatch):
    """On a system that does not say who holds a lock, everything works as well."""
    monkeypatch.setattr(sqlite_inline, "shared_memory", lambda _path: None)
    async with open_store(f"sqlite:///{path}") as store:
        await store.load(numbers(1))
        await store.user(ALEX)

        with no_threads(monkeypatch), pytest.raises(AssertionError):
            await store.user(ALEX)
        assert await store.user(ALEX)


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    connection.execute("UPDATE users SET document = json_set(document, '$.loginDisabled', json(?))", (line,))
    print("committed", flush=True)
"""


@pytest.mark.slow
async def test_a_login_disabled_by_another_process_is_disabled_at_once(store, path):
    """The commit of a process counts for the next request of every other one."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for turn in range(200):
        writer.stdin.write(b"true\n" if turn % 2 else b"false\n")
        assert await writer.stdout.readline() == b"committed\n"
        assert (await store.user(ALEX)).login_disabled is bool(turn % 2)
    writer.stdin.close()
    await writer.wait()


USERS = st.sampled_from([f"{one:024x}" for one in range(3)])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("disable"), USERS, st.booleans(), st.booleans()),
        st.tuples(st.just("label"), USERS, st.text(max_size=5).filter(rules.is_storable), st.booleans()),
        st.tuples(st.just("read"), USERS),
        st.tuples(st.just("reads at once"), st.lists(USERS, max_size=4)),
    ),
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_order_of_writes_and_reads_finds_what_was_written_last(tmp_path_factory, steps):
    """Writes come from the store itself and from others, reads one by one and many at once."""
    asyncio.run(_follow(tmp_path_factory.mktemp("store") / "relay.db", steps))


async def _follow(path, steps):
    disabled, labels = {}, {}
    async with open_store(f"sqlite:///{path}") as store, open_store(f"sqlite:///{path}") as other:
        await store.load(Batch([{"_id": ACME}]))
        for kind, chosen, *given_values in steps:
            if kind in ("disable", "label"):
                value, is_own = given_values
                (disabled if kind == "disable" else labels)[chosen] = value
                await (store if is_own else other).load(_user(chosen, disabled, labels))
                continue
            users = [chosen] if kind == "read" else chosen
            members = await asyncio.gather(*map(store.member, users))
            found = [*(one and one.user for one in members), await store.voice_ai(ACME)]
            for one in filter(None, members):
                assert await one.voice_ai() == found[-1]
            for name, one in zip(users, found[:-1], strict=True):
                is_there = name in disabled.keys() | labels.keys()
                assert (one.login_disabled if one else None) == (
                    disabled.get(name, False) if is_there else None
                )
            assert [one["label"] for one in found[-1][1]] == [labels[name] for name in sorted(labels)]


def _user(name, disabled, labels):
    given = {"voicePhoneNumbers": [{"provider": "sinch", "label": labels[name]}]} if name in labels else {}
    return Batch([], [user(name, loginDisabled=disabled.get(name), **given)])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=40))
def test_remembers_the_last_and_no_more_than_it_may(puts):
    """The last entry is there unless it is too large, and the sum of all is within the limit."""
    memory, given_values = Memory(100), {}
    for state, (key, size) in enumerate(puts):
        memory.put(key, state, Read(state, size))
        given_values[key] = state, Read(state, size)
        assert memory.get(key) == given_values[key]

    kept = [found for key in given_values if (found := memory.get(key))]

    assert [found for found in kept if found not in given_values.values()] == []
    assert sum(read.size for _, read in kept) <= 100


def test_forgets_what_is_larger_than_its_room():
    """It would push out everything else."""
    memory = Memory(100)
    memory.put("small", 1, Read("x", 10))

    memory.put("large", 1, Read("x", 101))

    assert (memory.get("large"), memory.get("small")) == (None, (1, Read("x", 10)))


@pytest.mark.slow
@pytest.mark.parametrize("label", ["", "x" * 40, "ж" * 100, "🎺" * 400])
async def test_says_how_many_bytes_what_it_reads_takes_at_most(store, path, label):
    await store.load(numbers(200, label))
    with closing(sqlite_file.connect(path)) as connection:
        tracemalloc.start()
        read = sqlite_rows.read_voice_ai(connection, ACME)
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert taken <= read.size <= 10 * taken
