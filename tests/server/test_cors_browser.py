"""A page on another port calls the mock, in a browser: `scripts/relay/server/cors.py`."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from functools import partial

import pytest

from support.browsing import browsing
from support.hosting import contract, operation
from support.running import serving

pytestmark = pytest.mark.slow

ORDER = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "example": 7}}}
ANSWER = {"200": {"description": "ok", "content": {"application/json": {"schema": ORDER}}}}
BODY = {"required": True, "content": {"application/json": {"schema": ORDER}}}
DOCUMENT = contract({"/order": {"put": operation("replace", requestBody=BODY, responses=ANSWER)}})
CALL = """
    fetch("%s/order", {method: "PUT", headers: {"Content-Type": "application/json"}, body: '%s'})
        .then(async response => [response.status, response.headers.get("x-mock"), (await response.json()).id ?? null])
        .catch(error => String(error))
"""


@contextmanager
def page(folder):
    """The address of an empty page on a port of its own."""
    (folder / "index.html").write_text("<!doctype html><title>page</title>", "utf-8")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_): ...

    serve = partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


def test_a_page_on_another_port_calls_the_mock(tmp_path):
    """With a method and a media type that need a preflight; it reads results, errors and headers."""
    spec = tmp_path / "api.json"
    spec.write_text(json.dumps(DOCUMENT), "utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "browser").mkdir()
    with (
        page(tmp_path / "site") as address,
        serving(tmp_path, "--spec", str(spec), "--missing", "mock", cwd=tmp_path) as service,
        browsing(tmp_path / "browser") as browser,
    ):
        browser.open(address)

        assert browser.evaluate(CALL % (service.url, '{"id": 1}')) == [200, "true", 7]
        assert browser.evaluate(CALL % (service.url, "{}")) == [400, None, None]
