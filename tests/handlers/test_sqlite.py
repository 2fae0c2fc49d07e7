"""Features of the SQLite store alone: its file, its locks, its threads."""

import asyncio
import logging
import os
import re
import sqlite3
import stat
from contextlib import asynccontextmanager, closing, contextmanager

import pytest

from handlers._store import (
    Batch,
    StoreAbsent,
    StoreMisconfigured,
    StoreUnavailable,
    open_store,
    rules,
    sqlite_file,
    sqlite_rows,
)
from relay.server.logs import REQUEST_ID
from support import faults, keyrings
from support.hosting import SECRET
from support.planting import ACME, ALEX, BO, acme, user
from support.running import as_project, relay

EST = dict.fromkeys(rules.EST_CREDENTIALS, "canary")
BATCH = acme(user(voicePhoneNumbers=[{"provider": "sinch"}]), aiVoiceProvider="elevenlabs", **EST)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "relay.db"


@pytest.fixture
async def store(path):
    async with opened(path) as store:
        yield store


def opened(path, keyring=keyrings.OLD_ONLY, **options):
    """The store in a file, with a keyring."""
    return open_store(f"sqlite:///{path}", keyring, **options)


@asynccontextmanager
async def refused(reason, kind=StoreMisconfigured):
    """Expect that a store cannot be opened, for a reason."""
    with pytest.raises(kind, match=reason) as refusal:
        yield refusal
    assert "\n" not in str(refusal.value)


@contextmanager
def connected(path, statement=""):
    """A connection of another program to the file, which has executed a statement."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
        yield connection


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_file_is_its_owners_alone(tmp_path):
    """It contains credentials: no other user may read the file, its log, or the folder made for it."""
    path = tmp_path / "data" / "relay.db"
    async with opened(path) as store:
        await store.load(BATCH)

        assert {mode(file) for file in path.parent.iterdir()} == {0o600}
        assert mode(path.parent) == 0o700


async def test_leaves_what_was_there_as_it_was(tmp_path):
    """Modes of a folder and a file that exist are their owner's choice."""
    tmp_path.chmod(0o755)
    path = tmp_path / "relay.db"
    path.touch(0o640)
    path.chmod(0o640)

    async with opened(path):
        pass

    assert (mode(path), mode(tmp_path)) == (0o640, 0o755)


async def test_a_relative_path_starts_in_the_working_folder(tmp_path, monkeypatch):
    """Three slashes are relative, four absolute; the rest is the path as it is."""
    monkeypatch.chdir(tmp_path)

    async with open_store("sqlite:///my 100% data/relay.db"):
        assert (tmp_path / "my 100% data" / "relay.db").exists()


def test_choosing_a_store_opens_nothing(path):
    opened(path)

    assert not path.exists()


def written(path, statement):
    with connected(path, statement):
        pass


def damaged(path):
    written(path, "CREATE TABLE recipes (title)")
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"not a database, " * 1000), "not a SQLite database"),
        (lambda path: written(path, "PRAGMA user_version = 99"), "newer version"),
        (lambda path: written(path, "CREATE TABLE recipes (title)"), "the database of another program"),
        (damaged, "damaged"),
        (lambda path: path.mkdir(), "is not a regular file"),
    ],
)
async def test_says_what_is_wrong_with_a_file(path, make, reason):
    """A file that cannot be the store's stops the start with one line that names it and the remedy."""
    make(path)

    async with refused(f"^{re.escape(str(path))}.*{reason}"), opened(path):
        pass


@pytest.mark.parametrize("read_only", [False, True])
async def test_opens_regular_files_only(path, read_only):
    """To open a pipe waits for a writer, in a thread that nothing ends."""
    os.mkfifo(path)

    async with (
        refused(r"relay\.db is not a regular file; name another one\.$"),
        opened(path, read_only=read_only),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "keys status", "keys encrypt", "load records.json", "serve"])
def test_every_command_ends_for_a_store_that_is_a_pipe(tmp_path, command):
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "records.json").write_text("{}", "utf-8")
    as_project(tmp_path)

    result = relay(
        tmp_path, *command.split(),
        RELAY_STORE="sqlite:///pipe.db", RELAY_KEYRING=keyrings.OLD, RELAY_JWT_SECRET=SECRET, RELAY_PORT="0",
    )  # fmt: skip

    assert result.returncode in (1, 2)
    assert "pipe.db is not a regular file; name another one." in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


async def test_says_what_is_wrong_with_a_folder(tmp_path):
    (tmp_path / "file").touch()

    async with refused("Not a directory"), opened(tmp_path / "file/data/relay.db"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("forbidden", [0o000, 0o400])
async def test_needs_permission(path, forbidden):
    path.touch(forbidden)

    async with refused("cannot be (opened|written)"), opened(path):
        pass


@pytest.mark.slow
async def test_a_locked_file_does_not_stop_the_start(path, monkeypatch, caplog):
    """Another process may hold the file: each of many callers is answered in time, and well afterwards.

    RELAY_LOG_LEVEL is the level of the logger "relay", so the start logs below it.
    """
    with connected(path, "BEGIN EXCLUSIVE") as other:
        with monkeypatch.context() as impatient:
            impatient.setattr(sqlite_file, "LOCK_SECONDS", 0.1)
            opening = opened(path)
            store = await opening.__aenter__()
        assert [record.name for record in caplog.records] == ["relay.store"]
        await asyncio.gather(*(faults.unavailable_in_time(store.user(ALEX)) for _ in range(20)))
        other.execute("ROLLBACK")

        assert await store.ready() is None
        await opening.__aexit__(None, None, None)


async def test_what_is_logged_has_the_id_of_the_request(store, path, monkeypatch):
    """Also where another thread does the work: a line without it leads nowhere."""
    ids = []
    handler = logging.Handler()
    handler.emit = lambda _record: ids.append(REQUEST_ID.get())
    monkeypatch.setattr(logging.getLogger("relay.store"), "handlers", [handler])
    path.unlink()

    restore = REQUEST_ID.set("a-request")
    with pytest.raises(StoreUnavailable):
        await store.user(ALEX)
    REQUEST_ID.reset(restore)

    assert ids == ["a-request"]


@pytest.mark.slow
async def test_writing_waits_for_a_writer_only_so_long(store, path):
    await store.load(BATCH)
    with connected(path, "BEGIN IMMEDIATE"):
        loading = asyncio.create_task(faults.unavailable_in_time(store.load(BATCH)))

        assert await store.user(ALEX)
        await loading


def backup(path, copy):
    """Copy a database that is in use, as its tools do."""
    with closing(sqlite3.connect(path)) as original, closing(sqlite3.connect(copy)) as other:
        original.backup(other)


def unlink_all(path):
    for file in path.parent.iterdir():
        file.unlink()


def replace_by_garbage(path):
    path.with_name("garbage").write_bytes(b"garbage " * 1000)
    path.with_name("garbage").replace(path)


def replace_by_a_copy(path):
    backup(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


@pytest.mark.parametrize("replace", [unlink_all, replace_by_garbage, replace_by_a_copy])
async def test_uses_no_file_but_that_of_the_start(store, path, caplog, replace):
    """A file that takes its place would be read through the old one's log: logged once, then not available."""
    await store.load(BATCH)
    replace(path)
    was_there = path.exists()

    await asyncio.gather(*(faults.unavailable_in_time(store.user(ALEX)) for _ in range(20)))
    await faults.unavailable_in_time(store.load(BATCH))
    await faults.unavailable_in_time(store.ready())

    [record] = caplog.records
    assert record.getMessage() == f"{path} is gone or was replaced; restart the service"
    assert path.exists() == was_there


async def test_stays_away_from_a_file_that_came_back(store, path):
    """While it was away, anything may have been done to its log."""
    await store.load(BATCH)
    path.rename(path.with_name("away"))
    await faults.unavailable_in_time(store.user(ALEX))
    path.with_name("away").rename(path)

    await faults.unavailable_in_time(store.user(ALEX))


@pytest.mark.parametrize("is_noticed", [True, False])
async def test_a_restart_takes_the_file_that_took_the_place(path, is_noticed):
    """SQLite leaves the log of a file that was moved, and would replay it over the new one, which is lost."""
    async with opened(path) as store:
        await store.load(Batch([{"_id": ACME}], [{**BATCH.users[0], "_id": BO}]))
        backup(path, path.with_name("backup"))
        await store.load(BATCH)
        path.rename(path.with_name("old"))
        path.with_name("backup").rename(path)
        if is_noticed:
            await faults.unavailable_in_time(store.ready())

    async with opened(path) as restarted:
        assert (await restarted.user(ALEX), bool(await restarted.user(BO))) == (None, True)
    async with open_store(f"sqlite:///{path.with_name('old')}") as old:
        assert await old.user(ALEX)


async def test_no_secret_leaves_the_database(path, monkeypatch):
    """Which secrets are set is computed in SQL: no row that Python gets to see holds one."""
    seen = []

    class Watched(sqlite3.Connection):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.row_factory = lambda _, row: seen.append(row) or row

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, factory=Watched, **kwargs))
    async with opened(path) as store:
        await store.load(acme(aiVoiceProvider="x", **dict.fromkeys(rules.SECRETS, "canary")))
        settings, _ = await store.voice_ai(ACME)

    assert settings.has_api_key
    assert any("x" in row for row in seen)
    assert "canary" not in str(seen)
    assert "kid" not in str(seen)


def occurrences(path, text):
    """How often a text stands in the files of a database, by file; the files in use, not a copy."""
    return {file.suffix: count for file in path.parent.iterdir() if (count := file.read_bytes().count(text))}


SECRET_BATCH = acme(**dict.fromkeys(rules.SECRETS, "canary"))


async def test_no_secret_reaches_the_file(store, path):
    """They are sealed before SQL has them: neither the file nor its log ever holds one."""
    await store.load(SECRET_BATCH)
    await store.load(SECRET_BATCH)

    assert occurrences(path, b'"kid"')
    assert occurrences(path, b"canary") == {}


@pytest.mark.parametrize("is_secure", ["OFF", "ON"])
async def test_scrubbing_leaves_nothing_of_what_was_overwritten(store, path, is_secure):
    """Not in free pages, nor between the cells of used ones, nor in the log, however this SQLite was built.

    The service goes on reading meanwhile.
    """
    ids = [f"{number:024x}" for number in range(300)]
    with closing(sqlite3.connect(path)) as older:
        older.execute(f"PRAGMA secure_delete = {is_secure}")
        with older:
            older.executemany("INSERT INTO organizations VALUES (?, '{}')", [(one,) for one in ids])
            older.executemany(
                "INSERT INTO credentials VALUES (?, json_object('webhookSecret', 'canary' || hex(zeroblob(?))))",
                [(one, size) for size, one in enumerate(ids)],
            )
        with older:
            older.execute("UPDATE credentials SET document = json_object('webhookSecret', 'canary two')")
    assert set(occurrences(path, b"canary")) == {".db-wal"}
    async with open_store(f"sqlite:///{path}") as service:
        await service.voice_ai(ids[0])
        read = [secret async for secret in store.secrets()]
        seal = keyrings.OLD_ONLY.encrypt
        assert await store.replace_secrets(
            [(one, seal(one.organization_id, one.name, one.value)) for one in read]
        ) == len(ids)

        assert await store.scrub()

        assert occurrences(path, b"canary") == {}
        assert (await service.voice_ai(ids[0]))[0]


@pytest.mark.slow
async def test_says_when_a_reader_keeps_the_log(store, path, monkeypatch):
    """One that reads for long keeps what it began with; then it is to be tried again."""
    monkeypatch.setattr(sqlite_file, "LOCK_SECONDS", 0.1)
    await store.load(SECRET_BATCH)
    with connected(path, "BEGIN") as reader:
        reader.execute("SELECT count(*) FROM users").fetchone()
        async with open_store(f"sqlite:///{path}") as impatient:
            assert await impatient.scrub() is False

    assert await store.scrub() is True


async def test_reports_who_else_can_get_at_the_file(path):
    """Others who can read it, or its log, or put another file in its place."""
    async with opened(path) as store:
        await store.load(SECRET_BATCH)
        path.chmod(0o640)
        path.with_name("relay.db-wal").chmod(0o604)
        path.parent.chmod(0o775)

        found = await store.check()

    assert found == [
        f"{path} is accessible to other users of this machine; run chmod 600 {path}",
        f"{path}-wal is accessible to other users of this machine; run chmod 600 {path}-wal",
        f"{path.parent}, the folder of relay.db, is writable by other users; run chmod 700 {path.parent}",
    ]


async def test_numbers_are_one_range_of_the_key(store, path):
    """However many organizations there are, reading one's numbers visits and sorts nothing else."""
    with closing(sqlite3.connect(path)) as connection:
        given = {"organization": ACME, "provider": "sinch", "blank": ""}
        steps = connection.execute(f"EXPLAIN QUERY PLAN {sqlite_rows._VOICE_AI}", given).fetchall()

    plan = [step[-1] for step in steps]
    assert "SEARCH voice_numbers USING PRIMARY KEY (organization_id=?)" in plan
    assert "SEARCH users USING PRIMARY KEY (id=?)" in plan
    assert not [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN voice")]


@pytest.mark.slow
async def test_reads_settings_and_numbers_of_one_moment(store):
    """Between the two halves of an answer no load can come: they never disagree."""

    def generation(label):
        numbers = [{"provider": "sinch", "label": label}]
        return acme(user(voicePhoneNumbers=numbers), aiVoiceProvider=label)

    async def load_on():
        for count in range(100):
            await store.load(generation(str(count)))

    await store.load(generation("first"))
    loading = asyncio.create_task(load_on())
    while not loading.done():
        settings, [number] = await store.voice_ai(ACME)
        assert settings.ai_voice_provider == number["label"]
        await asyncio.sleep(0)  # what is remembered is there at once
    await loading


def files_of(folder):
    """Return the files of a folder, to the byte."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestReadOnly:
    """Looking without changing anything, as `relay check` does."""

    async def test_reads_what_is_there_and_leaves_nothing(self, tmp_path):
        """Neither a log nor its index, which SQLite would lay next to the file."""
        url = f"sqlite:///{tmp_path}/relay.db"
        async with open_store(url):
            pass
        before = files_of(tmp_path)

        async with open_store(url, read_only=True) as store:
            await store.ready()
            assert files_of(tmp_path) == before

        assert files_of(tmp_path) == before

    async def test_reads_beside_a_service_that_runs(self, tmp_path):
        """It reads what the service has written, though it is still in its log."""
        url = f"sqlite:///{tmp_path}/relay.db"
        async with open_store(url, keyrings.OLD_ONLY) as running:
            await running.load(BATCH)
            async with open_store(url, read_only=True) as store:
                found = await store.user(ALEX)
            await running.ready()

        assert found is not None

    @pytest.mark.parametrize(
        ("name", "reason", "kind"),
        [
            ("new/relay.db", r"relay\.db does not exist yet", StoreAbsent),
            ("empty.db", r"empty\.db is still empty", StoreAbsent),
            ("file/relay.db", "cannot be created: this user may not write to", StoreMisconfigured),
        ],
    )
    async def test_makes_and_fills_no_file(self, tmp_path, name, reason, kind):
        """Nor a folder; an empty file is not ours yet, and where none can be made the first start would fail."""
        for file in ("empty.db", "file"):
            (tmp_path / file).touch()

        async with refused(reason, kind), opened(tmp_path / name, read_only=True):
            pass

        assert files_of(tmp_path) == {"empty.db": b"", "file": b""}
