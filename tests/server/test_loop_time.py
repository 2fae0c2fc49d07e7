"""No request holds up the others for long: what one of 64 KiB costs, measured against a quiet one."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest

from relay import Settings, create_app
from support.hosting import SECRET, bearer, contract, operation
from support.streaming import served
from support.targets import GARAGE
from support.wire import request

pytestmark = pytest.mark.slow

LARGE = 64_000  # bytes, of the body limit or of a head
MOST = 100
"""How many quiet requests one may cost. A quiet one takes 0.1 to 0.2 ms here, client included."""

TREE = {"oneOf": [{"$ref": "#/components/schemas/Node"}, {"$ref": "#/components/schemas/Other"}]}
CHILDREN = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
SCHEMAS = {
    "Tree": TREE,
    "Node": {"type": "object", "required": ["children"], "properties": {"children": CHILDREN}},
    "Other": {"type": "object", "required": ["children", "name"], "properties": {"name": {"type": "string"}, "children": CHILDREN}},
    "Many": {
        "type": "object",
        "required": [f"field{number}" for number in range(50)],
        "properties": {"numbers": {"type": "array", "items": {"type": "integer"}}},
    },
}  # fmt: skip
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"anyOf": [TREE, {"$ref": "#/components/schemas/Many"}]}},
        "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/Many"}},
        "multipart/form-data": {"schema": {"$ref": "#/components/schemas/Many"}},
    },
}
TEXT = {"type": "string"}
VARIABLES = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in ("from", "to")]
QUIET = request("GET", "/livez")
RECURSIVE = contract(
    {
        "/trees": {"post": operation("grow", requestBody=BODY)},
        "/reports/{from}-{to}.csv": {"get": operation("report", parameters=VARIABLES)},
    },
    components={"schemas": SCHEMAS},
)
THINGS = """
    async def grow(body): return None
    async def report(**_): return None
"""


@asynccontextmanager
async def asking(application, port):
    """Serve an application in this process; yield a function that sends bytes and waits for the end."""

    async def ask(sent):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(60):
                writer.write(sent)
                return await reader.read()
        finally:
            writer.close()

    async with served(application, port):
        yield ask


async def cost(ask, sent, times=3):
    taken = []
    for _ in range(times):
        started = time.process_time()
        await ask(sent)
        taken.append(time.process_time() - started)
    return min(taken)


def bodies():
    """Yield large bodies by name: each was, or could be, costly to parse, to validate or to explain."""
    deep = {}
    for _ in range(30):
        deep = {"children": [deep]}
    wide = {"children": [{"children": [{}] * 40}] * 40}
    as_json = {
        "deep": deep,
        "many deep": {"children": [deep] * 120},
        "wide": wide,
        "wrong numbers": {"numbers": ["a"] * 15_000},
        "one wrong number": {"numbers": [1] * 30_000 + ["a"]},
        "missing fields next to a long array": {"numbers": [1] * 30_000},
        "unknown fields": {f"k{number}": number for number in range(5_000)},
        "a long text": "a" * LARGE,
        "long integers": [10**90] * 600,
    }
    for name, value in as_json.items():
        yield name, "application/json", json.dumps(value, separators=(",", ":")).encode()[:LARGE]
    yield "no JSON", "application/json", b"[" * LARGE
    yield "many fields of a form", "application/x-www-form-urlencoded", b"a=1&" * 16_000
    yield "one field of a form", "application/x-www-form-urlencoded", b"numbers=" + b"%41" * 21_000
    part = b'--b\r\nContent-Disposition: form-data; name="numbers"\r\n\r\n1\r\n'
    yield "many parts", "multipart/form-data; boundary=b", part * (LARGE // len(part)) + b"--b--\r\n"
    yield "half a boundary", "multipart/form-data; boundary=b", part + b"\r\n--" * 16_000 + b"\r\n--b--\r\n"


def posted(path):
    """Yield the requests with large bodies by name."""
    for name, media_type, body in bodies():
        typed = ("Content-Type", media_type)
        yield name, request("POST", path, body, typed, *bearer({"sub": "u"}).items())


def heads(path):
    fields = {
        "semicolons": ("Content-Type", "application/json" + ";" * 31_000),
        "an open quote": ("Content-Type", 'application/json;a="' + ";" * 31_000),
        "cookies": ("Cookie", "a=b;" * 7_800),
        "preferences": ("Prefer", 'a="' + "\\," * 15_000),
        "a token": ("Authorization", "Bearer " + "a." * 15_000),
        "entity tags": ("If-None-Match", '"a",' * 7_800),
    }
    signed = [*bearer({"sub": "u"}).items()]
    for name, field in fields.items():
        yield name, request("POST", path, b"{}", field, *([] if name == "a token" else signed))
    yield "short fields", request("GET", path, None, *[("a", "")] * 15_000)
    for piece in ("-", "%2D", "/", ".", "%C3%A9"):
        yield f"a path of {piece}", request("GET", f"/reports/{piece * (31_000 // len(piece))}", None)
    trailers = b"2\r\n{}\r\n0\r\n" + b"a:\r\n" * 15_000 + b"\r\n"
    chunks = b"1\r\n \r\n" * 10_000 + b"0\r\n\r\n"
    for name, body in {"trailers": trailers, "chunks": chunks}.items():
        yield name, request("POST", path, body, ("Transfer-Encoding", "chunked"))


@pytest.fixture
def recursive(hosting):
    """A service with a recursive contract, and with a path of two variables in a segment."""
    return hosting(RECURSIVE, things=THINGS), "/trees"


@pytest.fixture
def garage():
    settings = Settings(spec=GARAGE, handlers="tests.specs.garage", jwt_secret=SECRET)
    return create_app(settings=settings), "/garage/v1/vehicles"


@pytest.mark.parametrize("target", ["recursive", "garage"])
@pytest.mark.usefixtures("logs_as_before")
async def test_no_request_costs_much_more_than_a_quiet_one(target, request, unused_tcp_port):
    """With and without a token; the ratio, because machines differ."""
    application, path = request.getfixturevalue(target)
    async with asking(application, unused_tcp_port) as ask:
        quiet = min([await cost(ask, QUIET, times=1) for _ in range(50)])
        costs = {name: await cost(ask, sent) / quiet for name, sent in [*posted(path), *heads(path)]}
    assert {name: round(ratio) for name, ratio in costs.items() if ratio > MOST} == {}
