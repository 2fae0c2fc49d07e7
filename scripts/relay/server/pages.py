"""Pages outside the contract's paths: its documentation, with an ETag, and the health of the process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import orjson

from relay.contract.diagnostics import Diagnostic
from relay.contract.json_text import json_bytes
from relay.contract.methods import operations_in
from relay.contract.model import Contract
from relay.validation.http import ALWAYS, HeaderList, Response

from .conditional import Validators, evaluate

PROBES = frozenset(["/livez", "/readyz", "/metrics"])
"""Paths that monitoring requests every few seconds: exempt from the request limit, logged at debug level."""

READY_TIMEOUT = 3.0  # seconds

_JSON = (b"content-type", b"application/json")
_ASSETS = Path(__file__).parent / "swagger_ui"
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# "Try it out" calls this service, whatever servers the contract lists; the contract is not changed.
# Unused tags are removed because each would be an empty section of the page.
_START = """fetch("openapi.json").then((answer) => answer.json()).then((spec) => {
  const used = new Set(%s);
  spec.tags = (spec.tags || []).filter((tag) => used.has(tag.name));
  spec.servers = [{url: %s, description: "this service"}, ...(spec.servers || [])];
  SwaggerUIBundle({spec, dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});
});
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


class Page:
    """A static page: bytes, or a function that returns them, which is called in a thread at the first request."""

    def __init__(
        self, body: bytes | Callable[[], bytes], media_type: str, *headers: tuple[bytes, bytes]
    ) -> None:
        self._body = body
        self._always: HeaderList = [
            (b"cache-control", b"no-cache"),
            (b"x-content-type-options", b"nosniff"),
            *headers,
        ]
        self._content_type = (b"content-type", media_type.encode())

    async def response(self, headers: HeaderList) -> Response:
        """Return the page, or 304 if the client has the current version (RFC 9110 section 13.1.2)."""
        if callable(self._body):
            self._body = await asyncio.to_thread(self._body)
        etag, full = self._prepared
        if evaluate(headers, Validators(etag, None)) == 304:
            return Response(304, full.headers[1:], b"")
        return full

    @cached_property
    def _prepared(self) -> tuple[str, Response]:
        assert isinstance(self._body, bytes)  # `response` has called the function
        etag = f'"{hashlib.blake2b(self._body, digest_size=16).hexdigest()}"'
        return etag, Response(200, [self._content_type, (b"etag", etag.encode()), *self._always], self._body)


def contract_pages(contract: Contract) -> dict[str, Page]:
    """Return the contract as JSON and YAML, by path; written at the first request, as it takes time."""
    return {
        "/openapi.json": Page(lambda: json_bytes(contract.published), "application/json"),
        "/openapi.yaml": Page(contract.as_yaml, "application/yaml"),
    }


def swagger_pages(contract: Contract) -> dict[str, Page]:
    """Return Swagger UI and its assets, by path; no asset is loaded from another host."""
    page = _PAGE.format(title=escape(contract.title)).encode()
    assets = {
        "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "swagger-ui.css": "text/css; charset=utf-8",
        "favicon-32x32.png": "image/png",
    }
    return {
        "/docs": Page(page, "text/html; charset=utf-8", (b"content-security-policy", _POLICY)),
        "/docs/start.js": Page(lambda: _start(contract), "text/javascript; charset=utf-8"),
        **{f"/docs/{name}": Page((_ASSETS / name).read_bytes, kind) for name, kind in assets.items()},
    }


def _start(contract: Contract) -> bytes:
    shown = json_bytes(sorted(_used_tags(contract.published))), json_bytes(contract.base_path or "/")
    return (_START % tuple(one.decode() for one in shown)).encode()


def _used_tags(document: Mapping[str, Any]) -> set[str]:
    """Return the tags of all operations of a document, also those that a path or a webhook refers to."""
    components = document.get("components")
    shared = components.get("pathItems") if isinstance(components, dict) else None
    groups = [document.get("paths"), document.get("webhooks"), shared]
    items = [item for group in groups if isinstance(group, dict) for item in group.values()]
    listed = [operation.get("tags") for item in items for _, _, operation in operations_in(item)]
    return {tag for tags in listed if isinstance(tags, list) for tag in tags if isinstance(tag, str)}


async def to_docs() -> Response:
    """Redirect from `/` to the docs; the relative URL also works behind a proxy that strips a prefix."""
    return Response(302, [(b"location", b"docs"), (b"cache-control", b"no-cache")], b"")


async def livez() -> Response:
    """Return 200."""
    return Response(200, [_JSON, *ALWAYS], b'{"status":"live"}')


async def readyz(
    collaborators: Mapping[str, Any], reload_problems: Iterable[Diagnostic] = (), not_served: int = 0
) -> Response:
    """Return 200 if `ready()` of all collaborators succeeds, else 503; with what is not reloaded or served."""
    checks = {name: one.ready() for name, one in collaborators.items() if hasattr(one, "ready")}
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            results = await asyncio.gather(*checks.values(), return_exceptions=True)
    except TimeoutError:
        results = [TimeoutError()] * len(checks)
    ended = zip(checks, results, strict=True)
    failing = [name for name, result in ended if isinstance(result, BaseException)]
    body: dict[str, Any] = {"status": "unavailable", "failing": failing} if failing else {"status": "ready"}
    if not_served:
        body["not_served"] = not_served
    if reload := [{"where": str(one.where), "message": one.message} for one in reload_problems]:
        body["reload"] = reload
    return Response(503 if failing else 200, [_JSON, *ALWAYS], orjson.dumps(body))
