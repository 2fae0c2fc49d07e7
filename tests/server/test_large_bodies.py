"""Large, slow and hostile bodies in both directions, to a service in a process of its own."""

import json
import re
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from support.downloads import MAX_MEMORY, download, open_streams, serving_downloads
from support.running import eventually, eventually_async
from support.targets import Measured
from support.uploading import (
    FORM_HEAD,
    MULTIPART,
    VIDEO,
    digest,
    send_form,
    send_raw,
    taking_files,
)
from support.wire import answers, connect, request

pytestmark = pytest.mark.slow

LARGE = 300_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with taking_files(tmp_path_factory.mktemp("uploads")) as found:
        yield found


def temporary(service):
    """The files that a service has open in its folder of temporary files, and those that lie there."""
    process = Path(f"/proc/{service.process.pid}")
    folder = Path(re.search(r"\0TMPDIR=([^\0]*)", (process / "environ").read_text("utf-8"))[1])
    links = []
    for one in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            links.append(str(one.readlink()))
    return [link for link in links if link.startswith(str(folder))] + list(folder.iterdir())


def settled(service):
    """Wait until the service has no temporary file, and return those that it keeps."""
    with suppress(AssertionError):
        eventually(lambda: not temporary(service), 5)
    return temporary(service)


def test_large_files_take_little_memory(service):
    """300 MB in a form and as a body, through a process of less than 150 MB."""
    raw, form = send_raw(service, LARGE), send_form(service, LARGE)
    assert json.loads(raw.body) == [*digest(LARGE), LARGE]
    assert json.loads(form.body) == {"note": "x", "file": digest(LARGE)}
    assert Measured.of(service.process.pid).peak < MAX_MEMORY
    assert settled(service) == []


def test_many_uploads_that_break_off_leave_nothing(service):
    """Neither files nor descriptors, and others are answered meanwhile."""
    send_raw(service, 1)
    before = Measured.of(service.process.pid)
    with ExitStack() as stack:
        for number in range(60):
            connection = stack.enter_context(connect(service.url))
            path, kind, start = [("/form", MULTIPART, FORM_HEAD), ("/raw", VIDEO, b"")][number % 2]
            head = request("POST", path, None, kind, ("Content-Length", "1000000"))
            connection.sendall(head + start + b"a" * 200_000)
        eventually(lambda: len(temporary(service)) >= 60)
        assert json.loads(send_form(service, 100_000).body)["file"] == digest(100_000)

    assert settled(service) == []
    assert Measured.of(service.process.pid).descriptors <= before.descriptors + 2


HEAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
HOSTILE = {
    "tiny parts": HEAD * 500_000,
    "tiny values": b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n\r\n' * 500_000,
    "a huge header": b"--b\r\nContent-Disposition: form-data; name=" + b"a" * 30_000_000,
    "many headers": b"--b\r\n" + b"X: y\r\n" * 5_000_000,
    "an endless boundary": b"--" + b"b" * 30_000_000,
    "boundaries without an end": b"--b\r\n" * 5_000_000,
    "no boundary": b"\r\n" * 15_000_000,
    "a huge value": b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n' + b"a" * 30_000_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_forms_are_refused_and_take_no_memory(service, body):
    """Most are refused as soon as they exceed a limit; all have no end."""
    with connect(service.url) as connection:
        with suppress(ConnectionError):
            connection.sendall(request("POST", "/form", None, MULTIPART, ("Content-Length", str(len(body)))))
            connection.sendall(body)
        received = bytearray()
        with suppress(ConnectionError):
            while data := connection.recv(65536):
                received += data
    found, _ = answers(bytes(received))

    assert [one.status for one in found] in ([400], [413], [])  # a reset may overtake the answer
    assert json.loads(send_form(service, 100_000).body)["file"] == digest(100_000)
    assert Measured.of(service.process.pid).peak < MAX_MEMORY
    assert settled(service) == []


STREAMS = 100


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    """A service that sends large files and streams."""
    with serving_downloads(tmp_path_factory.mktemp("downloads")) as service:
        yield service


@pytest.mark.parametrize("path", ["/file", "/stream"])
async def test_a_large_body_goes_through_a_small_process(sender, path):
    """Neither a file nor a stream is in memory as a whole; `tox -e soak` takes 10 GB of each."""
    assert await download(sender.url, path, LARGE) == LARGE
    assert Measured.of(sender.process.pid).peak < MAX_MEMORY


async def test_open_streams_need_little_and_are_closed(sender):
    """Each costs a connection and a generator; the service answers others, and forgets those whose clients left."""
    async with httpx.AsyncClient(base_url=sender.url) as client:
        before = Measured.of(sender.process.pid).memory
        async with open_streams(sender.url, STREAMS):
            assert (await client.get("/open")).json() == STREAMS
            assert Measured.of(sender.process.pid).memory < before + STREAMS * 0.3
        await _all_closed(client)


async def _all_closed(client):
    async def are_closed():
        return (await client.get("/open")).json() == 0

    await eventually_async(are_closed)
