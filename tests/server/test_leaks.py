"""Secrets are planted wherever one can be, everything is asked and made to fail, and nothing may come out.

What is searched: answers with their headers, logs at the lowest level, metrics, what commands print, argument
lists, reprs and the files of the database, for each secret as it is, and escaped for JSON and URLs, in base64
and in hexadecimal.
"""

import base64
import json
import secrets
import socket
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import orjson
import pytest

from handlers._collaborators import opened_store
from handlers._settings import Settings
from handlers._store import open_store
from relay import create_app
from relay.contract.diagnostics import SetupError
from relay.contract_tests.secret_spellings import Spellings
from support.commands import commands
from support.hosting import contract, operation, token, write_package
from support.running import as_project, serving
from support.wire import connect

ORGANIZATION = "64f0a1b2c3d4e5f6a7b8c000"
USER = "64f0a1b2c3d4e5f6a7b8c9d1"
PATH = "/api/calls/voice-ai/config"
SECRET_FIELDS = "elevenlabsApiKey elevenlabsToolSecret webhookSecret sinchEstKeyId sinchEstKeySecret".split()


class Planted:
    """Secrets of one test; each has characters that every way of writing writes differently."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def new(self, what: str, escaped: str = '/+é"&') -> str:
        self.all.append(f"canary-{what}-{escaped}{secrets.token_hex(8)}")
        return self.all[-1]

    def keep(self, secret: str) -> str:
        self.all.append(secret)
        return secret

    def assert_not_in(self, where: str, data: bytes) -> None:
        """Expect no spelling of any secret in some bytes, and name the one there is."""
        for secret in self.all:
            assert not Spellings([secret]).are_in(data), f"{secret!r} is in {where}"


@pytest.fixture
def planted() -> Planted:
    return Planted()


def everything(response: httpx.Response) -> bytes:
    head = "".join(f"{name}: {value}\n" for name, value in response.headers.multi_items())
    return f"{response.status_code} {response.reason_phrase}\n{head}".encode() + response.content


def spoken(url: str, raw: bytes) -> bytes:
    """The answer to bytes that no library would send."""
    with connect(url) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_the_secrets_are_found_where_they_are(planted):
    """A search that finds nothing would pass for ever."""
    secret = planted.new("any")

    for spelled in (
        secret.encode(),
        json.dumps(secret).encode(),
        quote(secret).encode(),
        base64.b64encode(b"a" + secret.encode()),
        secret.encode().hex().encode(),
    ):
        with pytest.raises(AssertionError, match="is in here"):
            planted.assert_not_in("here", b"x" + spelled + b"y")


@pytest.fixture
def run(tmp_path):
    with commands(as_project(tmp_path)) as run:
        yield run


@pytest.fixture
def loaded(tmp_path, run, planted):
    """The settings of a service whose every secret is known to the test; its records are loaded."""
    key = secrets.token_bytes(32)
    planted.keep(key.hex())
    variables = {
        "RELAY_STORE": f"sqlite:///{tmp_path}/relay.db",
        "RELAY_JWT_SECRET": planted.new("jwt-secret-of-32-bytes"),
        "RELAY_KEYRING": planted.keep(f"first:{base64.b64encode(key).decode()}"),
        "RELAY_LOG_LEVEL": "debug",
    }
    credentials = {"organizationId": ORGANIZATION, **{field: planted.new(field) for field in SECRET_FIELDS}}
    records = {
        "organizations": [{"_id": ORGANIZATION}],
        "users": [{"_id": USER, "organizationId": ORGANIZATION, "accessRole": "SALES_REP"}],
        "credentials": [credentials],
    }
    (tmp_path / "records.json").write_bytes(orjson.dumps(records))
    done = run("load", "records.json", **variables)
    assert done.exit_code == 0, done.output
    planted.assert_not_in("what load prints", done.output_bytes)
    return variables


def hostile_requests(planted, good):
    other = planted.new("other-key-of-32-bytes-or-more")
    forged = planted.keep(token({"userId": planted.new("user")}, other))
    headers = {"Authorization": f"Bearer {good}"}
    plain = planted.new("plain", "")
    yield "GET", PATH, headers
    yield "GET", f"{PATH}?access_token={plain}", headers
    yield "GET", PATH, {**headers, "Cookie": f"session={plain}", "X-Api-Key": plain, "User-Agent": plain}
    yield "GET", PATH, {"Authorization": f"Bearer {forged}"}
    yield "GET", PATH, {"Authorization": f"Bearer {plain}"}
    yield "GET", PATH, {"Authorization": f"Bearer {good}x"}
    yield "GET", PATH, {"Authorization": f"Basic {plain}"}
    yield "GET", PATH, {"Authorization": f"Bearer {plain} {plain}"}
    yield "GET", PATH, {"X-Request-ID": f"{plain}<"}
    yield "DELETE", f"{PATH}?key={plain}", headers
    yield "GET", f"/nope?key={plain}", headers
    yield "GET", f"{PATH}/?key={plain}", {**headers, "Host": f"{plain},"}
    yield "GET", PATH, {**headers, "X-Long": plain * 2000}
    for path in "/livez /readyz /metrics /openapi.json /openapi.yaml /docs /docs/start.js".split():
        yield "GET", f"{path}?key={plain}", {"If-None-Match": plain, **headers}


@pytest.mark.slow
def test_our_own_service_keeps_every_secret(tmp_path, loaded, planted):
    """Its keys, what is stored, what callers show, in all that it answers, logs, counts and writes to the disk."""
    good = planted.keep(token({"userId": USER}, loaded["RELAY_JWT_SECRET"]))
    with serving(tmp_path, **loaded) as service, httpx.Client(base_url=service.url) as client:
        for method, path, headers in hostile_requests(planted, good):
            raw = {name: value.encode("latin-1", "replace") for name, value in headers.items()}
            planted.assert_not_in(f"{method} {path}", everything(client.request(method, path, headers=raw)))
        plain = planted.new("raw", "").encode()
        for raw in (
            b"%s\r\n\r\n" % plain,
            b"GET /%s HTTP/9\r\n\r\n" % plain,
            b"GET / HTTP/1.1\r\n%s\r\n\r\n" % plain,
        ):
            planted.assert_not_in("an answer to no HTTP", spoken(service.url, raw))
        arguments = Path(f"/proc/{service.process.pid}/cmdline").read_bytes()
        found = client.get(PATH, headers={"Authorization": f"Bearer {good}"}).json()

    assert (found["hasApiKey"], found["hasToolSecret"]) == (True, True)
    log = (tmp_path / "stderr.log").read_bytes()
    assert log.count(b'"request_id"') > 20
    planted.assert_not_in("the log", log)
    planted.assert_not_in("what serve prints", "\n".join(service.printed).encode())
    planted.assert_not_in("the argument list", arguments)
    files = sorted(tmp_path.glob("relay.db*"))
    assert files
    for file in files:
        planted.assert_not_in(file.name, file.read_bytes())


COMMANDS = [
    ("check", "--format", "json"),
    ("keys", "status", "--format", "json"),
    ("keys", "encrypt"),
    ("keys", "rotate", "--dry-run"),
    ("token", "--claim", f"userId={USER}"),
]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_keep_every_secret(run, loaded, planted, command):
    """Their output goes into terminals, tickets and the logs of pipelines."""
    done = run(*command, **loaded, RELAY_PORT="0")
    assert done.exit_code == 0, done.output
    assert done.stdout
    planted.assert_not_in("what is printed", done.output_bytes)


THINGS = """
import asyncio
import contextlib
import io
from email.message import Message
from urllib.error import HTTPError
from urllib.parse import quote

import httpx
from connexion.exceptions import ProblemException
from starlette.exceptions import HTTPException

class Upstream(Exception):
    def __init__(self, **carried):
        super().__init__(*carried.values())
        vars(self).update(carried)
        self.add_note(str(carried))

class Refused(Exception):
    status, code, message = 409, "REFUSED", "It is refused"

async def take(body=None, limit=None, x_key=None, session=None, filter=None):
    return {"ok": True}

async def fail_twice(body):
    try:
        {}[body["secret"]]
    except KeyError as exc:
        raise ValueError(body["secret"]) from exc

async def violate(body):
    return {"ok": body["secret"]}

async def violate_with_a_header(body):
    return {"ok": True}, 200, {"X-A": body["secret"] + chr(10)}

async def answer_otherwise(body):
    return {"ok": body["secret"]}, 418

async def forget(body):
    asyncio.create_task(fail(body))
    await asyncio.sleep(0.01)
    return {"ok": True}

async def repeat_urllib(body):
    headers = Message()
    headers["Set-Cookie"] = quote(body["secret"])
    raise HTTPError("http://upstream/?" + body["secret"], 403, body["secret"], headers, io.BytesIO(body["secret"].encode()))

async def repeat_httpx(body):
    secret = body["secret"]
    request = httpx.Request("GET", "http://upstream", headers={"Authorization": quote(secret)})
    response = httpx.Response(403, headers={"Set-Cookie": quote(secret)}, text=secret, request=request)
    response.raise_for_status()

async def repeat_as_cause(body):
    try:
        await repeat_httpx(body)
    except httpx.HTTPStatusError as exc:
        raise Refused from exc

async def sign_in(caller):
    return {"ok": True}
"""
RAISED = {
    "fail": 'RuntimeError(f"cannot work with {body}")',
    "exit": "SystemExit(secret)",
    "wait": "NotImplementedError(secret)",
    "refuse": "Refused(secret)",
    "repeat_attributes": """Upstream(
        status=403, code="A", message=secret, headers={"Set-Cookie": secret}, body=secret, response=secret,
        failures=[secret], detail=secret, reason=secret,
    )""",
    "repeat_starlette": 'HTTPException(403, secret, {"Set-Cookie": quote(secret)})',
    "repeat_connexion": 'ProblemException(status=403, title=secret, detail=secret, headers={"X-A": quote(secret)})',
    "repeat_many": 'ExceptionGroup(secret, [Upstream(headers={"Set-Cookie": secret}), ValueError(secret)])',
}
"""The exceptions that handlers of these names raise."""

INIT = """
import os
from contextlib import asynccontextmanager

class Database:
    async def ready(self):
        raise ConnectionError(os.environ["CANARY"])

@asynccontextmanager
async def collaborators(settings):
    yield {"database": Database()}

async def identify(claims):
    raise PermissionError(f"there is no user {claims}")

async def check(credential):
    if credential.startswith("canary-known"):
        return {"key": credential}
    raise LookupError(f"no such key: {credential}")

verifiers = {"key": check}
"""


def failing_contract():
    """Operations that take what they are given and fail in their own ways."""
    ok = {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}
    answers = {"200": {"description": "ok", "content": {"application/json": {"schema": ok}}}}
    fields = {
        "secret": {"type": "string"},
        "count": {"type": "integer"},
        "kind": {"enum": ["a"]},
        "mail": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3},
    }
    strict = {"type": "object", "properties": fields}
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    body = {"required": True, "content": {kind: {"schema": strict} for kind in kinds}}
    names = "fail_twice violate violate_with_a_header answer_otherwise forget repeat_urllib repeat_httpx repeat_as_cause"
    names = [*RAISED, *names.split()]
    paths = {f"/{name}": {"post": operation(name, responses=answers, requestBody=body)} for name in names}
    integer = {"type": "integer"}
    nested = {"style": "deepObject", "schema": {"type": "object", "properties": {"a": integer}}}
    parameters = [
        {"name": "limit", "in": "query", "schema": integer},
        {"name": "X-Key", "in": "header", "schema": integer},
        {"name": "session", "in": "cookie", "schema": integer},
        {"name": "filter", "in": "query", **nested},
    ]
    taking = {"requestBody": {**body, "required": False}, "parameters": parameters}
    paths["/take"] = {"post": operation("take", responses=answers, **taking)}
    paths["/sign_in"] = {"get": operation("sign_in", responses=answers, security=[{"key": []}])}
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}}
    return names, contract(paths, components={"securitySchemes": schemes})


def bodies(secret):
    """Bodies with a secret in them that break the contract, or are no bodies at all."""
    text = json.dumps(secret)
    part = (
        f'--b\r\nContent-Disposition: form-data; name="count"; filename={text}\r\n\r\n{secret}\r\n--b--\r\n'
    )
    as_json = "application/json"
    yield as_json, f"{{{text}"
    yield as_json, f'{{"count": {text}, "kind": {text}, "mail": {text}}}'
    yield as_json, f'[{text}, "\\ud800"]'
    yield as_json, f"{{{text}: 1, {text}: 2}}"
    yield as_json, f'{{"secret": {text}, "count": NaN}}'
    yield as_json, f"{text}{'[' * 300}"
    yield f"{as_json}; charset={quote(secret)}", text
    yield f"text/{quote(secret, safe='')}", text
    yield "application/x-www-form-urlencoded", f"count={quote(secret)}&kind={quote(secret)}"
    yield "application/x-www-form-urlencoded", f"{quote(secret)}=%zz"
    yield "multipart/form-data; boundary=b", part
    yield "multipart/form-data; boundary=b", part[:-9]
    yield "multipart/form-data", part


@pytest.mark.slow
def test_failures_keep_what_they_were_given(tmp_path, planted):
    """Handlers, verifiers and collaborators whose errors quote everything; bodies and parameters of every kind."""
    names, document = failing_contract()
    (tmp_path / "api.json").write_bytes(orjson.dumps(document))
    raising = "async def {}(body):\n    secret = body['secret']\n    raise {}\n\n"
    things = THINGS + "".join(raising.format(*one) for one in RAISED.items())
    package = write_package(tmp_path, init=INIT, things=things)
    variables = {"CANARY": planted.new("collaborator"), "RELAY_LOG_LEVEL": "debug"}
    secret, plain = planted.new("body"), planted.new("plain", "")
    statuses = set()

    with (
        serving(tmp_path, "--spec", "api.json", "--handlers", package, **variables) as service,
        httpx.Client(base_url=service.url) as client,
    ):

        def ask(method, path, **rest):
            response = client.request(method, path, **rest)
            planted.assert_not_in(f"{method} {path}", everything(response))
            statuses.add(response.status_code)

        for name in names:
            ask("POST", f"/{name}", json={"secret": secret})
        for media_type, body in bodies(secret):
            ask("POST", "/take", content=body.encode(), headers={"Content-Type": media_type})
        for query in (
            f"limit={plain}",
            f"filter[a]={plain}",
            f"filter[a][{plain}]=1",
            f"limit=1&limit={plain}",
        ):
            ask("POST", f"/take?{query}")
        ask("POST", "/take", headers={"X-Key": plain, "Cookie": f"session={plain}"})
        encoded = {"Content-Encoding": plain, "Content-Type": "application/json"}
        ask("POST", "/take", headers=encoded, content=b"1")
        ask("GET", "/sign_in", headers={"X-Api-Key": plain})
        ask("GET", "/sign_in", headers={"X-Api-Key": planted.new("known", "")})
        ask("GET", "/readyz")
        ask("GET", "/metrics")

    assert statuses == {200, 400, 415, 500, 501, 503}
    log = (tmp_path / "stderr.log").read_bytes()
    assert b"Task exception was never retrieved" in log
    assert b'"class":"builtins.RuntimeError"' in log
    planted.assert_not_in("the log", log)


MISTAKES = [
    ("RELAY_JWT_SECRET", "{}"),
    ("RELAY_JWT_SECRET", "-----BEGIN PUBLIC KEY-----{}"),
    ("RELAY_JWT_PUBLIC_KEY", "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----"),
    ("RELAY_JWT_PUBLIC_KEY", "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----"),
    ("RELAY_JWT_JWKS", "http://user:{}@issuer.example/keys"),
    ("RELAY_JWT_JWKS", '{{"keys": [{{"kty": "oct", "k": "{}"}}]}}'),
    ("RELAY_STORE", "mongodb://user:{}@127.0.0.1:1/relay?nonsense=1"),
    ("RELAY_STORE", "mongodb://user:{}@127.0.0.1:1"),
    ("RELAY_STORE", "postgres://user:{}@127.0.0.1/relay"),
    ("RELAY_KEYRING", "first:{}"),
    ("RELAY_KEYRING", "{}"),
    ("RELAY_KEYRING", "a b:{}"),
    ("RELAY_PORT", "{}"),
    ("RELAY_MAX_IN_FLIGHT", "{}"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), MISTAKES)
@pytest.mark.parametrize("is_file", [False, True], ids=["variable", "file"])
async def test_a_set_up_that_is_wrong_is_reported_without_its_secrets(
    tmp_path, monkeypatch, planted, name, value, is_file
):
    """Which setting, and which rule; also where it came out of a file."""
    wrong = value.format(planted.new("set", ""))
    monkeypatch.chdir(as_project(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path])  # the project's folder becomes importable
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path))
    if not name.startswith("RELAY_JWT"):
        monkeypatch.setenv("RELAY_JWT_SECRET", "s" * 32)
    if is_file:
        (tmp_path / name.lower()).write_text(wrong, "utf-8")
    else:
        monkeypatch.setenv(name, wrong)

    with pytest.raises(SetupError) as trouble:
        async with create_app(settings=Settings.load()).running():
            pytest.fail("it started")

    assert name in str(trouble.value)
    planted.assert_not_in("the error", f"{trouble.value}{trouble.value!r}".encode())


async def test_no_object_shows_a_secret(tmp_path, planted):
    """A debugger, a failed test or a logged argument would print it; drivers keep a password in their options."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    settings = Settings(
        store=f"sqlite:///{tmp_path}/relay.db",
        jwt_secret=planted.new("jwt-secret-of-32-bytes"),
        keyring=f"first:{planted.keep(key)}",
    )
    application = create_app(settings=settings)
    jwks = f"https://me:{planted.new('user', '')}@id.example"
    url = f"mongodb://user:{planted.new('password', '')}@127.0.0.1:1/relay"

    others = Settings(store=url, jwt_jwks=jwks)

    async with opened_store(settings) as store, open_store(url) as mongo:
        stores = (store, vars(store), mongo)
        for shown in (settings, vars(settings), others, vars(others), application, application.jwt, *stores):
            planted.assert_not_in(type(shown).__name__, f"{shown!r}{shown!s}".encode())
