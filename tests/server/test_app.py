"""Contract + package → service: `compilation.py`, `app.py`, `pipeline.py`, `guard.py` and the stages of `scripts/relay/server`."""

import asyncio

import pytest

from relay.contract.diagnostics import SetupError
from relay.server import sending
from support.hosting import (
    STRING,
    ask,
    assert_problem,
    bearer,
    calling,
    contract,
    json_of,
    logged,
    operation,
    post_messages,
    query,
)
from support.running import eventually_async

THING = {"type": "object", "required": ["name"], "properties": {"name": STRING}}
SHOW = "async def show():\n    return {'name': 'a'}\n"
NO_SHOW = "async def show(): ...\n"


def answering(schema, **responses):
    """An operation `show` whose 200 is JSON of a schema."""
    return contract({"/thing": {"get": operation("show", responses={"200": json_of(schema), **responses})}})


def raising(name, declared, body=""):
    """The source of an operation `show` that raises an error of its own."""
    return f"class {name}(Exception):\n    {declared}\n\nasync def show():\n    raise {name}({body})\n"


SCHEMES = {
    "components": {
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "token": {"type": "http", "scheme": "bearer"},
        }
    }
}


def secured(scheme):
    return contract({"/thing": {"get": operation("show", security=[{scheme: []}])}}, **SCHEMES)


TAKEN = raising("Taken", 'status, code, message = 409, "TAKEN", "It is taken"')


@pytest.fixture
def get(hosting):
    """Host a contract whose `show` is `things`, and GET a path of it."""

    def get(document, things, path="/thing", *, headers=None, method="GET", **rest):
        return ask(hosting(document, things=things, **rest), path, method, headers=headers)

    return get


async def test_serves_what_conforms(get):
    response = await get(answering(THING), "async def show():\n    return {'name': 'a', 'more': 1}\n")
    assert (response.status_code, response.content) == (200, b'{"name":"a","more":1}')
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


LOCATION = {"description": "", "headers": {"Location": {"required": True, "schema": STRING}}}


@pytest.mark.parametrize(
    ("result", "at", "rule", "problem"),
    [
        ("{}, 201", "/", "status", "the contract documents no status 201"),
        ("{}, 200, {'Content-Type': 'text/html'}", "/", "content", "the contract documents no body of text/html"),
        ("{'name': object()}", "/name", "type", "a value of the type object cannot be written as JSON"),
        ("{'name': ['sk_canary']}", "/name", "type", ""),
        ("{'name': 'a'}, 200, {'X-A': 'a\\r\\nX-B: b'}", "/x-a", "header", ""),
        ("None", "/", "type", ""),
        ("None, 202, {}", "/Location", "required", ""),
    ],
)  # fmt: skip
async def test_sends_nothing_that_the_contract_does_not_document(get, caplog, result, at, rule, problem):
    """Undocumented statuses and media types pass through Connexion."""
    document = answering(THING, **{"202": LOCATION})
    response = await get(document, f"async def show():\n    return {result}\n")

    detail = assert_problem(response, 500, "INTERNAL_ERROR")["detail"]
    assert detail == "The service failed to answer this request"
    [line] = logged(caplog, "response violation")
    assert (line.method, line.path, line.operation) == ("GET", "/thing", "show")
    assert (line.at, line.rule) == (at, rule)
    assert problem in line.problem
    assert "sk_canary" not in caplog.text + response.text


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ("{'name': 1}", 200, b'{"name":1}'),
        ("{'name': 'a'}, 201", 201, b'{"name":"a"}'),
        ("'<p>', 200, {'Content-Type': 'text/html'}", 200, b"<p>"),
        ("None, 204", 204, b""),
        ("object()", 500, None),
        ("{}, 200, {'X-A': 'a\\r\\nX-B: b'}", 500, None),
    ],
)
async def test_sends_a_violation_that_is_only_reported(get, caplog, result, status, body):
    """A service that is brought under its contract answers as it always did, unless that cannot be written."""
    things = f"async def show():\n    return {result}\n"
    response = await get(answering(THING), things, settings={"response_violations": "report"})
    if body is None:
        assert_problem(response, status, "INTERNAL_ERROR")
    else:
        assert (response.status_code, response.content) == (status, body)
        assert logged(caplog, "response violation")


@pytest.mark.parametrize(
    ("policy", "status", "code"), [("report", 409, "TAKEN"), ("enforce", 500, "INTERNAL_ERROR")]
)
async def test_a_raised_error_has_to_be_documented(get, caplog, policy, status, code):
    """A 409 that no client can expect is our failure; a violation that is only reported is sent."""
    response = await get(answering(THING), TAKEN, settings={"response_violations": policy})
    assert_problem(response, status, code)
    [line] = logged(caplog, "response violation")
    assert line.problem == "the contract documents no status 409"


GATE = """
    import asyncio
    from contextlib import asynccontextmanager

    gate = asyncio.Event()

    @asynccontextmanager
    async def collaborators(settings):
        yield {"gate": gate}
"""


async def test_takes_as_many_requests_as_it_can_answer(hosting):
    """One more is refused at once; whether the service lives can be asked all the same."""
    things = "async def show(gate):\n    await gate.wait()\n    return {'name': 'a'}\n"
    application = hosting(answering(THING), settings={"max_in_flight": 2}, things=things, init=GATE)

    async with calling(application) as client:
        waiting = [asyncio.create_task(client.get("/thing")) for _ in range(2)]

        async def are_waiting():
            return "relay_requests_in_flight 2.0" in (await client.get("/metrics")).text

        await eventually_async(are_waiting)
        refused = await client.get("/thing")
        health = await client.get("/livez")
        application.package.gate.set()
        answered = [(await one).status_code for one in waiting]
        again = await client.get("/thing")

    assert_problem(refused, 503, "OVERLOADED")
    assert refused.headers["retry-after"] == "1"
    assert [health.status_code, *answered, again.status_code] == [200] * 4


@pytest.mark.parametrize("failure", ["SystemExit", "KeyboardInterrupt", "asyncio.CancelledError"])
async def test_answers_whatever_is_raised(get, failure):
    things = f"import asyncio\n\nasync def show():\n    raise {failure}\n"
    assert_problem(await get(answering(THING), things), 500, "INTERNAL_ERROR")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hosts", "is_taken"),
    [
        (["a", "b"], False),
        *(([host], False) for host in ("", "a,b", "a b", "user@a", "a/b", "a:x", "[::1")),
        *(([host], True) for host in ("a", "a.example:2212", "127.0.0.1:80", "[::1]:2212", "xn--a-ecp.test")),
    ],
)  # fmt: skip
async def test_wants_exactly_one_host(get, hosts, is_taken):
    """A proxy and the service could otherwise mean two (RFC 9112 section 3.2)."""
    response = await get(answering(THING), SHOW, headers=[("Host", host) for host in hosts])
    if is_taken:
        assert response.status_code == 200
    else:
        assert_problem(response, 400, "AMBIGUOUS_HOST")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/thing", [("X-A", "a" * 40_000)]),
        ("/thing", [("X-A", "a")] * 101),
        ("/" + "a" * 40_000, None),
        ("/thing?" + "a" * 40_000, None),
    ],
    ids=["large header", "many headers", "long path", "long query"],
)
async def test_refuses_a_head_without_end(get, path, headers):
    """Uvicorn takes any; paths go through the contract's templates, and into the log."""
    response = await get(answering(THING), NO_SHOW, path, headers=headers)
    assert_problem(response, 431, "HEADERS_TOO_LARGE")


BODY = {"required": True, "content": {"text/plain": {"schema": STRING}}}
ADD = contract({"/a": {"post": operation("add", requestBody=BODY)}})


@pytest.fixture
def adding(hosting):
    """A service that takes text and answers a lot of it, for one request at a time."""
    document = contract({**ADD["paths"], "/thing": {"get": operation("show")}})
    add = "added = []\n\nasync def add(body):\n    added.append(body)\n    return 'x' * 300_000\n"
    return hosting(
        document, things=f"{add}\nasync def show():\n    return 1\n", settings={"max_in_flight": 1}
    )


async def whole_body():
    return {"type": "http.request", "body": b"1"}


@pytest.mark.parametrize("slow", ["body", "response"])
async def test_a_client_that_is_waited_for_has_no_place(adding, slow):
    """A few slow clients would keep all others out; a response is passed on piece by piece."""
    done = asyncio.Event()

    async def receive():
        if slow == "body":
            await done.wait()
        return await whole_body()

    async with calling(adding) as client:
        waiting = done if slow == "response" else None
        requests = [asyncio.create_task(post_messages(adding, receive, done=waiting)) for _ in range(3)]
        await asyncio.sleep(0.05)
        meanwhile = await client.get("/thing")
        done.set()
        sent = [message for messages in await asyncio.gather(*requests) for message in messages]

    assert meanwhile.status_code == 200
    assert [one["status"] for one in sent if "status" in one] == [200] * 3
    sizes = [len(one.get("body", b"")) for one in sent]
    assert (max(sizes), sum(sizes)) == (sending.SEND_BYTES, 3 * len('"' + "x" * 300_000 + '"'))


@pytest.mark.slow
async def test_a_request_needs_a_place_again_when_its_body_has_come(hosting):
    """Bodies that all come at once are as many requests as any others."""
    gate = asyncio.Event()
    things = "async def add(body, gate):\n    await gate.wait()\n    return body\n"
    application = hosting(ADD, things=things, init=GATE, settings={"max_in_flight": 1})

    async def receive():
        await gate.wait()
        return await whole_body()

    async with calling(application):
        waiting = [asyncio.create_task(post_messages(application, receive)) for _ in range(3)]
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.sleep(0.05)
        application.package.gate.set()
        answers = await asyncio.gather(*waiting)

    assert sorted(first["status"] for first, *_ in answers) == [200, 503, 503]


async def test_a_body_that_breaks_off_is_not_handled(adding):
    """Half of a text is a text, too."""
    half = {"type": "http.request", "body": b"pay 1", "more_body": True}
    messages = iter([half, {"type": "http.disconnect"}])

    async def receive():
        return next(messages)

    async with calling(adding):
        first, *_ = await post_messages(adding, receive)

    assert (first["status"], adding.package.things.added) == (400, [])


async def test_survives_a_broken_renderer(get):
    """An answer, however bare, rather than a cut connection."""
    broken = "def render_error(report):\n    raise OSError\n"
    response = await get(answering(THING), NO_SHOW, "/nope", init=broken)
    assert (response.status_code, response.content) == (500, b"")


async def test_head_is_get_without_a_body(hosting):
    """RFC 9110 section 9.1: every general-purpose server supports GET and HEAD."""
    async with calling(hosting(answering(THING), things=SHOW)) as client:
        shown, head = await client.get("/thing"), await client.head("/thing")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(shown.content)) == "12"
    assert head.headers["content-type"] == shown.headers["content-type"]


async def test_the_error_of_head_has_no_body_either(get):
    failed = await get(answering(THING), "async def show():\n    raise RuntimeError\n", method="HEAD")
    assert (failed.status_code, failed.content) == (500, b"")


async def test_an_operation_for_head_is_called_for_it(get):
    paths = {"/thing": {"get": operation("show"), "head": operation("probe")}}
    things = "def show():\n    raise RuntimeError\ndef probe():\n    return None\n"
    assert (await get(contract(paths), things, method="HEAD")).status_code == 200


@pytest.mark.parametrize("given", [None, "abc-123", "a b\t<script>"])
async def test_every_response_has_a_request_id(get, given):
    """A proxy's own is kept when it is one."""
    response = await get(answering(THING), SHOW, headers={"X-Request-ID": given} if given else None)
    found = response.headers["x-request-id"]
    assert found == "abc-123" if given == "abc-123" else len(found) == 32


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id", "X-REQUEST-ID"])
async def test_a_response_has_one_request_id_which_is_the_logs(get, name):
    """A handler's own would be another one, and a client could not report it."""
    things = f"async def show():\n    return {{'name': 'a'}}, 200, {{'{name}': 'mine', 'X-Other': 'kept'}}\n"
    response = await get(answering(THING), things, headers={"X-Request-ID": "abc-123"})
    assert response.headers.get_list("x-request-id") == ["abc-123"]
    assert response.headers["x-other"] == "kept"


def test_reports_everything_that_is_wrong_at_once(tmp_path, monkeypatch, hosting):
    monkeypatch.chdir(tmp_path)
    paths = {
        "/a": {"get": operation("one", security=[{"key": []}])},
        "/b": {"get": operation("two", security=[{"token": []}])},
    }
    with pytest.raises(SetupError) as raised:
        hosting(contract(paths, **SCHEMES), settings={"jwt_secret": None}, things="async def one(): ...\n")

    found = str(raised.value)
    assert "the security scheme 'key' has no verifier" in found
    assert "RELAY_JWT_SECRET: missing: the contract's security scheme token needs a key" in found
    assert "GET /b has no handler" in found
    assert len(raised.value.problems) == 3


ENTITY = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "integer", "readOnly": True}, "name": STRING},
}
NAMES = query("names", {"type": "array", "items": STRING}, location="path", required=True)
CHANGE = operation("change", parameters=[NAMES], requestBody={"required": True, **json_of(ENTITY)})


@pytest.mark.parametrize(
    "settings", [{}, {"read_only": "refuse"}, {"refuse_nul": True}, {"unknown_query": "refuse"}]
)
async def test_settings_decide_what_is_dropped_or_refused(hosting, settings):
    """By default read-only properties are dropped, NUL and unknown parameters accepted.

    A list in a path is split before it is percent-decoded.
    """
    things = "async def change(names, body):\n    return [names, body]\n"
    application = hosting(contract({"/x/{names}": {"put": CHANGE}}), settings=settings, things=things)
    response = await ask(application, "/x/a%2Cb,c?other=1", "PUT", json={"id": 7, "name": "\0"})
    if settings:
        assert_problem(response, 400, "VALIDATION_ERROR")
    else:
        assert response.json() == [["a,b", "c"], {"name": "\0"}]


async def test_passes_caller_and_claims(get):
    """`identify` makes the caller of verified claims, with collaborators of its own."""
    init = """
        def collaborators(settings):
            return {"people": {"u1": "Ada"}}

        def identify(claims, people):
            return people[claims["sub"]]
    """
    things = "async def show(caller, claims):\n    return [caller, claims['sub']]\n"
    response = await get(secured("token"), things, init=init, headers=bearer({"sub": "u1"}))
    assert response.json() == ["Ada", "u1"]


async def test_checks_what_identify_and_verifiers_need(hosting):
    init = """
        def identify(claims, stoer): ...
        def check(credential, stroe): ...
        verifiers = {"key": check}
    """

    with pytest.raises(SetupError) as raised:
        async with hosting(answering({}), init=init, things=NO_SHOW).running():
            pass

    assert [problem.message for problem in raised.value.problems] == [
        "identify needs 'stoer', and no collaborator has that name (collaborators: none)",
        "check needs 'stroe', and no collaborator has that name (collaborators: none)",
    ]


@pytest.mark.parametrize(
    "headers",
    [{"X-A": 7}, {"X-A": "a\r\nSet-Cookie: b"}, {"X-A": "\u20ac"}, {"X A": "a"}, {"Content-Length": "1"}],
)
async def test_an_error_with_wrong_headers_is_a_bare_500(get, headers):
    """A package's mistake must not cost the client its answer, nor end it early."""
    declared = f'status, code, message = 500, "ODD", "Odd"\n    headers = {headers}'
    response = await get(answering(THING), raising("Odd", declared))
    assert (response.status_code, response.content) == (500, b"")
    assert response.headers["content-length"] == "0"
    assert not {"x-a", "x a", "set-cookie"} & {*response.headers}


_GENERATOR = "collaborators(settings):\n    yield {'who': 'me'}\n    events.append('closed')"
COLLABORATORS = {
    "a function": "def collaborators(settings): return {'who': 'me'}",
    "an async function": "async def collaborators(settings): return {'who': 'me'}",
    "a generator": f"def {_GENERATOR}",
    "an async generator": f"async def {_GENERATOR}",
    "a context manager": f"@contextmanager\ndef {_GENERATOR}",
    "an async context manager": f"@asynccontextmanager\nasync def {_GENERATOR}",
    "a function of a context manager": (
        f"@contextmanager\ndef {_GENERATOR.replace('collaborators(settings)', 'opened()')}\n\n"
        "async def collaborators(settings): return opened()"
    ),
}


@pytest.mark.parametrize("source", COLLABORATORS.values(), ids=COLLABORATORS.keys())
async def test_takes_collaborators_of_every_form(hosting, source):
    """The code after a yield is run when the service ends; importing and compiling opens nothing."""
    head = "from contextlib import asynccontextmanager, contextmanager\n\nevents = []\n\n"
    things = "async def show(*, who):\n    return who\n"
    application = hosting(answering(STRING), init=head + source, things=things)

    async with calling(application) as client:
        answer = await client.get("/thing")
        before = [*application.package.events]

    assert answer.json() == "me"
    assert (before, application.package.events) == ([], ["closed"] if "yield" in source else [])


@pytest.mark.parametrize("made", ["return ['me']", "return None", "yield 3"])
async def test_refuses_collaborators_of_no_mapping(get, made):
    init = f"def collaborators(settings):\n    {made}\n"
    with pytest.raises(SetupError, match=r"collaborators\(\) must return or yield a mapping of names to obj"):
        await get(answering(THING), NO_SHOW, init=init)
