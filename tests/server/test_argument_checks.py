"""Arguments that nothing has the name of: `scripts/relay/server/function_checks.py`."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from relay.contract.diagnostics import SetupError, Severity
from relay.server.function_checks import yielded_names
from support.hosting import calling, contract, operation, write_package
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
    """And what a `scope` yields is not known if neither its annotation nor its source shows it."""
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
    async with calling(hosting(document, init=SCOPE, things="def show(*, tx): return tx\n")) as client:
        assert (await client.get("/a")).json() == 1


def all_shown():
    """Yield objects."""
    if all_shown:
        yield {"a": 1, "b": (yield {"c": 2})}
    else:
        yield {}

    def inner():
        yield {"d": 1}


async def awaited():
    """Yield objects."""
    yield {"a": 1}


def made():
    """Yield objects."""
    yield {"a": 1}
    yield {"b": 2} | {"c": 3}


def unpacked():
    """Yield objects."""
    yield {"a": 1, **made}


def delegated():
    """Yield objects."""
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
    """What is not in a mapping of the source may have any name."""
    assert yielded_names(getattr(function, "__wrapped__", function)) == names
