"""Contract + package → service: `compilation.py`, `app.py`, `pipeline.py`, `guard.py` and the stages of `scripts/relay/server`."""

from __future__ import annotations

import asyncio
import logging

import pytest

from relay.contract.diagnostics import SetupError
from relay.server import bodies, sending
from support.hosting import assert_problem, bearer, calling, contract, host, logged, operation

THING = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
NOT_FOUND = {"description": "gone", "content": {"application/problem+json": {"schema": {}}}}


def answering(schema, **responses):
    """An operation `show` whose 200 is JSON of a schema."""
    ok = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    return contract({"/thing": {"get": operation("show", responses={"200": ok, **responses})}})


@pytest.fixture
def hosted(tmp_path, monkeypatch):
    """Host a contract with a package."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda document, **rest: host(tmp_path, document, **rest)


@pytest.fixture
def get(hosted):
    """Host a contract whose `show` is `things`, and GET a path of it."""

    async def get(document, things, path="/thing", *, init="", headers=None):
        async with calling(hosted(document, things=things, init=init)) as client:
            return await client.get(path, headers=headers)

    return get


async def test_serves_what_conforms(get):
    """The whole way of a request."""
    response = await get(answering(THING), "async def show():\n    return {'name': 'a', 'more': 1}\n")

    assert response.status_code == 200
    assert response.content == b'{"name":"a","more":1}'
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("definition", ["async def", "def"])
async def test_answers_that_a_stub_is_not_implemented(get, caplog, definition):
    """A service can be served from the day its contract is written; what is missing is no defect."""
    response = await get(answering(THING), f"{definition} show():\n    raise NotImplementedError\n")

    assert_problem(response, 501, "NOT_IMPLEMENTED")
    [line] = logged(caplog, "failed")
    assert (line.code, line.exc_info) == ("NOT_IMPLEMENTED", None)


async def test_tells_a_response_violation_to_the_log_only(get, caplog):
    """Path and rule, for whoever can mend it; the value, a secret perhaps, goes nowhere."""
    response = await get(answering(THING), "async def show():\n    return {'name': ['sk_canary']}\n")

    problem = assert_problem(response, 500, "INTERNAL_ERROR")
    assert problem["detail"] == "The service failed to answer this request"
    [line] = logged(caplog, "response violation")
    assert (line.method, line.path, line.operation) == ("GET", "/thing", "show")
    assert (line.at, line.rule) == ("/name", "type")
    assert "sk_canary" not in caplog.text + response.text


@pytest.mark.parametrize(
    ("things", "at", "rule", "told"),
    [
        ("return {}, 201", "/", "status", "the contract documents no status 201"),
        (
            "return {}, 200, {'Content-Type': 'text/html'}",
            "/",
            "content",
            "the contract documents no body of text/html",
        ),
        (
            "return {'name': object()}",
            "/name",
            "type",
            "a value of the type object cannot be written as JSON",
        ),
        ("return None", "/", "type", ""),
    ],
)
async def test_refuses_to_send_what_the_contract_does_not_know(get, caplog, things, at, rule, told):
    """Undocumented statuses and media types pass through Connexion; here they do not."""
    response = await get(answering(THING), f"async def show():\n    {things}\n")

    assert_problem(response, 500, "INTERNAL_ERROR")
    [line] = logged(caplog, "response violation")
    assert (line.at, line.rule) == (at, rule)
    assert told in line.problem


async def test_refuses_to_send_without_a_required_header(get, caplog):
    """A documented header is a promise too."""
    created = {
        "description": "made",
        "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
    }

    response = await get(answering({}, **{"201": created}), "async def show():\n    return None, 201, {}\n")

    assert_problem(response, 500, "INTERNAL_ERROR")
    [line] = logged(caplog, "response violation")
    assert (line.at, line.rule) == ("/Location", "required")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "50"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"},
        {"bad\r\nname": "x"},
        {"X-A": "a\r\nX-B: b"},
        {"X-A": [["a"]]},
        {"X-A": ["a", "a\r\nX-B: b"]},
    ],
)
async def test_refuses_headers_that_break_the_framing(get, headers):
    """Behind a proxy, one answer could be read as two."""
    response = await get(answering(THING), f"async def show():\n    return {{'name': 'a'}}, 200, {headers}\n")

    assert_problem(response, 500, "INTERNAL_ERROR")


@pytest.mark.parametrize(
    ("things", "status", "body"),
    [
        ("return {'name': 1}", 200, b'{"name":1}'),
        ("return {'name': 'a'}, 201", 201, b'{"name":"a"}'),
        ("return '<p>', 200, {'Content-Type': 'text/html'}", 200, b"<p>"),
        ("return None, 204", 204, b""),
    ],
)
async def test_lets_a_breach_pass_where_it_is_only_reported(hosted, caplog, things, status, body):
    """A service that is brought under its contract answers as it always did, and its log says what is left to do."""
    application = hosted(
        answering(THING),
        settings={"response_violations": "report"},
        things=f"async def show():\n    {things}\n",
    )

    async with calling(application) as client:
        response = await client.get("/thing")

    assert (response.status_code, response.content) == (status, body)
    assert logged(caplog, "response violation")


async def test_reports_an_error_that_the_contract_does_not_know(hosted, caplog):
    """It goes out as its class says."""
    things = """
        class Taken(Exception):
            status, code, message = 409, "TAKEN", "It is taken"

        async def show():
            raise Taken
    """
    application = hosted(answering(THING), settings={"response_violations": "report"}, things=things)

    async with calling(application) as client:
        assert_problem(await client.get("/thing"), 409, "TAKEN")

    assert logged(caplog, "response violation")


@pytest.mark.parametrize("things", ["return object()", "return {}, 200, {'X-A': 'a\\r\\nX-B: b'}"])
async def test_never_sends_what_cannot_be_written(hosted, things):
    """Whatever the policy, an answer is one answer."""
    application = hosted(
        answering(THING),
        settings={"response_violations": "report"},
        things=f"async def show():\n    {things}\n",
    )

    async with calling(application) as client:
        assert_problem(await client.get("/thing"), 500, "INTERNAL_ERROR")


async def test_takes_as_many_requests_as_it_can_answer(hosted):
    """One more is told to come back, at once; whether the service lives can be asked all the same."""
    things = """
        import asyncio

        async def show(gate):
            await gate.wait()
            return {"name": "a"}
    """
    init = """
        import asyncio
        from contextlib import asynccontextmanager

        gate = asyncio.Event()

        @asynccontextmanager
        async def collaborators(settings):
            yield {"gate": gate}
    """
    application = hosted(answering(THING), settings={"max_in_flight": 2}, things=things, init=init)

    async with calling(application) as client:
        waiting = [asyncio.create_task(client.get("/thing")) for _ in range(2)]
        while "relay_requests_in_flight 2.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110 -- the service tells nobody
            await asyncio.sleep(0.01)
        refused = await client.get("/thing")
        health = await client.get("/livez")
        application.package.gate.set()
        answered = [(await one).status_code for one in waiting]
        again = await client.get("/thing")

    assert_problem(refused, 503, "OVERLOADED")
    assert refused.headers["retry-after"] == "1"
    assert health.status_code == 200
    assert answered == [200, 200]
    assert again.status_code == 200


@pytest.mark.parametrize("failure", ["SystemExit", "KeyboardInterrupt", "asyncio.CancelledError"])
async def test_answers_whatever_is_raised(get, failure):
    """Nothing raised behind the edge reaches the server."""
    things = f"import asyncio\n\nasync def show():\n    raise {failure}\n"

    assert_problem(await get(answering(THING), things), 500, "INTERNAL_ERROR")


@pytest.mark.parametrize(
    "hosts", [["a", "b"], [""], ["a,b"], ["a b"], ["user@a"], ["a/b"], ["a:x"], ["[::1"]]
)
async def test_wants_exactly_one_host(get, hosts):
    """A proxy and the service could otherwise mean two (RFC 9112 section 3.2)."""
    things = "async def show():\n    return {'name': 'a'}\n"

    response = await get(answering(THING), things, headers=[("Host", host) for host in hosts])

    assert_problem(response, 400, "AMBIGUOUS_HOST")


@pytest.mark.parametrize("host", ["a", "a.example:2212", "127.0.0.1:80", "[::1]:2212", "xn--a-ecp.test"])
async def test_takes_every_kind_of_host(get, host):
    """Names, numbers and ports."""
    things = "async def show():\n    return {'name': 'a'}\n"

    assert (await get(answering(THING), things, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("headers", [[("X-A", "a" * 40_000)], [("X-A", "a")] * 101])
async def test_refuses_headers_without_end(get, headers):
    """By size and by number; uvicorn takes any."""
    response = await get(answering(THING), "async def show(): ...\n", headers=headers)

    assert_problem(response, 431, "HEADERS_TOO_LARGE")


@pytest.mark.parametrize("target", ["/" + "a" * 40_000, "/thing?" + "a" * 40_000])
async def test_refuses_an_address_without_end(get, target):
    """Paths go through the contract's templates, and into the log."""
    response = await get(answering(THING), "async def show(): ...\n", target)

    assert_problem(response, 431, "HEADERS_TOO_LARGE")


async def test_does_not_wait_for_a_body_for_ever(hosted, monkeypatch):
    """One byte and then nothing holds no place."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    body = {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
    application = hosted(
        contract({"/a": {"post": operation("add", requestBody=body)}}), things="async def add(body): ...\n"
    )

    async def slow():
        yield b"1"
        await asyncio.sleep(60)

    async with calling(application, **{"Content-Type": "text/plain"}) as client:
        response = await asyncio.wait_for(client.post("/a", content=slow()), 5)

    assert_problem(response, 408, "BODY_TOO_SLOW")


BODY = {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
ADDED = "added = []\n\nasync def add(body):\n    added.append(body)\n    return 'x' * 300_000\n"


@pytest.fixture
def adding(hosted):
    """A service that takes text and answers a lot of it, for one request at a time."""
    document = contract(
        {"/a": {"post": operation("add", requestBody=BODY)}, "/thing": {"get": operation("show")}}
    )
    things = f"{ADDED}\nasync def show():\n    return 1\n"
    return hosted(document, things=things, settings={"max_in_flight": 1})


async def posted(application, receive, send):
    """POST as an ASGI server does."""
    headers = [(b"host", b"a"), (b"content-type", b"text/plain")]
    scope = {"type": "http", "method": "POST", "path": "/a", "query_string": b"", "headers": headers}
    await application(scope, receive, send)


async def whole_body():
    """Bring a body."""
    return {"type": "http.request", "body": b"1"}


async def test_a_client_that_is_waited_for_holds_no_place(adding):
    """A few that send slowly would keep everybody out."""
    done = asyncio.Event()
    sent = []

    async def receive():
        await done.wait()
        return await whole_body()

    async def send(message):
        sent.append(message)

    async with calling(adding) as client:
        slow = [asyncio.create_task(posted(adding, receive, send)) for _ in range(3)]
        await asyncio.sleep(0.05)
        meanwhile = await client.get("/thing")
        done.set()
        await asyncio.gather(*slow)

    assert meanwhile.status_code == 200
    assert [one["status"] for one in sent if "status" in one] == [200, 200, 200]


async def test_a_client_that_takes_its_answer_slowly_holds_no_place(adding):
    """Nor is it given more than a piece at once, which the server would have to hold."""
    done = asyncio.Event()
    pieces = []

    async def send(message):
        pieces.append(len(message.get("body", b"")))
        await done.wait()

    async with calling(adding) as client:
        slow = [asyncio.create_task(posted(adding, whole_body, send)) for _ in range(3)]
        await asyncio.sleep(0.05)
        meanwhile = await client.get("/thing")
        done.set()
        await asyncio.gather(*slow)

    assert meanwhile.status_code == 200
    assert max(pieces) == sending.SEND_BYTES
    assert sum(pieces) == 3 * len('"' + "x" * 300_000 + '"')


async def test_whoever_comes_back_from_waiting_needs_a_place(hosted):
    """Bodies that all come at once are as many requests as any others."""
    gate = asyncio.Event()
    things = "async def add(body, gate):\n    await gate.wait()\n    return body\n"
    init = """
        import asyncio
        from contextlib import asynccontextmanager

        gate = asyncio.Event()

        @asynccontextmanager
        async def collaborators(settings):
            yield {"gate": gate}
    """
    document = contract({"/a": {"post": operation("add", requestBody=BODY)}})
    application = hosted(document, things=things, init=init, settings={"max_in_flight": 1})
    statuses = []

    async def receive():
        await gate.wait()
        return await whole_body()

    async def send(message):
        statuses.append(message.get("status"))

    async with calling(application):
        waiting = [asyncio.create_task(posted(application, receive, send)) for _ in range(3)]
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.sleep(0.05)
        application.package.gate.set()
        await asyncio.gather(*waiting)

    assert sorted(filter(None, statuses)) == [200, 503, 503]


async def test_a_body_that_breaks_off_is_not_handled(adding):
    """Half of a text is a text, too."""
    messages = iter(
        [{"type": "http.request", "body": b"pay 1", "more_body": True}, {"type": "http.disconnect"}]
    )
    statuses = []

    async def receive():
        return next(messages)

    async def send(message):
        statuses.append(message.get("status"))

    async with calling(adding):
        await posted(adding, receive, send)

    assert adding.package.things.added == []
    assert statuses[0] == 400


async def test_answers_an_error_that_the_package_raises(get):
    """Status, code and message are data on its class; no base class of ours is needed."""
    things = """
        class Gone(Exception):
            status, code, message = 404, "THING_GONE", "There is no such thing"

        async def show():
            raise Gone("secret detail")
    """

    response = await get(answering(THING, **{"404": NOT_FOUND}), things)

    assert assert_problem(response, 404, "THING_GONE")["detail"] == "There is no such thing"


async def test_holds_raised_errors_to_the_contract(get, caplog):
    """A 409 that no client can expect is our failure, not theirs."""
    things = """
        class Taken(Exception):
            status, code, message = 409, "TAKEN", "It is taken"

        async def show():
            raise Taken
    """

    response = await get(answering(THING), things)

    assert_problem(response, 500, "INTERNAL_ERROR")
    [line] = logged(caplog, "response violation")
    assert line.problem == "the contract documents no status 409"


async def test_hides_an_unexpected_failure(get, caplog):
    """The traceback is for the log."""
    response = await get(answering(THING), "async def show():\n    raise RuntimeError('sk_canary')\n")

    assert_problem(response, 500, "INTERNAL_ERROR")
    assert "sk_canary" not in response.text
    [line] = logged(caplog, "unexpected failure")
    assert isinstance(line.exc_info[1], RuntimeError)


async def test_survives_a_broken_renderer(get):
    """The guard's own guard: an answer, however bare, rather than a cut connection."""
    response = await get(
        answering(THING),
        "async def show(): ...\n",
        "/nope",
        init="def render_error(report):\n    raise OSError\n",
    )

    assert (response.status_code, response.content) == (500, b"")


async def test_answers_404_for_a_path_it_does_not_know(get):
    """No redirect for a slash too many: it would be built from the Host header."""
    things = "async def show(): ...\n"

    assert_problem(await get(answering(THING), things, "/nope"), 404, "NOT_FOUND")
    assert_problem(await get(answering(THING), things, "/thing/"), 404, "NOT_FOUND")


async def test_names_every_method_that_a_path_has(hosted):
    """Connexion's Allow names the first route only."""
    paths = {"/a": {"get": operation("one"), "delete": operation("two")}, "/{x}": {"put": operation("three")}}
    paths["/{x}"]["parameters"] = [
        {"name": "x", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    application = hosted(contract(paths), things="def one(): ...\ndef two(): ...\ndef three(x): ...\n")

    async with calling(application) as client:
        response = await client.put("/a")

    assert_problem(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "DELETE, GET, HEAD"


async def test_answers_methods_only_that_the_contract_has(hosted):
    """OPTIONS and TRACE are operations like any other; without one they are 405."""
    application = hosted(answering(THING), things="async def show(): ...\n")

    async with calling(application) as client:
        for method in ("OPTIONS", "TRACE"):
            response = await client.request(method, "/thing")
            assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


async def test_head_is_get_without_a_body(hosted):
    """RFC 9110 section 9.1: every general-purpose server supports GET and HEAD."""
    application = hosted(answering(THING), things="async def show():\n    return {'name': 'a'}\n")

    async with calling(application) as client:
        shown, head = await client.get("/thing"), await client.head("/thing")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(shown.content)) == "12"
    assert head.headers["content-type"] == shown.headers["content-type"]


async def test_the_error_of_head_has_no_body_either(hosted):
    """It is sent for the same reasons as that of GET."""
    application = hosted(answering(THING), things="async def show():\n    raise RuntimeError\n")

    async with calling(application) as client:
        failed = await client.head("/thing")

    assert (failed.status_code, failed.content) == (500, b"")


async def test_an_operation_for_head_is_called_for_it(hosted):
    """A contract may document HEAD next to GET."""
    paths = {"/a": {"get": operation("show"), "head": operation("probe")}}
    application = hosted(
        contract(paths), things="def show():\n    raise RuntimeError\ndef probe():\n    return None\n"
    )

    async with calling(application) as client:
        assert (await client.head("/a")).status_code == 200


async def test_refuses_a_body_over_the_limit(hosted):
    """With or without a Content-Length."""
    body = {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
    document = contract({"/a": {"post": operation("add", requestBody=body)}})
    application = hosted(
        document, settings={"body_limit": 10}, things="async def add(body):\n    return body\n"
    )

    async def chunks():
        for _ in range(3):
            yield b"12345"

    async with calling(application, **{"Content-Type": "text/plain"}) as client:
        assert (await client.post("/a", content=b"1234567890")).json() == "1234567890"
        assert_problem(await client.post("/a", content=b"12345678901"), 413, "BODY_TOO_LARGE")
        assert_problem(await client.post("/a", content=chunks()), 413, "BODY_TOO_LARGE")


async def test_lets_the_contract_go_before_the_hosts_own_paths(hosted):
    """The contract is the only route table; what the host adds gives way."""
    document = contract({"/livez": {"get": operation("show")}})

    async with calling(hosted(document, things="async def show():\n    return 'mine'\n")) as client:
        assert (await client.get("/livez")).json() == "mine"


async def test_gives_every_answer_a_request_id(get):
    """A proxy's own is kept when it is one."""
    things = "async def show():\n    return {'name': 'a'}\n"

    own = await get(answering(THING), things)
    given = await get(answering(THING), things, headers={"X-Request-ID": "abc-123"})
    bad = await get(answering(THING), things, headers={"X-Request-ID": "a b\t<script>"})

    assert len(own.headers["x-request-id"]) == 32
    assert given.headers["x-request-id"] == "abc-123"
    assert len(bad.headers["x-request-id"]) == 32


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id", "X-REQUEST-ID"])
async def test_a_response_has_one_request_id_which_is_the_logs(get, name):
    """A handler's own would be another one, and a client could not report it."""
    things = f"async def show():\n    return {{'name': 'a'}}, 200, {{'{name}': 'mine', 'X-Other': 'kept'}}\n"

    response = await get(answering(THING), things, headers={"X-Request-ID": "abc-123"})

    assert response.headers.get_list("x-request-id") == ["abc-123"]
    assert response.headers["x-other"] == "kept"


async def test_never_logs_a_query_string(get, requests_told, caplog):
    """Query strings hold tokens of other systems."""
    caplog.set_level(logging.DEBUG)

    await get(answering(THING), "async def show():\n    return 1\n", "/thing?token=sk_canary")

    [line] = requests_told()
    assert line["path"] == "/thing"
    told = [record for record in caplog.records if record.name.startswith("relay")]
    assert "sk_canary" not in "".join(str(vars(record)) for record in told) + str(line)


def test_tells_everything_that_is_wrong_at_once(tmp_path, monkeypatch):
    """Contract, package and settings: one start, one list."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    paths = {
        "/a": {"get": operation("one", security=[{"key": []}])},
        "/b": {"get": operation("two", security=[{"token": []}])},
    }

    with pytest.raises(SetupError) as raised:
        host(
            tmp_path,
            contract(paths, components={"securitySchemes": schemes}),
            settings={"jwt_secret": None},
            things="async def one(): ...\n",
        )

    found = str(raised.value)
    assert "the security scheme 'key' has no verifier" in found
    assert "RELAY_JWT_SECRET: missing: the contract's security scheme token needs a key" in found
    assert "GET /b has no handler" in found
    assert len(raised.value.problems) == 3


def test_refuses_a_schema_that_cannot_be_compiled(hosted):
    """It would otherwise fail on the first request."""
    with pytest.raises(SetupError, match="the schema cannot be compiled"):
        hosted(
            answering({"oneOf": []}),
            settings={"environment": "production"},
            things="async def show(): ...\n",
        )


def test_serves_a_pattern_that_cannot_be_read_with_one_warning(hosted):
    """The rest of the contract is worth serving; the warning is at the pattern."""
    application = hosted(answering({"type": "string", "pattern": "(["}), things="async def show(): ...\n")

    (warning,) = [one for one in application.warnings if one.rule == "pattern"]
    assert warning.message == "the pattern is not checked: a class is not closed"


PUT = {
    "/thing": {
        "put": operation(
            "change",
            requestBody={
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["id", "name"],
                            "properties": {
                                "id": {"type": "integer", "readOnly": True},
                                "name": {"type": "string"},
                            },
                        }
                    }
                },
            },
        )
    }
}


@pytest.mark.parametrize(
    ("settings", "body", "expected"),
    [
        ({}, {"id": 7, "name": "a"}, (200, {"name": "a"})),
        ({"read_only": "refuse"}, {"id": 7, "name": "a"}, (400, None)),
        ({"read_only": "refuse"}, {"name": "a"}, (200, {"name": "a"})),
        ({}, {"name": "\0"}, (200, {"name": "\0"})),
        ({"refuse_nul": True}, {"name": "\0"}, (400, None)),
    ],
)
async def test_settings_decide_what_is_dropped_or_refused(hosted, settings, body, expected):
    """GET, change and PUT works by default."""
    application = hosted(
        contract(PUT), settings=settings, things="async def change(body):\n    return body\n"
    )

    async with calling(application) as client:
        response = await client.put("/thing", json=body)

    assert (response.status_code, response.json() if response.status_code == 200 else None) == expected


@pytest.mark.parametrize(
    ("settings", "query", "expected"),
    [
        ({}, "?other=1", (200, ["a,b", "c"])),
        ({"unknown_query": "refuse"}, "", (200, ["a,b", "c"])),
        ({"unknown_query": "refuse"}, "?other=1", (400, None)),
    ],
)
async def test_parameters_are_read_as_they_were_sent(hosted, settings, query, expected):
    """A list in a path is split before it is percent-decoded; settings decide about unknown query parameters."""
    names = {
        "name": "names",
        "in": "path",
        "required": True,
        "schema": {"type": "array", "items": {"type": "string"}},
    }
    document = contract({"/x/{names}": {"get": operation("show", parameters=[names])}})
    application = hosted(document, settings=settings, things="async def show(names):\n    return names\n")

    async with calling(application) as client:
        response = await client.get(f"/x/a%2Cb,c{query}")

    assert (response.status_code, response.json() if response.is_success else None) == expected


async def test_serves_a_recursive_schema(get):
    """Trees are ordinary; Connexion fails to serve their contract."""
    node = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/N"}}},
    }
    document = answering({"$ref": "#/components/schemas/N"})
    document["components"] = {"schemas": {"N": node}}
    things = "async def show():\n    return {'children': [{'children': []}]}\n"

    assert (await get(document, things)).json() == {"children": [{"children": []}]}
    assert (await get(document, things, "/openapi.json")).json() == document


async def test_gives_caller_and_claims_to_who_asks(hosted):
    """`identify` makes the caller of verified claims, with collaborators of its own."""
    init = """
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def collaborators(settings):
            yield {"people": {"u1": "Ada"}}

        def identify(claims, people):
            return people[claims["sub"]]
    """
    document = contract(
        {"/a": {"get": operation("show", security=[{"t": []}])}},
        components={"securitySchemes": {"t": {"type": "http", "scheme": "bearer"}}},
    )
    application = hosted(
        document, init=init, things="async def show(caller, claims):\n    return [caller, claims['sub']]\n"
    )

    async with calling(application) as client:
        response = await client.get("/a", headers=bearer({"sub": "u1"}))

    assert response.json() == ["Ada", "u1"]


async def test_checks_what_identify_and_verifiers_need(hosted):
    """Before a socket opens, like a handler's arguments."""
    init = """
        def identify(claims, stoer): ...
        def check(credential, stroe): ...
        verifiers = {"key": check}
    """
    application = hosted(answering({}), init=init, things="async def show(): ...\n")

    with pytest.raises(SetupError) as raised:
        async with application.running():
            pass

    assert [problem.message for problem in raised.value.problems] == [
        "identify needs 'stoer', and no collaborator has that name (collaborators: none)",
        "check needs 'stroe', and no collaborator has that name (collaborators: none)",
    ]


async def test_passes_a_default_that_violates_its_schema_as_it_is_written(tmp_path, hosted):
    """The contract's author decides about its defaults: a wrong one is a warning, and no reason not to serve."""
    wrong = {"name": "q", "in": "query", "schema": {"type": "integer", "default": "x"}}
    document = contract({"/a": {"get": operation("show", parameters=[wrong])}})

    application = hosted(document, things="async def show(q): return [q]\n")

    async with calling(application) as client:
        assert (await client.get("/a")).json() == ["x"]
    [warning] = application.warnings
    assert "the default of 'q' violates its own schema" in str(warning)


@pytest.mark.parametrize(
    "headers",
    [{"X-A": 7}, {"X-A": "a\r\nSet-Cookie: b"}, {"X-A": "\u20ac"}, {"X A": "a"}, {"Content-Length": "1"}],
)
async def test_answers_though_an_errors_headers_make_no_sense(get, headers):
    """A package's mistake must not cost the client its answer, nor end it early."""
    things = f"""
        class Odd(Exception):
            status, code, message = 500, "ODD", "Odd"
            headers = {headers}

        async def show():
            raise Odd
    """

    response = await get(answering(THING), things)

    assert (response.status_code, response.content) == (500, b"")
    assert response.headers["content-length"] == "0"
    assert not {"x-a", "x a", "set-cookie"} & {*response.headers}


async def test_sends_no_headers_of_an_unexpected_exception(get):
    """An upstream's answer may be an exception with headers, and those are not the client's."""
    things = """
        from email.message import Message
        from urllib.error import HTTPError

        async def show():
            headers = Message()
            headers["Set-Cookie"] = "session=sk_canary"
            headers["Content-Length"] = "7"
            raise HTTPError("http://upstream/", 403, "Forbidden", headers, None)
    """

    response = await get(answering(THING), things)

    assert_problem(response, 500, "INTERNAL_ERROR")
    assert "set-cookie" not in response.headers
    assert "sk_canary" not in response.text


async def test_opens_and_closes_collaborators_with_the_service(hosted):
    """Importing and compiling opens nothing."""
    init = """
        from contextlib import asynccontextmanager
        events = []

        @asynccontextmanager
        async def collaborators(settings):
            events.append("opened")
            yield {"events": events}
            events.append("closed")
    """
    application = hosted(
        answering({}), init=init, things="async def show(events):\n    return list(events)\n"
    )

    async with calling(application) as client:
        events = application.collaborators["events"]
        assert (await client.get("/thing")).json() == ["opened"]

    assert events == ["opened", "closed"]


COLLABORATORS = {
    "a function": "def collaborators(settings): return {'who': 'me'}",
    "an async function": "async def collaborators(settings): return {'who': 'me'}",
    "a generator": "def collaborators(settings):\n    yield {'who': 'me'}\n    events.append('closed')",
    "an async generator": "async def collaborators(settings):\n    yield {'who': 'me'}\n    events.append('closed')",
    "a context manager": (
        "@contextmanager\ndef collaborators(settings):\n    yield {'who': 'me'}\n    events.append('closed')"
    ),
    "an async context manager": (
        "@asynccontextmanager\nasync def collaborators(settings):\n"
        "    yield {'who': 'me'}\n    events.append('closed')"
    ),
    "a function of a context manager": (
        "@contextmanager\ndef opened():\n    yield {'who': 'me'}\n    events.append('closed')\n\n"
        "async def collaborators(settings): return opened()"
    ),
}


@pytest.mark.parametrize("source", COLLABORATORS.values(), ids=COLLABORATORS.keys())
async def test_takes_collaborators_of_every_form(hosted, source):
    """What is after a yield is run when the service ends."""
    head = "from contextlib import asynccontextmanager, contextmanager\n\nevents = []\n\n"
    document = answering({"type": "string"})
    application = hosted(document, init=head + source, things="async def show(*, who):\n    return who\n")

    async with calling(application) as client:
        answer = await client.get("/thing")
        before = [*application.package.events]

    assert answer.json() == "me"
    assert (before, application.package.events) == ([], ["closed"] if "yield" in source else [])


@pytest.mark.parametrize("made", ["return ['me']", "return None", "yield 3"])
async def test_refuses_collaborators_of_no_mapping(hosted, made):
    """Before a socket opens."""
    source = f"def collaborators(settings):\n    {made}\n"
    application = hosted(answering(THING), init=source, things="async def show(): ...\n")

    with pytest.raises(
        SetupError, match="collaborators\\(\\) must return or yield a mapping of names to objects"
    ):
        async with application.running():
            pytest.fail("it started")
