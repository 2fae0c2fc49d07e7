"""Pages that the server adds to those of the contract: `scripts/relay/server/pages.py`."""

import asyncio

import pytest
import yaml

from support.hosting import ask, calling, contract, operation

DOCUMENT = contract({"/a": {"get": operation("show")}})
THINGS = "def show():\n    return 'mine'\n"
INIT = """
    import asyncio
    from contextlib import asynccontextmanager

    class Part:
        failure = None

        async def ready(self):
            if self.failure:
                raise self.failure
            await asyncio.sleep(self.delay)

        delay = 0

    @asynccontextmanager
    async def collaborators(settings):
        yield {"part": Part(), "plain": object()}
"""


async def test_is_ready_when_its_collaborators_are(hosted):
    service = hosted()
    async with calling(service) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        service.collaborators["part"].failure = RuntimeError("sk_canary")
        response = await client.get("/readyz")
        live = await client.get("/livez")  # whatever state its database is in

    assert (response.status_code, response.json()) == (503, {"status": "unavailable", "failing": ["part"]})
    assert (live.status_code, live.json()) == (200, {"status": "live"})


async def test_does_not_wait_for_a_collaborator_for_ever(hosted, monkeypatch):
    """A probe has its own patience, and it is short."""
    monkeypatch.setattr("relay.server.pages.READY_TIMEOUT", 0.01)
    service = hosted()
    async with calling(service) as client:
        service.collaborators["part"].delay = 60
        async with asyncio.timeout(5):
            assert (await client.get("/readyz")).status_code == 503


async def test_serves_the_contract_in_both_forms(hosted):
    service = hosted()
    async with calling(service) as client:
        as_json = await client.get("/openapi.json")
        as_yaml = await client.get("/openapi.yaml")

    assert as_json.headers["content-type"] == "application/json"
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert as_json.json() == yaml.safe_load(as_yaml.content) == service.contract.document


async def test_spares_a_client_what_it_has(hosted):
    """RFC 9110 section 13.1.2, weak tags and lists included."""
    async with calling(hosted()) as client:
        etag = (await client.get("/openapi.json")).headers["etag"]
        for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            spared = await client.get("/openapi.json", headers={"If-None-Match": value})
            assert (spared.status_code, spared.content, spared.headers["etag"]) == (304, b"", etag)
        full = await client.get("/openapi.json", headers={"If-None-Match": '"other"'})

    assert full.status_code == 200


async def test_serves_swagger_ui_from_its_own_files(hosted):
    """No CDN: every address in the page is one of ours, and answers."""
    async with calling(hosted()) as client:
        page = await client.get("/docs")
        assert "//" not in page.text.replace("<!doctype html>", "")
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "favicon-32x32.png"):
            assert f"docs/{name}" in page.text
            assert (await client.get(f"/docs/{name}")).status_code == 200

    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_the_page_keeps_the_tags_of_all_operations(hosting):
    """Also of those that a path or a webhook refers to; the section of another tag would be empty."""
    items = {name: {"get": {**operation(name), "tags": [name]}} for name in ("shared", "direct", "hook")}
    copy = {"additionalOperations": {"COPY": {**operation("copy"), "tags": ["copy"]}}}
    document = contract(
        {"/a": {"$ref": "#/components/pathItems/shared"}, "/b": items["direct"] | copy},
        openapi="3.2.0",
        webhooks={"hook": items["hook"]},
        components={"pathItems": {"shared": items["shared"]}},
        tags=[{"name": name} for name in ("shared", "direct", "hook", "copy", "unused")],
    )

    start = (await ask(hosting(document, settings={"missing": "mock"}), "/docs/start.js")).text

    assert 'new Set(["copy","direct","hook","shared"])' in start


async def test_pages_take_get_and_head_only(hosted):
    response = await ask(hosted(), "/openapi.json", "POST")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("settings", "there", "gone"),
    [
        ({"docs": False}, ["/openapi.json"], ["/docs", "/docs/start.js"]),
        ({"openapi": False}, ["/livez"], ["/openapi.json", "/openapi.yaml", "/docs"]),
    ],
)
async def test_can_be_switched_off(hosted, settings, there, gone):
    """Swagger UI without a contract to show would be of no use."""
    async with calling(hosted(**settings)) as client:
        assert [(await client.get(path)).status_code for path in there] == [200] * len(there)
        assert [(await client.get(path)).status_code for path in gone] == [404] * len(gone)


async def test_the_root_leads_to_the_docs(hosted, hosting):
    """A newcomer opens the address that the terminal shows; a path of the contract is answered by its operation."""
    with_root = contract({"/": {"get": operation("show")}})

    found = await ask(hosted(), "/")
    own = await ask(hosting(with_root, things=THINGS), "/")
    none = await ask(hosted(docs=False), "/")

    assert (found.status_code, found.headers["location"]) == (302, "docs")
    assert own.json() == "mine"
    assert none.status_code == 404
