"""A package's ASGI middlewares and Connexion's context: `package_hooks.py` and `pipeline.py` of the server."""

import pytest

from relay import SetupError
from support.hosting import ask, assert_problem, calling, contract, operation

SECURE = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
DOCUMENT = contract(
    {"/order": {"get": operation("order", parameters=[LIMIT], security=[{"key": []}])}}, components=SECURE
)
RECORDING = """
    from connexion.middleware import MiddlewarePosition as At

    seen = []

    class Recording:
        \"\"\"Records how much is known about a request at its position.\"\"\"

        def __init__(self, app, name):
            self.app, self.name = app, name

        async def __call__(self, scope, receive, send):
            extensions = scope.get("extensions") or {}
            known = [key for key in ("connexion_routing", "connexion_context") if key in extensions]
            seen.append((self.name, known, "relay.arguments" in scope))
            await self.app(scope, receive, send)
"""
INIT = """
    async def verify(key):
        return {"sub": key}

    verifiers = {"key": verify}
"""


@pytest.fixture
def hosted(hosting):
    def serve(
        init="", things="async def order(limit=None):\n    return limit\n", document=DOCUMENT, **settings
    ):
        return hosting(document, settings=settings, init=INIT + init, things=things)

    return serve


async def test_the_six_positions_of_connexion_are_in_its_order(hosted):
    listed = "\n".join(f"        (Recording, At.{name}, {{'name': '{name}'}})," for name in POSITIONS)
    application = hosted(f"{RECORDING}\n    middleware = [\n{listed}\n    ]\n")

    assert (await ask(application, "/order?limit=3", headers={"X-Key": "ada"})).json() == 3

    assert application.package.seen == [
        ("BEFORE_EXCEPTION", [], False),
        ("BEFORE_SWAGGER", [], False),
        ("BEFORE_ROUTING", [], False),
        ("BEFORE_SECURITY", ["connexion_routing"], False),
        ("BEFORE_VALIDATION", ["connexion_routing", "connexion_context"], False),
        ("BEFORE_CONTEXT", ["connexion_routing", "connexion_context"], True),
    ]


POSITIONS = (
    "BEFORE_CONTEXT BEFORE_VALIDATION BEFORE_SECURITY BEFORE_ROUTING BEFORE_SWAGGER BEFORE_EXCEPTION".split()
)


async def test_middlewares_of_one_position_keep_their_order(hosted):
    init = f"{RECORDING}\n    middleware = [(Recording, 'BEFORE_ROUTING', {{'name': n}}) for n in 'ab']\n"
    application = hosted(init)
    await ask(application, "/order", headers={"X-Key": "ada"})
    assert [name for name, *_ in application.package.seen] == ["a", "b"]


async def test_starlettes_middlewares_work(hosted):
    """Most that a team has are written for Starlette or plain ASGI."""
    application = hosted("""
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    middleware = [
        (CORSMiddleware, "BEFORE_EXCEPTION", {"allow_origins": ["https://app.example"]}),
        (GZipMiddleware, "BEFORE_EXCEPTION", {"minimum_size": 1}),
    ]
    """)

    async with calling(application, **{"X-Key": "ada", "Origin": "https://app.example"}) as client:
        answer = await client.get("/order?limit=3")
        refused = await client.get("/order?limit=x")

    assert (answer.json(), answer.headers["content-encoding"]) == (3, "gzip")
    assert refused.status_code == 400
    for one in (answer, refused):
        assert one.headers["access-control-allow-origin"] == "https://app.example"


@pytest.mark.parametrize("position", ["BEFORE_EXCEPTION", "BEFORE_ROUTING"])
async def test_a_middleware_that_fails_is_an_error_with_the_envelope(hosted, position):
    application = hosted(f"""
    class Failing:
        def __init__(self, app):
            pass

        async def __call__(self, scope, receive, send):
            raise RuntimeError("canary")

    middleware = [(Failing, "{position}")]
    """)

    assert_problem(await ask(application, "/order"), 500, "INTERNAL_ERROR")


async def test_a_routed_middleware_of_connexion_is_compiled_for_each_operation(hosted):
    application = hosted("""
    from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware

    seen = []

    class Operation:
        def __init__(self, app, operation):
            self.app, self.operation = app, operation

        async def __call__(self, scope, receive, send):
            seen.append((self.operation.operation_id, self.operation.method, self.operation.parameters[0]["name"]))
            await self.app(scope, receive, send)

    class Api(RoutedAPI):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.add_paths()

        def make_operation(self, operation):
            return Operation(self.next_app, operation)

    class Middleware(RoutedMiddleware):
        api_cls = Api

    middleware = [(Middleware, "BEFORE_VALIDATION")]
    """)

    assert (await ask(application, "/order?limit=3", headers={"X-Key": "ada"})).json() == 3

    assert application.package.seen == [("order", "get", "limit")]


async def test_connexions_request_and_context_work_in_handlers(hosted):
    things = """
    from connexion import request
    from connexion.context import context, operation

    async def order(limit=None):
        return seen()

    def plain(limit=None):
        return seen()

    def seen():
        return [request.url.path, request.query_params["limit"], context["user"], operation.operation_id]
    """
    paths = {
        f"/{name}": {"get": operation(name, parameters=[LIMIT], security=[{"key": []}])}
        for name in ("order", "plain")
    }
    application = hosted(things=things, document=contract(paths, components=SECURE))

    async with calling(application, **{"X-Key": "ada"}) as client:
        assert (await client.get("/order?limit=3")).json() == ["/order", "3", "ada", "order"]
        assert (await client.get("/plain?limit=4")).json() == ["/plain", "4", "ada", "plain"]


async def test_the_body_can_be_read_again_by_connexions_request(hosted):
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    things = """
    from connexion import request

    async def add(body):
        return [body, (await request.body()).decode()]
    """
    application = hosted(
        things=things, document=contract({"/a": {"post": operation("add", requestBody=body)}})
    )

    async with calling(application) as client:
        answer = await client.post("/a", content=b'{ "a":1}', headers={"Content-Type": "application/json"})

    assert answer.json() == [{"a": 1}, '{ "a":1}']


REWRITING = """
    class Rewriting:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            async def rewrite(message):
                {change}
                await send(message)

            await self.app(scope, receive, rewrite)

    middleware = [(Rewriting, "BEFORE_CONTEXT")]
"""
START = "if message['type'].endswith('start'): "
BODY = "if message['type'].endswith('body'): "


INTEGER = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "integer"}}}}}
SEVEN = contract({"/order": {"get": operation("order", responses=INTEGER)}})
TO_TEXT = BODY + "message['body'] = b'\"text\"'"


@pytest.mark.parametrize(
    ("change", "policy", "body"),
    [
        ("pass", "enforce", 7),
        (START + "message['headers'].append((b'x-more', b'1'))", "enforce", 7),
        (BODY + "message['body'] = b'8'", "enforce", 8),
        (BODY + "message['body'] = b'text'", "enforce", None),
        (TO_TEXT, "enforce", None),
        (TO_TEXT, "report", "text"),
        (START + "message['status'] = 202", "enforce", None),
        (START + "message['headers'] = [(b'content-type', b'text/html')]", "enforce", None),
        (START + "message['headers'].append((b'content-encoding', b'gzip'))", "enforce", None),
    ],
)
async def test_what_a_middleware_makes_of_a_response_is_validated(hosted, caplog, change, policy, body):
    """BEFORE_CONTEXT is inside response validation; other positions are outside of it."""
    init, things = REWRITING.format(change=change), "async def order():\n    return 7\n"

    found = await ask(hosted(init, things, SEVEN, response_violations=policy), "/order")

    if body is None:
        assert_problem(found, 500, "INTERNAL_ERROR")
    else:
        assert (found.status_code, found.json()) == (200, body)
    assert ("response violation" in caplog.text) is (body not in (7, 8))


async def test_a_large_response_and_a_stream_pass_a_middleware_as_they_are(hosted):
    """The pieces of the first are put together again; those of the second pass one by one."""
    texts = {"200": {"description": "", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    document = contract(
        {f"/{name}": {"get": operation(name, responses=texts)} for name in ("large", "stream")}
    )
    things = """
    def large():
        return "x" * 200_000

    def stream():
        yield from ("a", "b")
    """

    async with calling(hosted(REWRITING.format(change="pass"), things, document)) as client:
        assert len((await client.get("/large")).text) == 200_000
        assert (await client.get("/stream")).text == "ab"


@pytest.mark.parametrize(
    ("exported", "message"),
    [
        ("7", "must be a list; each item of `middleware` is (class, position) or (class, position, options)"),
        ("[int]", "each item of `middleware` is (class, position) or (class, position, options)"),
        ("[(int, 'FIRST')]", "int: the position must be one of BEFORE_EXCEPTION, BEFORE_SWAGGER"),
        ("[(int, 'BEFORE_ROUTING', 3)]", "int: the options must be a mapping"),
    ],
)
def test_a_wrong_export_is_reported_before_the_start(hosted, exported, message):
    with pytest.raises(SetupError) as raised:
        hosted(f"\n    middleware = {exported}\n")
    (problem,) = raised.value.problems
    assert (str(problem.where), problem.message.startswith(message)) == ("middleware", True)
