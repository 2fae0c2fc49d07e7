"""A page on another port calls the mock, in a browser: `scripts/relay/server/cors.py`."""

from __future__ import annotations

import json

import pytest

from support.answering import PreparedResponse, answering
from support.browsing import browsing
from support.hosting import contract, json_of, operation
from support.running import serving

pytestmark = pytest.mark.slow

ORDER = json_of(
    {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "example": 7}}}
)
REPLACE = operation("replace", requestBody={"required": True, **ORDER}, responses={"200": ORDER})
DOCUMENT = contract({"/order": {"put": REPLACE}})
CALL = """
    fetch("%s/order", {method: "PUT", headers: {"Content-Type": "application/json"}, body: '%s'})
        .then(async response => [response.status, response.headers.get("x-mock"), (await response.json()).id ?? null])
        .catch(error => String(error))
"""


PAGE = PreparedResponse(body=b"<!doctype html><title>page</title>", media_type="text/html")


def test_a_page_on_another_port_calls_the_mock(tmp_path):
    """With a method and a media type that need a preflight; it reads results, errors and headers."""
    spec = tmp_path / "api.json"
    spec.write_text(json.dumps(DOCUMENT), "utf-8")
    (tmp_path / "browser").mkdir()
    with (
        answering(lambda _request: PAGE) as address,
        serving(tmp_path, "--spec", str(spec), "--missing", "mock", cwd=tmp_path) as service,
        browsing(tmp_path / "browser") as browser,
    ):
        browser.open(address)

        assert browser.evaluate(CALL % (service.url, '{"id": 1}')) == [200, "true", 7]
        assert browser.evaluate(CALL % (service.url, "{}")) == [400, None, None]
