"""Arguments that nothing has the name of, and bodies that are not documented: `scripts/relay/server/function_checks.py`."""

from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError, Severity
from relay.server.function_checks import names_body, yielded_names
from support.hosting import ask, calling, contract, logged, operation, write_package
from support.naming import host_named, named_operation

SCOPE = """
    def scope():
        yield {"tx": 1}
"""


@pytest.fixture
def named(as_before, monkeypatch, tmp_path):
    """Serve `GET /a`, which a function that the contract names serves, next to a handlers package."""
    monkeypatch.syspath_prepend(tmp_path)
    document = contract({"/a": {"get": named_operation("show")}})
    return lambda source, init: host_named(
        tmp_path, document, source, handlers=write_package(tmp_path, init=init)
    )


@pytest.mark.parametrize(
    "init",
    [
        '"""Exports only."""\n',
        "def collaborators(settings):\n    return {'store': 1}\n",
        "def scope():\n    yield {'tx': 1}\n",
    ],
)
async def test_a_package_does_not_hide_that_an_argument_is_never_sent(named, init):
    """Its requests are a 500, whether a package is there or not; the others are served."""
    application = named("def show(foo):\n    return foo\n", init)

    async with calling(application) as client:
        (warning,) = application.argument_warnings
        answer = await client.get("/a")

    assert answer.status_code == 500
    assert warning.severity is Severity.WARNING
    assert warning.message.startswith("GET /a does not send 'foo', and no collaborator has that name (")
    assert warning.message.endswith("such a request is a 500")


@pytest.mark.parametrize(
    ("source", "init"),
    [
        ("def show(store): return store\n", "def collaborators(settings):\n    return {'store': 1}\n"),
        ("def show(tx): return tx\n", SCOPE),
        ("def show(tx): return tx\n", "def scope():\n    yield dict(tx=1)\n"),
        ("def show(foo=1): return foo\n", ""),
    ],
)
async def test_objects_of_the_package_are_arguments_of_such_functions_too(named, source, init):
    application = named(source, init)
    async with calling(application) as client:
        assert application.argument_warnings == []
        assert (await client.get("/a")).json() == 1


async def test_the_names_that_a_scope_yields_are_read_from_its_source(hosting):
    """`relay drift` reads them as well: every request of such a function would be a 500."""
    document = contract({"/a": {"get": operation("show")}})
    wrong = hosting(document, init=SCOPE, things="def show(*, photo): ...\n")
    with pytest.raises(SetupError, match=r"does not send 'photo'.*collaborators: tx"):
        async with calling(wrong):
            pass
    assert (await ask(hosting(document, init=SCOPE, things="def show(*, tx): return tx\n"))).json() == 1


def all_shown():
    if all_shown:
        yield {"a": 1, "b": (yield {"c": 2})}
    else:
        yield {}

    def inner():
        yield {"d": 1}


async def awaited():
    yield {"a": 1}


def made():
    yield {"a": 1}
    yield {"b": 2} | {"c": 3}


def unpacked():
    yield {"a": 1, **made}


def delegated():
    yield {"a": 1}
    yield from made()


@contextmanager
def decorated():
    """Yield objects; the decorator may change them."""
    yield {"a": 1}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (all_shown, {"a", "b", "c"}),
        (awaited, {"a"}),
        *((function, None) for function in (made, unpacked, delegated, decorated, len, type)),
        (lambda: (yield {"a": 1}), None),
    ],
)
def test_only_names_that_are_certain_are_known(function, names):
    assert yielded_names(getattr(function, "__wrapped__", function)) == names


EMPTY = {"description": "ok"}
JSON = {"description": "ok", "content": {"application/json": {"schema": {}}}}


@pytest.fixture
def hosted(hosting):
    """Compile an operation with some responses, and its module."""

    def hosted(responses, things, **settings):
        document = contract({"/a": {"get": operation("show", responses=responses)}})
        return hosting(document, settings=settings, things=things)

    return hosted


def found(application):
    return [one for one in application.warnings if one.rule == "missing-content"]


@pytest.mark.parametrize(
    "returns",
    [
        "dict", "'dict[str, int]'", "tuple[dict, int]", "dict | None", "Optional[dict]",
        "relay.Result[dict]", "'relay.Result[str]'", "tuple['dict', int]",
    ],
)  # fmt: skip
def test_a_body_that_is_not_documented_is_said_at_the_start(hosted, returns):
    things = f"import relay\nfrom typing import Optional\n\ndef show() -> {returns}:\n    return {{}}\n"

    (warning,) = found(hosted({"200": EMPTY}, things))

    assert warning.severity is Severity.WARNING
    assert str(warning.where).endswith("things.py:4:1")
    assert warning.other is not None
    assert warning.message.startswith(
        "GET /a documents no content for a success, but its handler is annotated"
    )


@pytest.mark.parametrize(
    "returns",
    [
        "None", "'None'", "relay.Result[None]", "tuple[None, int]", "Any", "'Reply | None'",
        "'None | tuple[None, Literal[304]]'", "'f()'",
    ],
)  # fmt: skip
def test_an_annotation_without_a_body_is_right(hosted, returns):
    things = f"import relay\nfrom typing import Any\n\ndef show() -> {returns}:\n    return None\n"
    assert found(hosted({"200": EMPTY, "304": EMPTY}, things)) == []


def test_a_documented_body_is_right(hosted):
    things = "def show() -> dict:\n    return {}\n"
    assert found(hosted({"200": EMPTY, "201": JSON}, things)) == []
    assert found(hosted({"default": EMPTY}, things)) == []
    assert len(found(hosted({"200": EMPTY, "400": JSON}, things))) == 1


@given(st.text(alphabet="[]|,.'\" abtupleNone\\", max_size=60))
def test_any_annotation_is_read(text):
    def function() -> None: ...

    function.__annotations__["return"] = text
    assert names_body(function) in (True, False)


def test_a_deep_annotation_is_read():
    def function() -> None: ...

    function.__annotations__["return"] = "tuple[" * 50 + "int" + "]" * 50
    assert names_body(function)


@pytest.mark.parametrize(
    ("body", "media_type", "sent"),
    [
        ("{'a': 1}", "application/json", b'{"a":1}'),
        ("[1]", "application/json", b"[1]"),
        ("'text'", "application/json", b'"text"'),
        ("b'bytes'", "application/octet-stream", b"bytes"),
        ("None, 299", None, b""),
    ],
)
async def test_a_body_that_is_not_documented_is_sent_where_violations_are_reported(
    hosted, caplog, body, media_type, sent
):
    """RELAY_RESPONSE_VIOLATIONS=report: bytes as they are, and all else as JSON, as Connexion does."""
    application = hosted({"200": EMPTY}, f"def show():\n    return {body}\n", response_violations="report")
    response = await ask(application)
    assert (response.headers.get("content-type"), response.content) == (media_type, sent)
    assert len(logged(caplog, "response violation")) == 1
