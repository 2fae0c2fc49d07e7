"""Packages for contracts with the faults of real publishers (`tests/specs/wild`) are complete when they are generated."""

from __future__ import annotations

import importlib
import sys

import pytest

from relay.project.settings import Settings
from relay.server.compilation import create
from support.hosting import SECRET, calling
from support.scaffolded import typed_strictly
from support.wild import CONTRACTS, CREDENTIAL, Project, send, sendable


@pytest.fixture
def generate(monkeypatch, generated_here):
    """Generate a package for a contract, in a folder."""

    def made(name, folder):
        monkeypatch.chdir(folder)
        project = Project.of(name, folder)
        assert project.relay("regenerate") == (0, [])
        return project

    return made


@pytest.fixture(params=CONTRACTS)
def project(request, generate, tmp_path, monkeypatch):
    """A project with a contract and a package that was generated for it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    made = generate(request.param, tmp_path)
    yield made
    for name in [name for name in sys.modules if name.partition(".")[0] == made.package]:
        del sys.modules[name]  # the next package of that name is in another folder


def serve(project, monkeypatch):
    """Serve the stubs of a project, with a key that its settings accept, if it has any."""
    package = importlib.import_module(project.package)
    for name in getattr(package, "test_environment", lambda _folder: {})(project.folder):
        monkeypatch.setenv(name, CREDENTIAL)
    kind = getattr(package, "Settings", Settings)
    return create(kind(spec=project.spec, handlers=project.package, missing=["stub"], jwt_secret=SECRET))


@pytest.mark.slow
def test_nothing_is_left_to_do(project):
    """The first run writes all that the contract asks for: the second changes nothing, and there is no drift."""
    before = project.sources()

    again, drift = project.relay("regenerate"), project.relay("drift")

    assert (again, drift) == ((0, []), (0, []))
    assert project.sources() == before


@pytest.mark.slow
async def test_its_stubs_are_served(project, monkeypatch):
    """The package can be imported, each operation has a function, and a valid request reaches it."""
    application = serve(project, monkeypatch)
    operations = {key: one.binding.operation for key, one in application.endpoints.items()}
    requests = sendable(operations, application.contract)
    async with calling(application) as client:
        statuses = {key: (await send(client, one)).status for key, one in requests.items()}

    assert application.missing == []
    assert sorted(operations.keys() - requests.keys()) == []
    assert {key: status for key, status in statuses.items() if status != 501} == {}


@pytest.mark.corpus
def test_a_type_checker_accepts_every_package(generate, tmp_path):
    """Names and types that only a checker finds wrong are found by the first person who uses one."""
    packages = []
    for name in CONTRACTS:
        (tmp_path / name).mkdir()
        made = generate(name, tmp_path / name)
        packages.append(str(made.folder / made.package))

    assert typed_strictly(tmp_path, *packages).startswith("Success")
