"""A project → its service: `scripts/relay/server/application.py`, with the key of `token_minting.py`."""

import json
import stat
import sys

import pytest

import relay
from relay.contract.diagnostics import SetupError
from relay.project.project import Project
from relay.server.token_minting import development_key
from support.hosting import SECRET, ask, assert_problem, bearer, contract, operation, write_package

BEARER = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
OPEN = contract({"/a": {"get": operation("show")}})
SIGNED = contract({"/a": {"get": operation("show", security=[{"token": []}])}}, components=BEARER)
THINGS = "def show():\n    return 'shown'\n"


pytestmark = pytest.mark.usefixtures("without_settings")


@pytest.fixture(autouse=True)
def _path_as_before(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def project(tmp_path):
    """Write a project around a contract, and return its folder; its package has a name of its own."""

    def project(document):
        folder = tmp_path / "project"
        folder.mkdir()
        package = write_package(folder, things=THINGS)
        (folder / "api.json").write_text(json.dumps(document), "utf-8")
        table = f"[tool.relay]\nspec = 'api.json'\nhandlers = '{package}'\n"
        (folder / "pyproject.toml").write_text(table, "utf-8")
        return folder

    return project


async def shown(application, **headers):
    return await ask(application, headers=headers)


async def test_serves_the_project_of_the_working_directory(project, monkeypatch):
    """Its folder need not be on the import path, and any folder below it is of the project."""
    below = project(OPEN) / "docs" / "deeper"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert (await shown(relay.create_app())).json() == "shown"


async def test_an_argument_goes_before_a_setting_before_the_project(project, monkeypatch, tmp_path):
    folder = project(OPEN)
    monkeypatch.chdir(folder)
    (tmp_path / "other.json").write_text(json.dumps(OPEN), "utf-8")
    other = write_package(folder, things="def show():\n    return 'other'\n")
    by_argument = relay.create_app(str(tmp_path / "other.json"), other, relay.Settings(docs=False))
    by_setting = relay.create_app(settings=relay.Settings(handlers=other, docs=False))

    assert (await shown(by_argument)).json() == (await shown(by_setting)).json() == "other"
    assert by_argument.contract.place(()).file == "../other.json"
    assert (by_argument.settings.docs, by_setting.settings.docs) == (False, False)


def test_says_where_no_project_is():
    with pytest.raises(SetupError, match=r"^/.*: no project here: .*run `relay init`, or name a contract"):
        relay.create_app()


async def test_a_service_in_development_signs_with_a_key_of_its_own(project, monkeypatch):
    """It is kept in the project, for its owner, out of git, and is the same at the next start."""
    folder = project(SIGNED)
    monkeypatch.chdir(folder)

    first = await shown(relay.create_app())
    key = (folder / ".relay" / "development.key").read_text("ascii")
    second = await shown(relay.create_app(), **bearer({"sub": "u"}, key))
    foreign = await shown(relay.create_app(), **bearer({"sub": "u"}))

    assert_problem(first, 401, "UNAUTHENTICATED")
    assert second.json() == "shown"
    assert_problem(foreign, 401, "UNAUTHENTICATED")
    assert len(key) == 64
    assert stat.S_IMODE((folder / ".relay" / "development.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / ".relay").stat().st_mode) == 0o700
    assert (folder / ".relay" / ".gitignore").read_text("ascii") == "*\n"


@pytest.mark.parametrize(
    ("document", "settings"),
    [(OPEN, {}), (SIGNED, {"jwt_secret": SECRET})],
    ids=["no tokens are needed", "a key is set"],
)
def test_makes_no_key_that_is_not_needed(project, monkeypatch, document, settings):
    folder = project(document)
    monkeypatch.chdir(folder)
    relay.create_app(settings=relay.Settings(**settings))
    assert not (folder / ".relay").exists()


def test_makes_no_key_in_production(project, monkeypatch):
    folder = project(SIGNED)
    monkeypatch.chdir(folder)
    with pytest.raises(SetupError, match=r"^RELAY_JWT_SECRET: missing"):
        relay.create_app(settings=relay.Settings(environment="production"))
    assert not (folder / ".relay").exists()


def test_an_implicit_project_keeps_no_key(tmp_path):
    """Its folder is a project only by --spec: each process has a key of its own, and no file is written."""
    (tmp_path / "api.json").write_text(json.dumps(SIGNED), "utf-8")
    package = write_package(tmp_path, things=THINGS)
    before = {*tmp_path.iterdir()}
    implicit = Project(tmp_path, is_implicit=True)

    assert relay.create_app("api.json", package).settings.jwt_secret is not None
    assert development_key(implicit) != development_key(implicit)
    assert {*tmp_path.iterdir()} == before


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64])
def test_a_damaged_key_is_reported(project, monkeypatch, content):
    folder = project(SIGNED)
    monkeypatch.chdir(folder)
    (folder / ".relay").mkdir()
    (folder / ".relay/development.key").write_bytes(content)
    with pytest.raises(SetupError, match=r"development.key: is not a development key; delete it"):
        relay.create_app()
