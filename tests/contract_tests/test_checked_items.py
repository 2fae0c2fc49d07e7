"""Streams of items that are compared with the contract: `ConformanceChecker`."""

from __future__ import annotations

import pytest

from relay.contract.loading import load_contract
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.exchanges import Exchange, Request
from support.compiled import read
from support.hosting import contract, operation
from support.running import ROOT

CHECKER = ConformanceChecker(load_contract(ROOT / "tests/specs/streams/openapi.yaml"), "")
GOOD = b'{"at": "2026-01-01T00:00:00Z", "celsius": 1}'


@pytest.mark.parametrize(
    ("media_type", "body", "at"),
    [
        ("application/jsonl", GOOD + b"\n" + GOOD + b"\n", None),
        ("application/jsonl", GOOD + b"\n{}\n", " at /*/at"),
        ("application/jsonl", b"no", ""),
        ("application/json-seq", b"\x1e" + GOOD + b"\n", None),
        ("application/json-seq", (b"\x1e" + GOOD + b"\n") * 101, ""),
        ("text/event-stream", b": hi\n\nevent: calm\ndata: " + GOOD + b"\n\n", None),
        ("text/event-stream", b"data: " + GOOD + b"\n\n", " at /*/event"),
        ("text/event-stream", b"event: calm\ndata: {}\n\n", " at /*/data"),
    ],
)
def test_each_item_of_a_response_is_compared(media_type, body, at):
    """Also those of another server, and all of them with the schema of the whole."""
    request = Request("GET", "http://test/measurements", (), None)
    found = CHECKER.check(Exchange(request, 200, (("Content-Type", media_type),), body, "test"))

    messages = [one.message for one in found]
    assert bool(messages) is (at is not None)
    assert at is None or any(f"its schema{at}" in message for message in messages)


@pytest.mark.parametrize(("body", "is_valid"), [(GOOD + b"\n" + GOOD, True), (GOOD + b"\n{}", False)])
def test_each_item_of_a_request_is_compared(body, is_valid):
    request = Request("POST", "http://test/measurements", (("Content-Type", "application/jsonl"),), body)
    operation = next(one for one in CHECKER.contract.operations if one.method == "post")

    assert CHECKER.is_valid_request(request, operation) is is_valid


ITEMS = {media_type: {"itemSchema": {}} for media_type in ("application/jsonl", "text/event-stream")}
STREAMED = operation("add", requestBody={"required": True, "content": ITEMS})


@pytest.mark.parametrize(
    ("media_type", "is_valid"),
    [
        ("application/jsonl", True),
        ("text/event-stream; charset=utf-8", True),
        ("", False),
        ("text/csv", False),
    ],
)
def test_a_stream_without_an_item_is_no_missing_body(media_type, is_valid):
    contract_ = read({**contract({"/rows": {"post": STREAMED}}), "openapi": "3.2.0"})
    headers = (("Content-Type", media_type),) if media_type else ()
    request = Request("POST", "http://test/rows", headers, b"")

    checker = ConformanceChecker(contract_, "")
    assert checker.is_valid_request(request, contract_.operations[0]) is is_valid
