"""Handlers that return a body where the contract documents none: `relay.server.undocumented_bodies`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import Severity
from relay.server.function_checks import names_body
from support.hosting import calling, contract, logged, operation

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
        "dict",
        "'dict[str, int]'",
        "tuple[dict, int]",
        "dict | None",
        "Optional[dict]",
        "relay.Result[dict]",
        "'relay.Result[str]'",
    ],
)
def test_a_body_that_is_not_documented_is_said_at_the_start(hosted, returns):
    """With the places of function and contract: every request would be a 500."""
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
        "None",
        "'None'",
        "relay.Result[None]",
        "tuple[None, int]",
        "Any",
        "'Reply | None'",
        "'None | tuple[None, Literal[304]]'",
    ],
)
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

    async with calling(application) as client:
        response = await client.get("/a")

    assert (response.headers.get("content-type"), response.content) == (media_type, sent)
    assert len(logged(caplog, "response violation")) == 1
