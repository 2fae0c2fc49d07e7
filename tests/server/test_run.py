"""How `relay serve` ends: `scripts/relay/server/transport/run.py` and `servers.py`."""

import json
import mmap
import platform
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.hosting import contract, operation, write_package
from support.running import COMMAND, eventually, patched, serving, started
from support.wire import answers, connect

pytestmark = pytest.mark.slow

THINGS = """
    import asyncio
    import time
    from pathlib import Path

    async def slow():
        Path("slow").touch()
        await asyncio.sleep(1)
        return "done"

    async def endless():
        Path("endless").touch()
        await asyncio.Event().wait()

    def stuck():
        Path("stuck").touch()
        time.sleep(600)

    async def take(*, body):
        return body
"""


@pytest.fixture
def arguments(tmp_path):
    """Options that serve handlers which take their time."""
    taking = operation(
        "take", requestBody={"content": {"application/json": {"schema": {}}}, "required": True}
    )
    paths = {f"/{name}": {"get": operation(name)} for name in ("slow", "endless", "stuck")}
    document = contract({**paths, "/take": {"post": taking}})
    (tmp_path / "api.yaml").write_text(json.dumps(document), "utf-8")
    return "--spec", "api.yaml", "--handlers", write_package(tmp_path, things=THINGS)


@contextmanager
def asked(folder, service, *names):
    """Ask for something, and go on once all of it is being worked at; yields what comes of it."""
    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(httpx.get, f"{service.url}/{name}", timeout=60) for name in names]
        eventually(lambda: all((folder / name).exists() for name in names))
        yield asking


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_answers_what_is_under_way_and_ends(tmp_path, arguments, number):
    """A deployment loses no request; a connection that only waits delays nothing, and no new client is accepted."""
    with serving(tmp_path, *arguments, RELAY_LOG_LEVEL="warning") as service, httpx.Client() as idle:
        idle.get(f"{service.url}/livez")
        with asked(tmp_path, service, "slow") as [asking]:
            service.process.send_signal(number)
            time.sleep(0.5)
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{service.url}/livez")
            code = service.process.wait(15)

    assert asking.result().json() == "done"
    assert code == 0
    assert (tmp_path / "stderr.log").read_text("utf-8") == ""


def test_a_second_signal_ends_it_at_once(tmp_path, arguments):
    """Even if a request is under way in a thread that never returns; the exit code says so."""
    with (
        serving(tmp_path, *arguments, RELAY_LOG_LEVEL="warning") as service,
        asked(tmp_path, service, "endless", "stuck") as asking,
    ):
        service.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            service.process.wait(1)
        service.process.send_signal(signal.SIGTERM)
        code = service.process.wait(5)

    assert code == 1
    assert all(isinstance(one.exception(), httpx.TransportError) for one in asking)
    assert (tmp_path / "stderr.log").read_text("utf-8") == ""


def test_cuts_what_is_not_done_in_time(tmp_path, arguments):
    """The log has one line, no traceback; the client sees the connection end, not an answer."""
    command = patched({f"relay.server.transport.servers.{name}_SECONDS": 1 for name in ("DRAIN", "CLOSE")})
    with (
        serving(tmp_path, *arguments, RELAY_LOG_LEVEL="warning", command=command) as service,
        asked(tmp_path, service, "endless", "stuck") as asking,
    ):
        service.process.send_signal(signal.SIGTERM)
        code = service.process.wait(15)

    assert code == 1
    assert all(isinstance(one.exception(), httpx.RemoteProtocolError) for one in asking)
    log = (tmp_path / "stderr.log").read_text("utf-8")
    assert "2 requests were not done after 1 s and are cut" in log
    assert log.count("\n") == 1


def test_half_a_body_holds_it_no_longer_than_a_body_may_take(tmp_path, arguments):
    """The client gets an answer, because its request was under way."""
    command = patched({"relay.server.bodies.BODY_SECONDS": 1})
    with serving(tmp_path, *arguments, command=command) as service, connect(service.url) as client:
        head = (
            b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        )
        client.sendall(head + b"[1,")
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        ((answer,), _) = answers(b"".join(iter(lambda: client.recv(65536), b"")))
        code = service.process.wait(15)

    assert (answer.status, json.loads(answer.body)["code"], code) == (408, "BODY_TOO_SLOW", 0)


def test_nohup_keeps_it_going(tmp_path, arguments):
    """Who ignores SIGHUP for it means that."""
    with serving(tmp_path, *arguments, RELAY_LOG_LEVEL="warning", command=["nohup", *COMMAND]) as service:
        service.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert httpx.get(f"{service.url}/livez").status_code == 200


def test_ends_at_once_while_it_starts(tmp_path, arguments):
    """Nothing is under way yet, and what the package imports may never come to an end."""
    package = write_package(
        tmp_path, things="from pathlib import Path\nPath('here').touch()\nwhile True: pass\n"
    )
    command = [*COMMAND, "serve", *arguments[:2], "--handlers", package]
    with started(command, tmp_path, 0, stderr=subprocess.STDOUT) as process:
        eventually((tmp_path / "here").exists)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=5)

    assert (process.returncode, printed) == (0, "")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc does as it likes")
def test_memory_of_a_long_answer_is_not_given_back_to_be_faulted_in_again(tmp_path):
    """Each page costs as much as validating three items."""
    rows = {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}}
    answer = {"description": "", "content": {"application/json": {"schema": rows}}}
    document = contract({"/rows": {"get": operation("rows", responses={"200": answer})}})
    (tmp_path / "api.yaml").write_text(json.dumps(document), "utf-8")
    package = write_package(tmp_path, things='async def rows(): return [{"a": "x" * 200}] * 5000')

    with serving(tmp_path, "--spec", "api.yaml", "--handlers", package) as service, httpx.Client() as client:

        def faults():
            return int(Path(f"/proc/{service.process.pid}/stat").read_text("ascii").split()[9])

        for _ in range(5):
            client.get(f"{service.url}/rows").raise_for_status()
        before = faults()
        size = sum(len(client.get(f"{service.url}/rows").content) for _ in range(20))

        assert (faults() - before) * mmap.PAGESIZE < size / 4
