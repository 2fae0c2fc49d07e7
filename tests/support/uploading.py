"""A service that takes files, in a process of its own, and clients that send it large ones."""

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from .downloads import MAX_MEMORY
from .hosting import contract, operation, write_package
from .running import Service, serving
from .targets import Measured
from .wire import Answer, answers, connect, request

PIECE = 1 << 20
"""Bytes that a client sends at once."""

FILE = {"type": "string", "format": "binary"}
FORM = {
    "type": "object",
    "properties": {"note": {"type": "string"}, "file": FILE, "files": {"type": "array", "items": FILE}},
}


def _taking(operation_id: str, media_type: str, schema: object) -> dict[str, object]:
    body = {"required": True, "content": {media_type: {"schema": schema}}}
    return {"post": operation(operation_id, requestBody=body)}


DOCUMENT = contract(
    {"/form": _taking("take_form", "multipart/form-data", FORM), "/raw": _taking("take_raw", "video/*", FILE)}
)
THINGS = """
    import hashlib
    import tempfile
    from pathlib import Path

    import relay

    def _digest(upload):
        found = hashlib.sha256()
        for piece in upload:
            found.update(piece)
        return [upload.size, found.hexdigest()]

    def take_form(body):
        return {key: _digest(value) if isinstance(value, relay.Upload) else value for key, value in body.items() if key != "files"}

    def take_raw(body: relay.Upload):
        with tempfile.TemporaryDirectory(dir=tempfile.gettempdir()) as folder:
            return [*_digest(body), body.save_to(Path(folder, "saved")).stat().st_size]
"""

FORM_HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)
FORM_END = b"\r\n--b--\r\n"
MULTIPART = ("Content-Type", "multipart/form-data; boundary=b")
VIDEO = ("Content-Type", "video/mp4")


@contextmanager
def taking_files(folder: Path, limit: str = "20 GB", **variables: str) -> Iterator[Service]:
    """Serve the operations with a limit; `folder / "temporary"` is its folder of temporary files."""
    (folder / "temporary").mkdir()
    (folder / "api.json").write_bytes(orjson.dumps(DOCUMENT))
    package = write_package(folder, things=THINGS)
    (folder / "pyproject.toml").write_text(
        f'[tool.relay]\nspec = "api.json"\nhandlers = "{package}"\nhandler-seconds = 0\n'
        f'[tool.relay.limits]\ntake_form = "{limit}"\ntake_raw = "{limit}"\n',
        "utf-8",
    )
    with serving(folder, TMPDIR=str(folder / "temporary"), **variables) as service:
        yield service


def send_raw(service: Service, size: int) -> Answer:
    """Send a body of so many bytes."""
    return _send(service, "/raw", VIDEO, b"", size, b"")


def send_form(service: Service, size: int) -> Answer:
    """Send a form with a file of so many bytes."""
    return _send(service, "/form", MULTIPART, FORM_HEAD, size, FORM_END)


def digest(size: int) -> list[object]:
    """Return what the service answers to a file of so many bytes."""
    found = hashlib.sha256()
    for piece in _pieces(size):
        found.update(piece)
    return [size, found.hexdigest()]


def _send(service: Service, path: str, typed: tuple[str, str], start: bytes, size: int, end: bytes) -> Answer:
    length = ("Content-Length", str(len(start) + size + len(end)))
    with connect(service.url, 600) as connection:
        connection.sendall(request("POST", path, None, typed, length) + start)
        for piece in _pieces(size):
            connection.sendall(piece)
        connection.sendall(end)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    (answer,), _ = answers(received)
    return answer


def _pieces(size: int) -> Iterator[bytes]:
    """Yield bytes with many line ends and hyphens, which a parser of forms has to look at."""
    piece = (b"\r\n--a" + bytes(range(251))) * (PIECE // 256)
    for start in range(0, size, PIECE):
        yield piece[: min(PIECE, size - start)]


def soak(folder: Path, gigabytes: float) -> list[str]:
    """Send a body and a form of that size, and return what is wrong."""
    size, wrong = int(gigabytes * 1e9), []
    right = digest(size)
    with taking_files(folder, "1000 GB") as service:
        for send, expected in ((send_raw, [*right, size]), (send_form, {"note": "x", "file": right})):
            answer = send(service, size)
            peak = Measured.of(service.process.pid).peak
            sys.stdout.write(f"{send.__name__}: {gigabytes:g} GB, at most {peak:.0f} MiB\n")
            if json.loads(answer.body) != expected:
                wrong.append(f"{send.__name__}: answered {answer.status} {answer.body[:200]!r}")
            if peak > MAX_MEMORY:
                wrong.append(f"{send.__name__}: {peak:.0f} MiB; up to {MAX_MEMORY:.0f} are allowed")
        return wrong + [f"kept {file}" for file in (folder / "temporary").iterdir()]
