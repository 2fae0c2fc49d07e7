"""Operation → function: `scripts/relay/server/binding.py`."""

from __future__ import annotations

import asyncio
import builtins
import types

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract.names import slug
from relay.server.handler_modules import import_package
from support.compiled import read
from support.hosting import assert_problem, calling, contract, host, operation, query


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Host a contract with a package, and return the problems it is refused for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def refused(document, **modules):
        with pytest.raises(SetupError) as raised:
            host(tmp_path, document, **modules)
        return [problem.message for problem in raised.value.problems]

    return refused


@pytest.fixture
def hosted(tmp_path, monkeypatch):
    """Host a contract with a package."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda document, **modules: host(tmp_path, document, **modules)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Event Logs", "event_logs"),
        ("event-logs", "event_logs"),
        ("X-Request-Id", "x_request_id"),
        ("excludePromptId", "exclude_prompt_id"),
        ("class", "class_"),
        ("body", "body_"),
        ("2fa", "_2fa"),
        ("Ünï Tags", "ünï_tags"),
        ("客户", "客户"),
        ("!?", "_"),
    ],
)
def test_makes_identifiers_of_the_contracts_words(word, name):
    """One rule for tags and parameters."""
    assert slug(word) == name


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


async def test_a_stub_of_an_odd_name_answers_that_it_is_not_written(hosted):
    """As every other one."""
    document = contract({"/a": {"get": operation("NotImplementedError")}})

    async with calling(
        hosted(document, things="async def NotImplementedError_():\n    raise NotImplementedError\n")
    ) as client:
        assert (await client.get("/a")).status_code == 501


async def test_finds_the_function_by_tag_and_operation_id(hosted):
    """Nothing is added to the contract for it."""
    document = contract({"/a": {"get": {**operation("list-things"), "tags": ["Event Logs", "Other"]}}})
    application = hosted(document, event_logs="async def list_things():\n    return 'here'\n")

    async with calling(application) as client:
        assert (await client.get("/a")).json() == "here"


async def test_gives_each_parameter_under_its_snake_case_name(hosted):
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

    async with calling(hosted(document, things=source)) as client:
        response = await client.get("/a/7?id=q", headers={"X-Trace": "t"})

    assert response.json() == [7, "q", 20, "t"]


async def test_sees_the_default_behind_a_reference(hosted):
    """It is always sent, so the signature needs none of its own."""
    document = contract(
        {
            "/a": {
                "get": operation("show", parameters=[query("q", schema={"$ref": "#/components/schemas/Q"})])
            }
        },
        components={"schemas": {"Q": {"type": "string", "default": "theirs"}}},
    )

    async with calling(hosted(document, things="async def show(q):\n    return q\n")) as client:
        assert (await client.get("/a")).json() == "theirs"


async def test_leaves_out_what_the_request_leaves_out(hosted):
    """The function's own default counts, then."""
    document = contract({"/a": {"get": operation("show", parameters=[query("q")])}})
    application = hosted(document, things="async def show(q='mine'):\n    return q\n")

    async with calling(application) as client:
        assert (await client.get("/a")).json() == "mine"


async def test_runs_a_plain_function_off_the_event_loop(hosted):
    """So it may block; an async one runs on the loop."""
    source = """
        import threading

        def show():
            return threading.current_thread() is threading.main_thread()
    """

    async with calling(hosted(contract({"/a": {"get": operation("show")}}), things=source)) as client:
        assert (await client.get("/a")).json() is False


async def test_gives_everything_to_a_function_that_takes_everything(hosted):
    """`**kwargs` asks for all there is."""
    document = contract({"/a": {"get": operation("show", parameters=[query("q")])}})
    application = hosted(document, things="async def show(**given):\n    return sorted(given)\n")

    async with calling(application) as client:
        assert (await client.get("/a?q=1")).json() == ["caller", "claims", "q"]


async def test_gives_parameters_that_differ_by_punctuation_alone_under_names_of_their_own(hosted):
    """Each of their values arrives."""
    parameters = [query("End"), query("End<"), query("End>="), query("end")]
    document = contract({"/a": {"get": operation("show", parameters=parameters)}})
    source = """
        async def show(*, end=None, end_lt=None, end_gte=None, end_2=None):
            return [end, end_lt, end_gte, end_2]
    """

    async with calling(hosted(document, things=source)) as client:
        response = await client.get("/a", params={"End": "1", "End<": "2", "End>=": "3", "end": "4"})

    assert response.json() == ["4", "2", "3", "1"]


@pytest.mark.parametrize("name", ["", "..x", "a-b", "a/b"])
def test_refuses_what_is_not_the_name_of_a_package(name):
    """Before the import machinery says it in its own words."""
    with pytest.raises(SetupError, match=r"RELAY_HANDLERS: '.*' is not the name of a package"):
        import_package(name)


async def test_answers_for_a_plain_function_that_runs_out(hosted):
    """A StopIteration cannot be put into a future; the request would hang for ever."""
    source = "def show():\n    return next(iter([]))\n"

    async with calling(hosted(contract({"/a": {"get": operation("show")}}), things=source)) as client:
        assert_problem(await asyncio.wait_for(client.get("/a"), 5), 500, "INTERNAL_ERROR")


def test_tells_every_missing_handler_at_once(refused):
    """The place is the operation's, the message says what to write where."""
    paths = {"/a": {"get": operation("one")}, "/b": {"get": {**operation("two"), "tags": ["Gone"]}}}

    first, second = refused(contract(paths), things="x = 1\n")

    assert first.startswith("GET /a has no handler: write one() in package_")
    assert second.startswith("GET /b has no handler: write two() in the module package_")


def test_tells_where_a_module_is_broken(tmp_path, monkeypatch, refused):
    """At the line of the package, not somewhere in the import machinery."""
    (problem,) = refused(contract({"/a": {"get": operation("one")}}), things="import surely_not_installed\n")

    assert problem == "cannot be imported: ModuleNotFoundError: No module named 'surely_not_installed'"


def test_refuses_a_signature_that_cannot_receive_a_parameter(refused):
    """Connexion would drop it without a word."""
    document = contract({"/a": {"get": operation("show", parameters=[query("pageSize")])}})

    assert refused(document, things="async def show(): ...\n") == [
        "no argument for the query parameter 'pageSize' of GET /a: add 'page_size'"
    ]


def test_refuses_a_signature_that_needs_what_may_be_absent(refused):
    """It would fail at the first request that leaves it out."""
    document = contract(
        {
            "/a": {
                "post": operation("add", parameters=[query("q")], requestBody={"content": {"text/plain": {}}})
            }
        }
    )

    assert refused(document, things="async def add(q, body): ...\n") == [
        "the query parameter 'q' of POST /a may be absent: give 'q' a default, such as None",
        "the body of POST /a may be absent: give 'body' a default, such as None",
    ]


def test_refuses_a_signature_without_the_body(refused):
    """A body that goes nowhere is a mistake."""
    document = contract({"/a": {"post": operation("add", requestBody={"content": {"text/plain": {}}})}})

    assert refused(document, things="async def add(): ...\n") == [
        "no argument for the body of POST /a: add 'body'"
    ]


def test_refuses_positional_only_arguments(refused):
    """Handlers are called by name."""
    document = contract({"/a": {"get": operation("show", parameters=[query("q")])}})

    assert "the argument 'q' is positional-only, but arguments are passed by name; remove the '/'" in refused(
        document, things="async def show(q=None, /): ...\n"
    )


async def test_tags_that_differ_by_punctuation_share_a_module(hosted):
    """Of two functions that would have one name there, the second is called as its path is."""
    paths = {
        "/a": {"get": {**operation("get-it"), "tags": ["Event Logs"]}},
        "/b": {"get": {**operation("get_it"), "tags": ["event-logs"]}},
    }
    source = """
        async def get_it():
            return "a"

        async def get_b():
            return "b"
    """

    async with calling(hosted(contract(paths), event_logs=source)) as client:
        assert [(await client.get(path)).json() for path in ("/a", "/b")] == ["a", "b"]


async def test_refuses_arguments_that_nobody_gives(hosted):
    """Whoever opens the collaborators learns it before a socket opens."""
    application = hosted(contract({"/a": {"get": operation("show")}}), things="async def show(stoer): ...\n")

    with pytest.raises(
        SetupError, match=r"things\.py:1:1: GET /a does not send 'stoer', and no collaborator has that name"
    ):
        async with application.running():
            pass


async def test_refuses_a_collaborator_that_hides_a_parameter(hosted):
    """One of the two would never arrive."""
    init = """
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def collaborators(settings):
            yield {"q": object()}
    """
    document = contract({"/a": {"get": operation("show", parameters=[query("q")])}})
    application = hosted(document, init=init, things="async def show(q=None): ...\n")

    with pytest.raises(SetupError, match="the collaborator 'q' has the name of an argument of GET /a"):
        async with application.running():
            pass
