"""`relay check`: `scripts/relay/cli/check.py` and `scripts/relay/cli/preflight.py`."""

import json
import os
import socket
import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import pytest

from handlers._settings import Settings
from handlers._store import open_store
from relay.cli.preflight import examine
from relay.project.project import current_project
from support.hosting import SECRET, contract, operation, put, write_package
from support.running import relay, serving
from support.signing import EC, jwk, serving_keys

SHELF = """
    from contextlib import asynccontextmanager

    class Shelf:
        async def ready(self):
            {ready}

        async def check(self):
            return [{lines}]

    @asynccontextmanager
    async def collaborators(settings):
        yield {{"shelf": Shelf()}}
"""


@pytest.fixture(autouse=True)
def _here(run_ours, monkeypatch, tmp_path):
    """Packages, .env and data lie in the test's own folder, a project with our contract and handlers."""
    monkeypatch.syspath_prepend(tmp_path)


def ours(**given):
    return Settings.load(**{"port": 0, "jwt_secret": SECRET, **given})


def of_package(folder, init="", things="async def show(): return 1\n", **given):
    put(folder / "api.yaml", contract({"/a": {"get": operation("show")}}))
    package = write_package(folder, init=init, things=things)
    return Settings.load(spec=folder / "api.yaml", handlers=package, port=0, **given)


async def reported(settings):
    """Return the findings, a line each: severity, place and message."""
    return [
        f"{one.severity}: {one.where}: {one.message}" async for one in examine(current_project(), settings)
    ]


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


async def test_says_what_is_well():
    lines = await reported(ours())

    assert [line.partition(" ")[0] for line in lines] == ["info:"] * len(lines)
    assert [line.split(": ")[1] for line in lines] == [
        "settings", "contract", "handlers", "RELAY_JWT_SECRET", "RELAY_HOST, RELAY_PORT", "collaborators",
    ]  # fmt: skip
    assert lines[1].endswith("spec/openapi.yaml, 1 operation")
    assert lines[3] == "info: RELAY_JWT_SECRET: 1 key: HS256"


async def test_warns_of_a_key_that_replaces_the_functions_of_the_contract(tmp_path, monkeypatch):
    """The function is not called, which nothing else shows; a verifier of the package goes before both."""
    schemes = {
        "token": {"type": "http", "scheme": "bearer", "x-bearerInfoFunc": "auth.check"},
        "key": {"type": "apiKey", "in": "header", "name": "K", "x-apikeyInfoFunc": "auth_of_check.check"},
    }
    document = contract(
        {"/a": {"get": {**operation("show"), "security": [{"token": []}, {"key": []}]}}},
        components={"securitySchemes": schemes},
    )
    put(tmp_path / "api.yaml", document)
    (tmp_path / "auth_of_check.py").write_text("def check(key):\n    return {}\n", "utf-8")

    async def warned(init, **given):
        package = write_package(tmp_path, init=init, things="async def show(): return 1\n")
        settings = Settings.load(port=0, spec=tmp_path / "api.yaml", handlers=package, **given)
        return [line for line in await reported(settings) if "is not called" in line]

    (warning,) = await warned("", jwt_secret=SECRET)
    assert warning == (
        "warning: RELAY_JWT_SECRET: it verifies the tokens of 'token', so the function of x-bearerInfoFunc is not "
        "called; unset it to use that"
    )
    assert await warned("verifiers = {'token': len, 'key': len}\n", jwt_secret=SECRET) == []


@pytest.mark.slow
async def test_changes_nothing(tmp_path):
    before = files_of(tmp_path)
    (line,) = [line for line in await reported(ours()) if "relay.db" in line]
    assert files_of(tmp_path) == before
    there = "the first start creates it, and checks the arguments of handlers"
    assert line == f"info: collaborators: {tmp_path}/tether-relay/relay.db does not exist yet; {there}"

    url = f"sqlite:///{tmp_path}/relay.db"
    async with open_store(url):
        pass
    before = files_of(tmp_path)
    assert "info: store: it is ready" in await reported(ours(store=url))
    assert files_of(tmp_path) == before


@pytest.mark.slow
async def test_finds_the_address_that_is_taken(unused_port):
    """By something else than this service, or by its own metrics."""
    given = {"port": unused_port, "metrics_bind": f"127.0.0.1:{unused_port}"}
    message = f"cannot listen on 127.0.0.1:{unused_port}: Address already in use"

    assert f"error: RELAY_METRICS_BIND: {message}" in await reported(ours(**given))
    with socket.create_server(("127.0.0.1", unused_port)):
        lines = await reported(ours(port=unused_port))
    assert f"error: RELAY_HOST, RELAY_PORT: {message}" in lines


@pytest.fixture
def unused_port():
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
async def test_finds_an_address_that_is_not_of_this_machine(host):
    lines = await reported(ours(host=host))

    (line,) = [line for line in lines if line.startswith("error: ")]
    assert line.startswith(f"error: RELAY_HOST, RELAY_PORT: cannot listen on {host}:0: ")


async def test_finds_a_key_set_that_cannot_be_fetched(unused_port):
    """The service would start, and refuse all requests; the address may have a password."""
    url = f"http://127.0.0.1:{unused_port}/jwks?key=sk_canary"

    lines = await reported(ours(jwt_secret=None, jwt_jwks=url))

    (line,) = [line for line in lines if line.startswith("error: ")]
    assert line.startswith("error: RELAY_JWT_JWKS: its URL does not return a key set (")
    assert "sk_canary" not in str(lines)


@pytest.mark.slow
async def test_fetches_a_key_set():
    """The key that would verify tokens is reported; without one, every request would be refused."""
    with serving_keys() as keys:
        empty = await reported(ours(jwt_secret=None, jwt_jwks=keys.url))
        keys.document = {"keys": [jwk(EC, "ES256", "one"), jwk(EC, "ES256", "two")]}
        lines = await reported(ours(jwt_secret=None, jwt_jwks=keys.url))

    assert "info: RELAY_JWT_JWKS: 2 keys: ES256" in lines
    assert [line for line in empty if line.startswith("error: RELAY_JWT_JWKS: it ")]


@pytest.mark.parametrize(
    ("ready", "lines", "found"),
    [
        ("pass", "'dust it'", ["warning: shelf: dust it", "info: shelf: it is ready"]),
        ("raise OSError('sk_canary')", "", ["error: shelf: not ready: OSError; is it running, and reachable from here?"]),
    ],
    ids=["repair", "fails"],
)  # fmt: skip
async def test_a_collaborator_says_how_it_is(tmp_path, ready, lines, found):
    """Its lines are warnings: it serves all the same. The text of what it raises may hold anything."""
    reported_lines = await reported(of_package(tmp_path, SHELF.format(ready=ready, lines=lines)))

    assert reported_lines[-len(found) :] == found


async def test_finds_what_nobody_gives_a_function(tmp_path):
    """The start would fail at it, though contract and handlers agree."""
    settings = of_package(tmp_path, "async def identify(claims, *, books): ...\n")

    lines = await reported(settings)

    assert lines[-1].endswith(
        "identify needs 'books', and no collaborator has that name (collaborators: none)"
    )
    assert lines[-1].startswith("error: ")


async def test_reports_the_weaknesses_of_production():
    lines = await reported(ours(environment="production"))

    weak = [line.split(": ")[1] for line in lines if line.startswith("warning: ")]
    assert weak == ["RELAY_JWT_ISSUER", "RELAY_JWT_AUDIENCE", "RELAY_OPENAPI", "RELAY_METRICS", "RELAY_STORE"]


async def test_production_that_is_set_up_has_none(tmp_path):
    """Warnings that cannot be got rid of are not read."""
    settings = ours(
        environment="production", jwt_issuer="me", jwt_audience="you", openapi=False,
        metrics_bind="127.0.0.1:0", store=f"sqlite:///{tmp_path}/relay.db",
    )  # fmt: skip

    lines = await reported(settings)

    assert {line.partition(":")[0] for line in lines} == {"info"}


class TestCommand:
    """The command itself."""

    @pytest.fixture
    def check(self, run_ours):
        """Run it, for any free port."""
        return lambda *given, **variables: run_ours("check", *given, **{"RELAY_PORT": "0", **variables})

    def test_says_all_that_is_wrong_and_exits_with_1(self, check):
        result = check("--spec", "nope.yaml", "--handlers", "nope", RELAY_JWT_SECRET="short")

        assert (result.exit_code, result.stderr) == (1, "")
        assert result.stdout.splitlines() == [
            "error: nope.yaml: cannot be read: No such file or directory",
            "error: RELAY_HANDLERS: there is no package 'nope' here",
            "error: RELAY_JWT_SECRET: it has 5 bytes; HS256 needs 32 or more",
            "relay check: 3 errors",
        ]

    def test_says_that_a_folder_belongs_to_no_project(self, check, monkeypatch, tmp_path_factory):
        monkeypatch.chdir(tmp_path_factory.mktemp("empty"))

        result = check(RELAY_JWT_SECRET=SECRET)

        assert (result.exit_code, result.stderr) == (1, "")
        assert "no project here: " in result.stdout
        assert result.stdout.endswith("\nrelay check: 1 error\n")

    def test_makes_no_key_of_development(self, check, tmp_path):
        before = files_of(tmp_path)

        result = check()

        assert result.exit_code == 0, result.output
        assert "ok: RELAY_JWT_SECRET: 1 key: HS256\n" in result.stdout
        assert files_of(tmp_path) == before

    def test_settings_that_cannot_be_read_are_wrong(self, check):
        """A script that runs it before `serve` needs no other code for them."""
        result = check(RELAY_PORT="sk_canary")

        assert (result.exit_code, result.stderr) == (1, "")
        assert result.stdout.startswith("error: RELAY_PORT: ")
        assert "sk_canary" not in result.stdout

    def test_leaves_nothing_in_the_package_that_it_looks_at(self, check, tmp_path):
        """Not even what Python would make of it."""
        settings = of_package(tmp_path)
        before = files_of(tmp_path)

        result = check("--spec", "api.yaml", "--handlers", settings.handlers)

        assert result.exit_code == 0, result.output
        assert files_of(tmp_path) == before

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "init",
        [
            pytest.param(SHELF.format(ready="import asyncio; await asyncio.sleep(600)", lines=""), id="waits"),
            pytest.param(SHELF.format(ready="import time; time.sleep(600)", lines=""), id="blocks the loop"),
            pytest.param(
                SHELF.format(
                    ready="import asyncio, time; await asyncio.to_thread(time.sleep, 600)", lines=""
                ),
                id="blocks a thread",
            ),
            pytest.param("def collaborators(settings): open('pipe')", id="opens a pipe"),
            pytest.param("import time; time.sleep(600)", id="blocks its import"),
            pytest.param(
                "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start(); time.sleep(600)",
                id="has threads",
            ),
        ],
    )  # fmt: skip
    def test_ends_in_time_whatever_a_package_does(self, tmp_path, init):
        """A thread that waits cannot be interrupted, so it is a process; what was found before counts."""
        os.mkfifo(tmp_path / "pipe")
        settings = of_package(tmp_path, init)
        given = ["--spec", "api.yaml", "--handlers", settings.handlers, "--timeout", "1"]

        result = relay(tmp_path, "check", *given, RELAY_PORT="0")

        assert result.returncode == 1, result.stderr
        *before, late, summary = result.stdout.splitlines()
        assert late == "error: --timeout: the checks took longer than 1 s; the next one did not finish"
        assert summary == "relay check: 1 error"
        assert all(line.startswith("ok: ") for line in before)  # none on a slow machine

    @pytest.mark.parametrize(("arguments", "code"), [([], 1), (["--missing", "stub"], 0)])
    def test_takes_the_policies_for_missing_handlers_that_serve_takes(self, check, tmp_path, arguments, code):
        """A service that starts with an option is checked with it."""
        given = ["--spec", "api.yaml", "--handlers", of_package(tmp_path, things="").handlers]

        result = check(*given, *arguments)

        assert result.exit_code == code, result.output

    @pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--strict"], 1)])
    def test_warnings_count_when_they_are_to(self, check, arguments, code):
        """A pipeline may be stricter than a container's start."""
        variables = {"RELAY_JWT_SECRET": SECRET, "RELAY_ENVIRONMENT": "production"}
        result = check(*arguments, **variables)

        assert result.exit_code == code, result.output

    @pytest.mark.parametrize(
        ("form", "read"), [("json", json.loads), ("junit", ET.fromstring), ("github", str)]
    )
    def test_speaks_the_formats_of_the_other_checks(self, check, form, read):
        result = check("--format", form, RELAY_JWT_SECRET=SECRET)

        assert result.exit_code == 0, result.output
        read(result.stdout)
        assert "1 operation" in result.stdout

    @pytest.mark.slow
    def test_knows_a_service_of_ours_that_runs_already(self, check, tmp_path):
        with serving(tmp_path, RELAY_JWT_SECRET=SECRET) as service:
            port = service.url.rpartition(":")[2]
            result = check(RELAY_PORT=port, RELAY_JWT_SECRET=SECRET)

        assert result.exit_code == 0, result.output
        assert f"127.0.0.1:{port} is taken by a running service of this kind" in result.stdout
        assert "ok: store: it is ready" in result.stdout

    @pytest.mark.slow
    def test_finds_a_store_that_is_down(self, check, unused_port):
        url = f"mongodb://me:sk_canary@127.0.0.1:{unused_port}/relay"

        result = check("--timeout", "20", RELAY_JWT_SECRET=SECRET, RELAY_STORE=url)

        assert (result.exit_code, result.stderr) == (1, "")
        assert "error: store: not ready: DB_UNAVAILABLE (" in result.stdout
        assert result.stdout.endswith("; is it running, and reachable from here?\nrelay check: 1 error\n")
        assert "sk_canary" not in result.stdout

    def test_says_what_is_wrong_with_a_file(self, check, tmp_path):
        with closing(sqlite3.connect(tmp_path / "relay.db")) as connection:
            connection.execute("PRAGMA user_version = 1")
        url = f"sqlite:///{tmp_path}/relay.db"

        result = check(RELAY_JWT_SECRET=SECRET, RELAY_STORE=url)

        reason = "the database contains data that this program did not write; restore it from a backup"
        assert f"error: store: not ready: {reason}\n" in result.stdout
