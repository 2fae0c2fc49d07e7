"""The files that `relay regenerate` writes in addition to operations and types: `scripts/relay/codegen/missing_hooks.py`."""

from __future__ import annotations

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.package_source import Sources
from support.hosting import calling, contract, host, operation
from support.scaffolded import FOLDER, in_sync, regenerated, sources_of, state_of, text

TEXT = {"type": "string"}
MESSAGE = {"type": "object", "required": ["message"], "properties": {"message": TEXT}}
TITLE = {"type": "object", "required": ["title"], "properties": {"title": TEXT}}
NONE = Sources("shop", FOLDER, {})
SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "login": {"type": "http", "scheme": "basic"},
    "token": {"type": "http", "scheme": "bearer"},
}


def answer(schema, media_type="application/json"):
    return {"description": "no", "content": {media_type: {"schema": schema}}}


def showing(*, security=(), **responses):
    asked = [{name: []} for name in security]
    one = operation("show", responses={"200": {"description": "ok"}, **responses}, security=asked)
    schemes = {name: SCHEMES[name] for name in security}
    return contract({"/a": {"get": one}}, components={"securitySchemes": schemes})


ERRORS = {"500": answer(MESSAGE)}
BOTH = {"_errors.py", "__init__.py"}
RENDERER = "def render_error(report): ...\n"


def written(document, sources=NONE):
    _, made = regenerated(state_of(document, sources))
    return {path.relative_to(FOLDER).as_posix() for path in made.changes}, made


class TestNewPackage:
    """A package that does not exist yet."""

    def test_renders_errors_as_the_contract_documents_them(self):
        """So that nothing is left to do for a person, and a second run changes nothing."""
        after, made = regenerated(state_of(showing(**ERRORS), NONE))

        assert text(after.sources, "__init__").endswith("__all__ = ['render_error']\n")
        assert "'message': report.sentence" in text(after.sources, "_errors")
        assert made.remaining == []
        assert made.actions[:2] == ["created the package shop", "created /project/shop/_errors.py"]
        assert regenerated(after)[1].changes == {}

    @pytest.mark.parametrize(
        "responses",
        [{}, {"500": {"description": "Only words."}}, {"500": answer(MESSAGE, "application/xml")}],
        ids=["nothing", "words", "xml"],
    )
    def test_has_no_renderer_where_no_error_can_be_written_as_documented(self, responses):
        """Errors are problem details then, and no finding asks a person for what cannot be done."""
        names, made = written(showing(**responses))

        assert names == {"__init__.py", "things.py", "_types.py"}
        assert made.remaining == []

    def test_verifies_keys_and_passwords(self):
        """Relay verifies tokens itself; the line names the settings that are now needed."""
        names, made = written(showing(security=["key", "login", "token"]))

        assert {"_settings.py", "_identity.py", "_collaborators.py"} <= names
        lists = "RELAY_KEY, RELAY_LOGIN lists accepted credentials; without it, each is refused (401)"
        assert f"created /project/shop/_settings.py: {lists}" in made.actions
        assert written(showing(security=["token"]))[0] == {"__init__.py", "things.py", "_types.py"}


class TestExistingPackage:
    """A package that a person has begun."""

    def test_keeps_its_init_and_names_the_line_to_add(self):
        """A person's code is not edited."""
        names, made = written(showing(**ERRORS), sources_of(init="LIMIT = 3\n"))

        assert "_errors.py" in names
        assert "__init__.py" not in names
        [finding] = made.remaining
        assert finding.message == (
            "GET /a documents 500 without application/problem+json, the media type of its error bodies: add "
            "`from ._errors import render_error` to /project/shop/__init__.py"
        )

    @pytest.mark.parametrize(
        ("errors", "modules", "found"),
        [
            (ERRORS, {"init": '"""Ours."""\n'}, BOTH),  # its import is written, too
            # A renderer, and a module of errors, are a person's, also where the bodies are wrong.
            (ERRORS, {"init": "from ._errors import render_error\n", "_errors": RENDERER}, set()),
            (ERRORS, {"init": RENDERER}, set()),
            (ERRORS, {"_errors": "class Lost(Exception): ...\n"}, set()),
            # A command changes nothing without a reason.
            ({"500": answer({}, "application/problem+json")}, {}, set()),
        ],
    )
    def test_gets_a_renderer_only_where_its_errors_violate_the_contract(self, errors, modules, found):
        names, made = written(showing(**errors), sources_of(**modules))

        assert names & BOTH == found
        assert not (found and made.remaining)

    @pytest.mark.parametrize(
        ("modules", "is_written"),
        [({}, True), ({"_identity": ""}, False), ({"init": "verifiers = {}\n"}, False)],
        ids=["none", "begun", "exported"],
    )
    def test_gets_verifiers_only_where_no_person_has_begun(self, modules, is_written):
        generated = in_sync(showing())
        names, _ = written(showing(security=["key"]), generated.changed(sources_of(**modules).files))

        assert ("_settings.py" in names) is is_written


class TestServed:
    """A generated package runs."""

    @pytest.fixture
    def shop(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(str(tmp_path))
        document = showing(security=["key", "login"], **{"401": answer(MESSAGE), "default": answer(MESSAGE)})
        sources = regenerated(state_of(document, NONE))[0].sources
        files = sources.files.items()
        modules = {path.stem.replace("__init__", "init"): content.decode() for path, content in files}

        def shop(**settings):
            import importlib

            name = host(tmp_path, document, **modules).package.__name__
            kind = importlib.import_module(name).Settings
            return host(tmp_path, document, kind=kind, settings=settings, **modules)

        return shop

    async def test_accepts_a_key_that_its_setting_lists(self, shop):
        """A stub answers 501 then; any other key, and a request without one, is refused in the documented form."""
        async with calling(shop(key="first, second", login="ada:secret")) as client:
            accepted = await client.get("/a", headers={"X-Key": "second"})
            signed_in = await client.get("/a", auth=("ada", "secret"))
            refused = await client.get("/a", headers={"X-Key": "third"})

        assert (accepted.status_code, signed_in.status_code) == (501, 501)
        assert (refused.status_code, refused.json()) == (401, {"message": "A valid credential is required"})

    async def test_refuses_every_key_where_none_is_set(self, shop):
        """In development, so that a new package starts."""
        async with calling(shop()) as client:
            assert (await client.get("/a", headers={"X-Key": ""})).status_code == 401

    def test_does_not_start_in_production_without_its_keys(self, shop, monkeypatch):
        """An operator has to set them; the error names the variables."""
        kind = shop().settings.__class__
        monkeypatch.setenv("RELAY_ENVIRONMENT", "production")

        with pytest.raises(SetupError) as raised:
            kind.load()

        assert [str(one) for one in raised.value.problems] == [
            f"RELAY_{name}: missing: it lists the accepted credentials; set it" for name in ("KEY", "LOGIN")
        ]
