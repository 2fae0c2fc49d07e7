"""Operation → function: `scripts/relay/server/binding.py`."""

import asyncio
import builtins
import types

import pytest

from relay.contract.diagnostics import SetupError
from relay.server.handler_modules import import_package
from support.compiled import read
from support.hosting import ask, assert_problem, calling, contract, operation, query

SHOW = contract({"/a": {"get": operation("show")}})


def showing(*parameters, **rest):
    return contract({"/a": {"get": operation("show", parameters=[*parameters])}}, **rest)


@pytest.fixture
def refused(tmp_path, monkeypatch, hosting):
    """Host a contract with a package, and return the problems it is refused for."""
    monkeypatch.chdir(tmp_path)

    def refused(document, **modules):
        with pytest.raises(SetupError) as raised:
            hosting(document, **modules)
        return [problem.message for problem in raised.value.problems]

    return refused


@pytest.fixture
def get(hosting):
    """Host a contract with functions, and return what a GET of a path is answered."""

    async def get(document, things, path="/a", **request):
        return (await ask(hosting(document, things=things), path, **request)).json()

    return get


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["NotImplementedError", *dir(builtins), "__debug__", "__path__", "__all__", "__getattr__"]
)
async def test_an_operation_may_have_the_name_of_anything_in_python(name):
    """Its stub raises NotImplementedError, and a module has names of its own, which are no handlers."""
    (found,) = read(contract({"/a": {"get": operation(name)}})).operations
    module = types.ModuleType("things")
    source = f"async def {found.function}():\n    raise NotImplementedError\n"

    assert not hasattr(module, found.function)
    exec(compile(source, "things.py", "exec"), module.__dict__)  # noqa: S102 -- a stub
    with pytest.raises(NotImplementedError):
        await getattr(module, found.function)()


async def test_finds_the_function_by_tag_and_operation_id(hosting):
    document = contract({"/a": {"get": {**operation("list-things"), "tags": ["Event Logs", "Other"]}}})
    async with calling(
        hosting(document, event_logs="async def list_things():\n    return 'here'\n")
    ) as client:
        assert (await client.get("/a")).json() == "here"


async def test_passes_each_parameter_under_its_snake_case_name(get):
    """A name that two locations share goes to the path, then query, header, cookie."""
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
        query("id"),
        query("pageSize", schema={"type": "integer", "default": 20}),
        {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
    ]
    document = contract({"/a/{id}": {"get": operation("show", parameters=parameters)}})
    source = """
        async def show(*, id, query_id=None, page_size, x_trace=None):
            return [id, query_id, page_size, x_trace]
    """

    assert await get(document, source, "/a/7?id=q", headers={"X-Trace": "t"}) == [7, "q", 20, "t"]


async def test_passes_the_default_behind_a_reference(get):
    """It is always sent, so the signature needs none of its own."""
    schemas = {"Q": {"type": "string", "default": "theirs"}}
    document = showing(query("q", schema={"$ref": "#/components/schemas/Q"}), components={"schemas": schemas})
    assert await get(document, "async def show(q):\n    return q\n") == "theirs"


async def test_leaves_out_what_the_request_leaves_out(get):
    assert await get(showing(query("q")), "async def show(q='mine'):\n    return q\n") == "mine"


async def test_runs_a_plain_function_off_the_event_loop(get):
    """So it may block; an async one runs on the loop."""
    source = """
        import threading

        def show():
            return threading.current_thread() is threading.main_thread()
    """
    assert await get(SHOW, source) is False


async def test_passes_everything_to_a_function_that_takes_everything(get):
    source = "async def show(**given):\n    return sorted(given)\n"
    assert await get(showing(query("q")), source, "/a?q=1") == ["caller", "claims", "q"]


@pytest.mark.parametrize("name", ["", "..x", "a-b", "a/b"])
def test_refuses_what_is_not_the_name_of_a_package(name):
    with pytest.raises(SetupError, match=r"RELAY_HANDLERS: '.*' is not the name of a package"):
        import_package(name)


async def test_answers_for_a_plain_function_that_raises_stop_iteration(hosting):
    """It cannot be put into a future; the request would hang for ever."""
    async with calling(hosting(SHOW, things="def show():\n    return next(iter([]))\n")) as client:
        assert_problem(await asyncio.wait_for(client.get("/a"), 5), 500, "INTERNAL_ERROR")


def test_reports_every_missing_handler_at_once(refused):
    paths = {"/a": {"get": operation("one")}, "/b": {"get": {**operation("two"), "tags": ["Gone"]}}}
    first, second = refused(contract(paths), things="x = 1\n")
    assert first.startswith("GET /a has no handler: write one() in package_")
    assert second.startswith("GET /b has no handler: write two() in the module package_")


TEXT = {"requestBody": {"content": {"text/plain": {}}}}


ABSENT = "the {0} of POST /a may be absent: give '{1}' a default, such as None"
BODY_ABSENT = ABSENT.format("body", "body")
MISSING = "no argument for the {0} of POST /a: add '{1}'"
POSITIONAL = "the argument 'q' is positional-only, but arguments are passed by name; remove the '/'"


@pytest.mark.parametrize(
    ("name", "rest", "function", "problems"),
    [
        ("pageSize", {}, "show()", [MISSING.format("query parameter 'pageSize'", "page_size")]),
        ("q", TEXT, "show(q, body)", [ABSENT.format("query parameter 'q'", "q"), BODY_ABSENT]),
        (None, TEXT, "show()", [MISSING.format("body", "body")]),
        ("q", {}, "show(q=None, /)", [POSITIONAL]),
    ],
    ids=["no argument", "may be absent", "no body", "positional"],
)  # fmt: skip
def test_refuses_a_signature_that_cannot_be_called(refused, name, rest, function, problems):
    """Connexion would drop what has no argument, and fail at the first request for the others."""
    parameters = [query(name)] if name else []
    document = contract({"/a": {"post": operation("show", parameters=parameters, **rest)}})
    assert refused(document, things=f"async def {function}: ...\n") == problems


NO_COLLABORATOR = r"things\.py:1:1: GET /a does not send 'stoer', and no collaborator has that name"
HIDDEN = "the collaborator 'q' has the name of an argument of GET /a"
WITH_Q = "def collaborators(settings):\n    return {'q': object()}\n"


@pytest.mark.parametrize(
    ("document", "init", "function", "message"),
    [(SHOW, "", "show(stoer)", NO_COLLABORATOR), (showing(query("q")), WITH_Q, "show(q=None)", HIDDEN)],
    ids=["unknown", "hidden"],
)
async def test_refuses_arguments_that_do_not_fit_the_collaborators(
    hosting, document, init, function, message
):
    application = hosting(document, init=init, things=f"async def {function}: ...\n")
    with pytest.raises(SetupError, match=message):
        async with application.running():
            pass
