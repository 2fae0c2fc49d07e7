"""`relay serve --record`, and the same in a test's process: `scripts/relay/contract_tests/recorder.py`."""

import asyncio
import json
import signal
import threading
from contextlib import suppress
from functools import partial

import httpx
import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests import recorder as recording
from relay.contract_tests import recording_file as archiving
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.har_files import read_traffic
from relay.contract_tests.recorder import Recorder
from support.hosting import (
    SECRET,
    assert_problem,
    bearer,
    calling,
    contract,
    host,
    json_of,
    operation,
    put,
    query,
)
from support.running import as_project, eventually, relay, serving, serving_demo
from support.streaming import served

CREATED = {"201": json_of({})}
TEXT = {"200": {"description": "text", "content": {"text/plain": {"schema": {"type": "string"}}}}}
USER = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "password": {"type": "string", "format": "password"}},
}
PATHS = {
    "/things/{id}": {
        "parameters": [query("id", {"type": "string"}, "path", required=True)],
        "get": operation("show", responses=TEXT),
    },
    "/things": {"post": operation("add", responses=CREATED, requestBody=json_of({}))},
    "/users": {
        "post": operation("sign_up", responses=CREATED, requestBody=json_of(USER), security=[{"token": []}])
    },
}
TOKEN = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
THINGS = """
async def show(*, id):
    return id * 3 if id != "long" else "x" * 3_000_000


async def add(*, body=None):
    return body


async def sign_up(*, body=None):
    return body
"""


@pytest.fixture
def application(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return host(
        tmp_path, contract(PATHS, components=TOKEN), settings={"body_limit": 4_000_000}, things=THINGS
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traffic.har"


async def test_what_a_test_asked_is_read_again(application, path):
    """A suite in one process needs no more than another application around its own."""
    async with calling(Recorder(application, path)) as client:
        shown = await client.get("/things/a%2Fb?x=1&x=%20", headers=[("X-A", "1"), ("X-A", "2")])
        added = await client.post("/things", json={"a": "é"})
        missed = await client.get("/nothing")

    first, second, third = read_traffic(path).exchanges
    assert (first.request.method, first.request.url) == ("GET", "http://test/things/a%2Fb?x=1&x=%20")
    assert [value for name, value in first.request.headers if name == "x-a"] == ["1", "2"]
    assert (first.status, first.body.decode(), first.request.body) == (200, shown.text, b"")
    assert (second.status, second.request.body, second.body) == (201, added.request.content, added.content)
    assert dict(second.headers) == dict(added.headers)
    assert third.status == missed.status_code == 404
    judge = ConformanceChecker(application.contract, "")
    assert [judge.check(one) for one in (first, second, third)] == [[], [], []]


async def test_credentials_and_passwords_are_not_in_the_file(application, path):
    headers = bearer({"sub": "ann"})
    async with calling(Recorder(application, path)) as client:
        await client.post("/users", json={"name": "Ann", "password": "hunter22"}, headers=headers)
        await client.post("/things", json={"key": SECRET})

    written = path.read_text("utf-8")
    assert '"Bearer [redacted]"' in written
    assert "Ann" in written
    for secret in ("hunter22", headers["Authorization"].removeprefix("Bearer "), SECRET):
        assert secret not in written


async def test_the_file_is_whole_after_every_entry(application, path):
    def has(count: int) -> bool:
        with suppress(SetupError):  # read while it was written
            return len(read_traffic(path).exchanges) == count
        return False

    async with calling(Recorder(application, path)) as client:
        for count in range(1, 4):
            await client.get(f"/things/{count}")
            await asyncio.to_thread(eventually, partial(has, count))


async def test_a_recording_is_added_to(application, path):
    for name in ("a", "b"):
        async with calling(Recorder(application, path)) as client:
            await client.get(f"/things/{name}")

    assert [one.body for one in read_traffic(path).exchanges] == [b"aaa", b"bbb"]
    assert path.stat().st_mode & 0o077 == 0


async def test_any_asgi_server_may_run_it(application, path):
    with Recorder(application, path) as recorder:
        transport = httpx.ASGITransport(recorder)
        async with (
            application.running(),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            await client.get("/things/a")

    assert len(read_traffic(path).exchanges) == 1


async def test_a_long_body_counts_as_not_recorded(application, path):
    long = json.dumps("x" * 2_000_000).encode()
    async with calling(Recorder(application, path)) as client:
        shown = await client.get("/things/long")
        added = await client.post("/things", content=long, headers={"Content-Type": "application/json"})

    first, second = read_traffic(path).exchanges
    assert len(shown.content) == 3_000_000
    assert added.content == long
    assert (first.status, first.body) == (200, None)
    assert (second.status, second.request.body, second.body) == (201, None, None)


async def test_a_body_that_nobody_read_was_not_recorded(application, path):
    """A request that is refused before its body is asked for had one."""
    async with calling(Recorder(application, path)) as client:
        refused = await client.post("/users", json={"name": "Ann"})

    (found,) = read_traffic(path).exchanges
    assert_problem(refused, 401, "UNAUTHENTICATED")
    assert found.request.body is None


@pytest.mark.slow
async def test_a_request_is_no_accepted_one_if_its_response_broke_off(
    tmp_path, path, unused_tcp_port, monkeypatch
):
    """The status had been sent when the service noticed the wrong item."""
    monkeypatch.syspath_prepend(tmp_path)
    body = {"required": True, "content": {"application/jsonl": {"itemSchema": {"type": "integer"}}}}
    echo = operation(
        "echo", requestBody=body, responses={"200": {"description": "", "content": body["content"]}}
    )
    things = """
    async def echo(body):
        async for item in body:
            yield item
    """
    document = {**contract({"/echo": {"post": echo}}), "openapi": "3.2.0"}
    application = host(tmp_path, document, things=things)
    kind = {"Content-Type": "application/jsonl"}
    async with served(Recorder(application, path), unused_tcp_port) as client:
        whole = await client.post("/echo", content=b"1\n2\n", headers=kind)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/echo", content=b'1\n"a"\n', headers=kind)
        eventually(lambda: len(read_traffic(path).exchanges) == 2)

    right, wrong = read_traffic(path).exchanges
    assert (whole.status_code, right.status, right.broke_off) == (200, 200, False)
    assert (wrong.status, wrong.broke_off, wrong.request.body) == (200, True, b'1\n"a"\n')
    judge = ConformanceChecker(application.contract, "")
    assert [judge.check(one) for one in (right, wrong)] == [[], []]


async def test_a_slow_disk_costs_entries_not_memory(application, path, monkeypatch, caplog):
    release = threading.Event()
    add = archiving.RecordingFile.add
    monkeypatch.setattr(recording, "MAX_HELD", 100_000)
    monkeypatch.setattr(archiving.RecordingFile, "add", lambda self, one: release.wait(20) and add(self, one))
    recorder = Recorder(application, path)
    async with calling(recorder) as client:
        answers = [await client.get("/things/a") for _ in range(60)]
        release.set()

    recorded = len(read_traffic(path).exchanges)
    assert {answer.status_code for answer in answers} == {200}
    assert 10 < recorded < 30
    assert f"{60 - recorded} exchanges were left out" in caplog.text


async def test_a_full_disk_ends_the_recording_not_the_service(application, path, monkeypatch, caplog):
    monkeypatch.setattr(archiving, "MAX_BYTES", 1_500)
    async with calling(Recorder(application, path)) as client:
        answers = [await client.get("/things/a") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert 0 < len(read_traffic(path).exchanges) < 5
    assert path.stat().st_size <= 1_500
    assert caplog.text.count("is full, nothing more is recorded") == 1


def test_refuses_a_file_that_is_not_its_own(application, path):
    """One that another recorder writes, one that no recorder has written, one in a folder that is none."""
    with Recorder(application, path), pytest.raises(SetupError, match="is locked by another recording"):
        Recorder(application, path).__enter__()
    path.write_text('{"log": {"entries": []}}', "utf-8")

    for one, reason in [
        (path, "exists and is not a complete recording"),
        (path / "a", "cannot be written: Not a"),
    ]:
        with pytest.raises(SetupError, match=rf"^--record: \S+ {reason}"):
            Recorder(application, one).__enter__()

    assert path.read_text("utf-8") == '{"log": {"entries": []}}'


@pytest.mark.slow
def test_a_recorder_that_cannot_record_again_closes_no_file_of_others(application, tmp_path):
    """A number of a descriptor that was closed may be another file's."""
    folder = tmp_path / "reports"
    folder.mkdir()
    recorder = Recorder(application, folder / "traffic.har")
    with recorder:
        pass
    (folder / "traffic.har").unlink()
    folder.rmdir()

    with (tmp_path / "other").open("w", encoding="utf-8") as other:
        with pytest.raises(SetupError, match="cannot be written"):
            recorder.__enter__()
        other.write("kept")

    assert (tmp_path / "other").read_text("utf-8") == "kept"


class TestServe:
    """`relay serve --record`."""

    def test_all_traffic_is_in_the_file_when_the_service_has_ended(self, tmp_path):
        with serving_demo(tmp_path, "--record", "traffic.har") as service:
            answers = [httpx.get(f"{service.url}/api/calls/voice-ai/config") for _ in range(20)]

        found = read_traffic(tmp_path / "traffic.har").exchanges
        assert "Recording: all requests and responses go to traffic.har" in service.printed
        assert [one.body for one in found] == [answer.content for answer in answers]
        assert {one.request.url for one in found} == {f"{service.url}/api/calls/voice-ai/config"}

    def test_kill_9_loses_no_exchange_that_is_over(self, tmp_path):
        file = tmp_path / "traffic.har"
        for turn in range(2):
            with serving_demo(tmp_path, "--record", "traffic.har") as service:
                for _ in range(5):
                    httpx.get(f"{service.url}/api/calls/voice-ai/config")
                eventually(lambda count=5 * (turn + 1): len(read_traffic(file).exchanges) == count)
                service.process.send_signal(signal.SIGKILL)
                service.process.wait()

        assert len(read_traffic(file).exchanges) == 10

    def test_a_contract_that_is_reloaded_decides_what_is_secret(self, tmp_path):
        spec, old = tmp_path / "api.json", contract({"/users": PATHS["/users"]}, components=TOKEN)
        new = json.dumps(old).replace('"name": {"type"', '"name": {"writeOnly": true, "type"')
        put(spec, old)
        options = ["--spec", "api.json", "--missing", "mock", "--reload", "--record", "traffic.har"]
        with serving(tmp_path, *options, RELAY_JWT_SECRET=SECRET) as service:

            def sign_up():
                httpx.post(f"{service.url}/users", json={"name": "Ann"}, headers=bearer({"sub": "a"}))

            def is_new():
                return "writeOnly" in httpx.get(f"{service.url}/openapi.json").text

            sign_up()
            spec.write_text(new, "utf-8")
            eventually(is_new)
            sign_up()

        found = [
            one for one in read_traffic(tmp_path / "traffic.har").exchanges if one.request.method == "POST"
        ]
        assert [one.request.body for one in found] == [b'{"name":"Ann"}', None]

    def test_is_not_for_production(self, tmp_path):
        options = ["--record", "traffic.har", "--reload"]

        result = relay(as_project(tmp_path), "serve", *options, RELAY_ENVIRONMENT="production")

        message = "not available with RELAY_ENVIRONMENT=production"
        assert result.returncode == 2
        assert result.stderr == f"error: --reload: {message}\nerror: --record: {message}\n"
        assert not (tmp_path / "traffic.har").exists()
