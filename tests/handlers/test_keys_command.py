"""`relay keys`: `handlers/_commands/keys.py`, on both stores."""

import asyncio
import json
import re
import signal
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import cycle

import pytest
from click.testing import CliRunner

from handlers._store import Batch, open_store, rules, sqlite_rows
from handlers._store.keyring import read_keyring
from handlers._store.sqlite_rows import replace_secrets
from relay.cli.main import main
from support import keyrings
from support.planting import ACME, GLOBEX, plant
from support.running import ROOT, ended, environment, errors, relay_here

NEWER = f"{keyrings.NEW} {keyrings.OLD}"


def canaries(*organization_ids):
    """Credentials with every secret there is, each another text."""
    return {one: {name: f"canary {name} of {one}" for name in rules.SECRETS} for one in organization_ids}


async def load(url, records, keyring=keyrings.OLD_ONLY):
    """Load credentials of some organizations."""
    async with open_store(url, keyring) as store:
        credentials = [{"organizationId": one, **fields} for one, fields in records.items()]
        await store.load(Batch([{"_id": one} for one in records], [], credentials))


async def stored(url, keyring=keyrings.BOTH):
    """Return the id of each secret's key in a store, None for a plain one, and the opened secrets."""
    keys, opened = {}, {}
    async with open_store(url) as store:
        async for secret in store.secrets():
            place = secret.organization_id, secret.name
            is_plain = isinstance(secret.value, str)
            keys[place] = None if is_plain else secret.value.key_id
            opened.setdefault(place[0], {})[place[1]] = (
                secret.value if is_plain else keyring.decrypt(*place, secret.value)
            )
    return keys, opened


def keys(url, *arguments, keyring=NEWER):
    """Run `relay keys`; what it says holds neither secret nor key."""
    variables = {"RELAY_STORE": url, "RELAY_KEYRING": keyring}
    with ThreadPoolExecutor(1) as thread:  # the command runs an event loop, and so do most tests
        result = thread.submit(relay_here, ROOT, "keys", *arguments, **variables).result()
    for hidden in ("canary", "0" * 20, "4" * 20, "Traceback"):
        assert hidden not in result.stdout + errors(result)
    return result


def test_new_prints_a_key_of_this_month_or_of_a_name():
    """And nothing else, so that it can be put into a file; each is another, and two of a month need names of their own."""
    first, second = (relay_here(ROOT, "keys", "new") for _ in range(2))
    named, refused = relay_here(ROOT, "keys", "new", "2026-11.b"), relay_here(ROOT, "keys", "new", "a b")

    assert first.stdout != second.stdout
    assert (first.stdout.count("\n"), first.stderr) == (1, "")
    assert datetime.now(UTC).strftime("%Y-%m") in read_keyring(first.stdout).key_ids
    assert read_keyring(named.stdout).key_ids == ("2026-11.b",)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "error: ID: must be 1 to 64 letters, digits, dots, hyphens and underscores\n"


class TestStatus:
    """`relay keys status`."""

    @pytest.mark.slow
    async def test_counts_by_key_and_says_what_to_do(self, tmp_path, new_url):
        """Plain secrets, and those without a key, are findings."""
        url = new_url()
        await load(url, canaries(ACME, GLOBEX))
        await load(url, {ACME: {"webhookSecret": "canary"}}, keyrings.NEW_ONLY)
        well = keys(url, "status")
        plant(url, {ACME: {"sinchEstKeyId": "canary"}})

        plain = keys(url, "status", keyring=f"{keyrings.NEW},spare:{'8' * 43},{keyrings.OLD}")
        unknown = keys(url, "status", keyring=keyrings.NEW)
        without = keys(url, "status", keyring="")

        assert [well.returncode, *well.stdout.splitlines()] == [
            0,
            "1 secret under the key new; it encrypts new secrets",
            "9 secrets under the key old; `relay keys rotate` encrypts them with new",
        ]
        assert [plain.returncode, *plain.stdout.splitlines()[1:]] == [
            1,
            "0 secrets under the key spare; it can be removed, unless a backup needs it",
            "8 secrets under the key old; `relay keys rotate` encrypts them with new",
            "1 secret in plain text; run `relay keys encrypt`",
        ]
        missing = "8 secrets under the key old, which is not in RELAY_KEYRING; add it"
        assert (unknown.returncode, unknown.stdout.splitlines()[-1]) == (1, missing)
        assert (without.returncode, missing in without.stdout) == (1, True)

    async def test_only_looks(self, tmp_path):
        """Without a store it says so, and makes no file."""
        url = f"sqlite:///{tmp_path}/relay.db"
        nothing = keys(url, "status", keyring="")
        left = [*tmp_path.iterdir()]
        await load(url, {})
        empty = keys(url, "status", keyring="")

        message = f"error: RELAY_STORE: {tmp_path}/relay.db does not exist yet; `relay load` creates it\n"
        assert (nothing.returncode, errors(nothing), left) == (2, message, [])
        assert (empty.returncode, empty.stdout) == (0, "no secrets, and no RELAY_KEYRING is set\n")

    async def test_speaks_json(self, tmp_path):
        url = f"sqlite:///{tmp_path}/relay.db"
        await load(url, canaries(ACME))
        plant(url, {GLOBEX: {"webhookSecret": "canary", "sinchEstKeyId": 7}})

        result = keys(url, "status", "--format", "json", keyring=keyrings.NEW)

        expected = json.loads(result.stdout)
        problems = expected.pop("problems")
        assert (result.returncode, len(problems)) == (1, 3)
        counts = {"keys": {"new": 0}, "unknown": {"old": 5}, "plain": 1, "unreadable": 1}
        assert expected == {"seals": "new", **counts}


class TestEncrypt:
    """`relay keys encrypt`, whose former name is `seal`."""

    async def test_seals_what_is_plain_and_nothing_else(self, tmp_path, new_url):
        """A sealed secret stays under its key; the second run has nothing left to do."""
        url = new_url()
        await load(url, canaries(ACME))
        plant(url, canaries(GLOBEX))

        first, second = keys(url, "encrypt"), keys(url, "encrypt")

        assert [first.returncode, *first.stdout.splitlines()] == [
            0,
            "before: 5 under old, 5 in plain text",
            "after: 5 under new, 5 under old",
            "relay keys encrypt: 5 secrets encrypted with the key new",
        ]
        assert second.stdout.endswith("relay keys encrypt: 0 secrets encrypted with the key new\n")
        under, opened = await stored(url)
        assert {(one, key_id) for (one, _), key_id in under.items()} == {(ACME, "old"), (GLOBEX, "new")}
        assert opened == canaries(ACME, GLOBEX)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("document", "returncode", "expected"),
        [
            (r'{"webhookSecret": "\ud800"}', 0, "1 secret unreadable, such as webhookSecret of"),
            ('{"webhookSecret": "', 2, "the database contains data that this program did not write"),
            (b'{"webhookSecret": "\xff"}', 2, "the database contains data that this program did not write"),
        ],
        ids=["half a surrogate pair", "no JSON", "no UTF-8"],
    )
    async def test_reports_what_no_program_of_ours_wrote(self, tmp_path, document, returncode, expected):
        """A file that somebody has edited ends nothing in a traceback, and shows nothing of what it holds."""
        url = f"sqlite:///{tmp_path}/relay.db"
        await load(url, {ACME: {}})
        with closing(sqlite3.connect(tmp_path / "relay.db")) as connection, connection:
            connection.execute("UPDATE credentials SET document = CAST(? AS TEXT)", (document,))

        result = keys(url, "encrypt")

        assert result.returncode == returncode
        assert expected in result.stdout + errors(result)

    async def test_only_counts_when_asked_to(self, tmp_path, new_url):
        url = new_url()
        async with open_store(url):
            plant(url, canaries(ACME))

        result = keys(url, "encrypt", "--dry-run")

        assert [result.returncode, *result.stdout.splitlines()] == [
            0,
            "before: 5 in plain text",
            "relay keys encrypt: 5 secrets to be encrypted with the key new",
        ]
        assert {*(await stored(url))[0].values()} == {None}

    @pytest.mark.slow
    @pytest.mark.parametrize("command", ["encrypt", "seal", "rotate"])
    @pytest.mark.parametrize(
        ("keyring", "expected"),
        [
            ("", "error: RELAY_KEYRING: missing: create a key with `relay keys new`\n"),
            ("a:canary", "error: RELAY_KEYRING: entry 1: its key has 4 bytes; AES-256 needs 32\n"),
        ],
    )
    def test_needs_a_keyring(self, tmp_path, command, keyring, expected):
        result = keys(f"sqlite:///{tmp_path}/relay.db", command, keyring=keyring)

        assert (result.returncode, result.stdout, errors(result)) == (2, "", expected)

    @pytest.mark.slow
    def test_says_that_the_database_is_down(self):
        result = keys("mongodb://127.0.0.1:1/relay", "rotate")

        assert result.returncode == 2
        assert (
            "error: RELAY_STORE: the database did not respond; completed changes are kept; run it again\n"
            in (errors(result))
        )


class TestRotate:
    """`relay keys rotate`."""

    async def test_brings_everything_under_the_first_key(self, tmp_path, new_url):
        """After it the old key may go; what is plain is not its business, and is reported."""
        url = new_url()
        await load(url, canaries(ACME))
        await load(url, canaries(GLOBEX), keyrings.NEW_ONLY)
        plant(url, {GLOBEX: {"webhookSecret": "canary"}})

        result = keys(url, "rotate")

        assert [result.returncode, *result.stdout.splitlines()] == [
            0,
            "before: 4 under new, 5 under old, 1 in plain text",
            "after: 9 under new, 1 in plain text",
            "relay keys rotate: 5 secrets encrypted with the key new",
        ]
        under, opened = await stored(url, keyrings.NEW_ONLY)
        assert under.pop((GLOBEX, "webhookSecret")) is None
        assert {*under.values()} == {"new"}
        assert opened[ACME] == canaries(ACME)[ACME]

    async def test_leaves_what_it_cannot_open_and_goes_on(self, tmp_path, new_url):
        """Each is reported by organization and field; no secret is lost to a key that is missing today."""
        url = new_url()
        await load(url, canaries(ACME))
        async with open_store(url) as store:
            sealed = {secret.name: secret.value async for secret in store.secrets()}
        lost = read_keyring(f"lost:{'8' * 43}").encrypt(GLOBEX, "webhookSecret", "canary")
        plant(url, {GLOBEX: {"webhookSecret": lost, "sinchEstKeyId": sealed["sinchEstKeyId"]}})
        plant(url, {GLOBEX: {"elevenlabsApiKey": {"v": 2}}})

        result = keys(url, "rotate")
        dry = keys(url, "rotate", "--dry-run")

        expected = [
            rf"1 secret unreadable, such as elevenlabsApiKey of {GLOBEX}: .*",
            "1 secret under the key lost, which is not in RELAY_KEYRING; add it",
            rf"1 secret not decrypted by the key old, such as sinchEstKeyId of {GLOBEX}: .*",
        ]
        for one in (result, dry):
            assert one.returncode == 1
            assert re.search("\n".join(expected), one.stdout)
        assert "after: 1 under lost, 5 under new, 1 under old, 1 unreadable\n" in result.stdout
        async with open_store(url) as store:
            left = {
                secret.name: secret.value
                async for secret in store.secrets()
                if secret.organization_id == GLOBEX
            }
        again = {"sinchEstKeyId": sealed["sinchEstKeyId"], "elevenlabsApiKey": None}
        assert left == {"webhookSecret": lost, **again}

    @pytest.mark.slow
    async def test_says_what_an_interruption_leaves(self, tmp_path):
        url = f"sqlite:///{tmp_path}/relay.db"
        await load(url, canaries(*MANY))

        result = await asyncio.to_thread(ended_within, tmp_path, url, signal.SIGINT)

        assert result.returncode == 130
        message = "relay keys rotate: interrupted; completed changes are kept; run it again\n"
        assert errors(result) == message

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("hindered", "expected"),
        [
            ({"replace_secrets": lambda connection, changes: replace_secrets(connection, changes[1:])},
             "1 secret changed at the same time and skipped; run it again"),
            ({"scrub": lambda _connection: False},
             "another process is reading the database, so its file still contains old copies; run it again"),
        ],
        ids=["changed", "read"],
    )  # fmt: skip
    def test_says_what_is_left_to_do(self, tmp_path, monkeypatch, hindered, expected):
        """Others came in between; that is found wanting, and mended by another run."""
        monkeypatch.setenv("RELAY_STORE", f"sqlite:///{tmp_path}/relay.db")
        monkeypatch.setenv("RELAY_KEYRING", NEWER)
        asyncio.run(load(f"sqlite:///{tmp_path}/relay.db", canaries(ACME)))
        with monkeypatch.context() as others:
            for name, function in hindered.items():
                others.setattr(sqlite_rows, name, function)

            first = CliRunner().invoke(main, ["keys", "rotate"])

        second = CliRunner().invoke(main, ["keys", "rotate"])
        assert (first.exit_code, first.stdout.splitlines()[-1]) == (1, expected)
        assert second.exit_code == 0

    @pytest.mark.slow
    async def test_a_kill_at_any_point_costs_nothing(self, tmp_path, new_url):
        """Every secret opens then and is what it was; the next run does what is left."""
        url = new_url()
        loaded = canaries(*MANY)
        await load(url, loaded)

        killed = await asyncio.to_thread(ended_within, tmp_path, url, signal.SIGKILL)

        under, opened = await stored(url)
        done = sum(key_id == "new" for key_id in under.values())
        result = keys(url, "rotate")
        assert killed.returncode == -signal.SIGKILL
        assert opened == loaded
        assert 0 < done < len(under) == 1000
        assert f"relay keys rotate: {1000 - done} secrets encrypted with the key new\n" in result.stdout
        assert await stored(url, keyrings.NEW_ONLY) == (dict.fromkeys(under, "new"), loaded)

    @pytest.mark.slow
    async def test_loads_go_on_meanwhile(self, new_url, monkeypatch):
        """Records that are loaded while it runs, under the old key too, are there in the end and nothing older."""
        url = new_url()
        monkeypatch.setenv("RELAY_STORE", url)
        monkeypatch.setenv("RELAY_KEYRING", NEWER)
        loaded = canaries(*MANY)
        await load(url, loaded)
        rotating = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, main, ["keys", "rotate"]))

        async with open_store(url, keyrings.OLD_ONLY) as store:
            for count, one in enumerate(cycle(loaded)):
                loaded[one]["webhookSecret"] = f"canary {count}"
                record = {"organizationId": one, "webhookSecret": f"canary {count}"}
                await store.load(Batch([], [], [record]))
                if rotating.done():
                    break

        assert "Traceback" not in (await rotating).output
        _, opened = await stored(url)
        assert opened == loaded


MANY = [f"{number:024x}" for number in range(200)]
"""Organizations; their secrets are replaced in ten batches."""

ENDS = """
import os, random, sys, threading
from handlers._store import {module} as store
from relay.cli.main import main

replace, calls = store.replace_secrets, []

def replace_and_end(*arguments, **named):
    calls.append(1)
    if len(calls) == 2:
        threading.Timer(random.random() / 200, os.kill, (os.getpid(), {number})).start()
    return replace(*arguments, **named)

store.replace_secrets = replace_and_end
main(["keys", "rotate"])
"""


def ended_within(folder, url, number):
    """Rotate, in a process that gets a signal at some moment from the second batch on."""
    module = "sqlite_rows" if url.startswith("sqlite") else "mongo_writes"
    code = ENDS.format(module=module, number=int(number))
    variables = environment(folder, RELAY_STORE=url, RELAY_KEYRING=NEWER)
    return ended([sys.executable, "-c", code], ROOT, env=variables)
