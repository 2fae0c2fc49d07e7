"""Faults of the SQLite file: a full disk, a lock, a kill; each is one line of the log, and nothing is half done."""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager

import httpx
import pytest

from handlers._store import open_store, sqlite_inline
from support import faults
from support.hosting import SECRET, bearer, put
from support.planting import ACME, ALEX, user
from support.running import COMMAND, as_project, ended, environment, errors, relay, serving, started

pytestmark = pytest.mark.slow

STORE = {"RELAY_STORE": "sqlite:///disk/relay.db"}


def write_files(folder, count, users):
    """Write files of users, whose ids say which file they are of, and which one they are there."""
    for file in range(count):
        batch = [user(f"{file:012x}{one:012x}", fullName="x" * 50) for one in range(users)]
        put(folder / f"{file}.json", {"users": batch})
    return [f"{file}.json" for file in range(count)]


def loaded(folder):
    """How many users of each file are stored."""
    with closing(sqlite3.connect(folder / "disk" / "relay.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute(
            "SELECT substr(id, 1, 12), count(*) FROM users WHERE id <> ? GROUP BY 1", (ALEX,)
        )
        return {f"{int(file, 16)}.json": count for file, count in rows}


@pytest.fixture
def disk(tmp_path):
    """The folder of a store that has an organization and a user."""
    folder = tmp_path / "disk"
    folder.mkdir()
    asyncio.run(fill(folder))
    return folder


async def fill(folder):
    """Make a store, and load who asks."""
    async with open_store(f"sqlite:///{folder}/relay.db") as store:
        await store.load(faults.BATCH)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a few hundred kilobytes that has such a store; skipped where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "relay-test", folder]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("a disk of one's own needs root, and a system that lets it mount one")
    asyncio.run(fill(folder))
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_reported_and_loads_nothing(tmp_path, small_disk):
    """Loaded files stay, one that does not fit is not stored in part, reads continue, and free space is all that is needed."""
    [small, large] = write_files(tmp_path, 2, 1500)
    write_files(tmp_path, 1, 10)
    assert relay(tmp_path, "load", small, **STORE).returncode == 0

    with serving(as_project(tmp_path), RELAY_JWT_SECRET=SECRET, **STORE) as service:
        result = relay(tmp_path, "load", large, **STORE)
        there = loaded(tmp_path)
        answers = [
            httpx.get(f"{service.url}{path}", headers=bearer({"userId": ALEX}))
            for path in (faults.CONFIG, "/readyz")
        ]
        subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
        again = relay(tmp_path, "load", large, **STORE)

    assert (result.returncode, result.stdout) == (2, "")
    assert errors(result) == (
        "error: RELAY_STORE: the database is on a full disk; free some space; nothing in the file was loaded\n"
    )
    assert there == {small: 10}
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (again.returncode, loaded(tmp_path)) == (0, {small: 10, large: 1500})


def test_a_limit_on_files_is_reported(tmp_path, disk):
    """A process may write no further than it is let: for SQLite that is a disk that fails."""
    [small, large] = write_files(tmp_path, 2, 1500)
    write_files(tmp_path, 1, 10)
    limited = ["sh", "-c", 'ulimit -f 300; exec "$@"', "sh", *COMMAND, "load", small, large]
    result = ended(limited, as_project(tmp_path), env=environment(tmp_path, **STORE))

    assert result.returncode == 2
    assert result.stdout.count("loaded") == 1
    assert errors(result).startswith(
        "error: RELAY_STORE: the database cannot be read or written; check the disk"
    )
    assert errors(result).count("\n") == 1
    assert loaded(tmp_path) == {small: 10}


def test_says_what_keeps_a_file_from_being_opened(tmp_path):
    """SQLite keeps a log next to it; one that cannot be made stops the start."""
    (tmp_path / "disk" / "relay.db-wal").mkdir(parents=True)

    result = relay(as_project(tmp_path), "serve", RELAY_JWT_SECRET=SECRET, **STORE)

    assert result.returncode == 2
    assert errors(result).startswith(f"error: RELAY_STORE: {tmp_path}/disk/relay.db cannot be ")
    assert errors(result).count("\n") == 1


HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX, 8, 120)  # all of the locks that readers and writers share a log by
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def locked(path):
    """Have another process lock readers and writers out, as one does that recovers the log."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, f"{path}-shm"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "locked\n"
        yield


@pytest.mark.parametrize("sees_locks", [True, False])
async def test_answers_as_designed_while_the_file_is_locked(tmp_path, caplog, monkeypatch, sees_locks):
    """Fifty requests wait for the same lock, none longer than it may; what needs no database waits for nothing.

    Also where the system does not say who holds a lock, and all reads are for threads.
    """
    if not sees_locks:
        monkeypatch.setattr(sqlite_inline, "shared_memory", lambda _path: None)
    await fill(tmp_path)
    with ExitStack() as holding:

        async def begin():
            holding.enter_context(locked(tmp_path / "relay.db"))

        async def end():
            holding.close()

        async with faults.client_of(f"sqlite:///{tmp_path}/relay.db") as client:
            outcome = await faults.through(client, "locked", begin, end)

    faults.assert_as_designed(outcome)
    for i in range(50):
        [record] = [one for one in caplog.records if f"locked-{i}." in f"{one.getMessage()} {vars(one)}"]
        assert record.exc_info is None


async def test_the_two_questions_of_a_request_end_in_time_together(tmp_path):
    """The first may take nearly as long as it may, and the second then, too."""
    await fill(tmp_path)
    async with open_store(f"sqlite:///{tmp_path}/relay.db") as store:
        await store.voice_ai(ACME)
        began = time.monotonic()
        with locked(tmp_path / "relay.db"):
            for asking in (store.user(ALEX), store.voice_ai(ACME)):
                await faults.unavailable_in_time(asking)

    assert time.monotonic() - began < 3.5


def test_a_load_says_that_the_file_is_locked(tmp_path, disk):
    files = write_files(tmp_path, 1, 1)
    with closing(sqlite3.connect(disk / "relay.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = relay(tmp_path, "load", *files, **STORE)

    assert result.returncode == 2
    assert errors(result) == (
        "error: RELAY_STORE: the database is locked by another process; try again; nothing in the file was loaded\n"
    )


def test_a_killed_load_loses_nothing_that_it_reported(tmp_path, disk):
    """At any moment: each file is stored whole or not at all, and those that were printed are."""
    files = write_files(tmp_path, 45, 100)
    printed = []
    for begin in range(0, 45, 15):
        command = [*COMMAND, "load", *files[begin : begin + 15]]
        with started(command, as_project(tmp_path), env=environment(tmp_path, **STORE)) as process:
            printed.append(process.stdout.readline())
            time.sleep(random.random() / 10)  # noqa: S311 -- any moment will do
            process.kill()
            printed += process.stdout.readlines()

    there = loaded(tmp_path)

    assert set(there.values()) == {100}
    assert {line.partition(":")[0] for line in printed if line.endswith("\n")} <= {*there}
    assert relay(tmp_path, "load", *files, **STORE).returncode == 0
    assert loaded(tmp_path) == dict.fromkeys(files, 100)
