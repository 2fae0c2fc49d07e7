"""What a handlers package may export: `scripts/relay/server/package_hooks.py`."""

from __future__ import annotations

import pytest

from relay.contract.diagnostics import SetupError
from support.hosting import assert_problem, calling, contract, host, operation

THINGS = "def show(*, shelf):\n    return shelf\n"
DOCUMENT = contract({"/a": {"get": operation("show")}})

FORMS = {
    "a function": "def collaborators(settings):\n    return {'shelf': 'crime'}\n",
    "a coroutine": "async def collaborators(settings):\n    return {'shelf': 'crime'}\n",
    "a generator": "def collaborators(settings):\n    yield {'shelf': 'crime'}\n    LOG.append('closed')\n",
    "an async generator": "async def collaborators(settings):\n    yield {'shelf': 'crime'}\n    LOG.append('closed')\n",
    "a context manager": (
        "from contextlib import contextmanager\n@contextmanager\n"
        "def collaborators(settings):\n    yield {'shelf': 'crime'}\n    LOG.append('closed')\n"
    ),
    "an async context manager": (
        "from contextlib import asynccontextmanager\n@asynccontextmanager\n"
        "async def collaborators(settings):\n    yield {'shelf': 'crime'}\n    LOG.append('closed')\n"
    ),
}


@pytest.mark.parametrize("form", FORMS)
async def test_collaborators_may_be(tmp_path, monkeypatch, form):
    """Each form gives the same objects; what yields is closed when the service ends."""
    monkeypatch.syspath_prepend(tmp_path)
    application = host(tmp_path, DOCUMENT, init=f"LOG = []\n{FORMS[form]}", things=THINGS)

    async with calling(application) as client:
        answer = await client.get("/a")
        assert application.package.LOG == []

    assert answer.json() == "crime"
    assert (["closed"] if "yield" in FORMS[form] else []) == application.package.LOG


@pytest.mark.parametrize("returned", ["None", "['shelf']", "3"])
async def test_anything_else_is_refused_at_the_start(tmp_path, monkeypatch, returned):
    """The message says what it must be."""
    monkeypatch.syspath_prepend(tmp_path)
    init = f"def collaborators(settings):\n    return {returned}\n"
    application = host(tmp_path, DOCUMENT, init=init, things=THINGS)

    with pytest.raises(SetupError, match="must return or yield a mapping of names to objects, not "):
        async with application.running():
            pass


KEYED = contract(
    {"/a": {"get": operation("show", security=[{"key": []}])}},
    components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
)


@pytest.mark.parametrize(
    "outcome", ["return None", "return {}", "raise ValueError('sk_canary')", "int(credential)"]
)
@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_a_verifier_rejects_by(tmp_path, monkeypatch, kind, outcome):
    """None, no claims and ValueError are the same 401, in a plain function and in a coroutine."""
    monkeypatch.syspath_prepend(tmp_path)
    init = f"{kind} verify(credential):\n    {outcome}\nverifiers = {{'key': verify}}\n"
    application = host(tmp_path, KEYED, init=init, things="def show():\n    return 'secret'\n")

    async with calling(application) as client:
        answer = await client.get("/a", headers={"X-Key": "wrong"})

    assert_problem(answer, 401, "UNAUTHENTICATED")
    assert "sk_canary" not in answer.text
