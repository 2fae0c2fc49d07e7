"""Functions that a contract names by Python paths: `named_functions.py`, and what `binding.py` and `app.py` make of them."""

from __future__ import annotations

import sys
from uuid import uuid4

import orjson
import pytest

from relay.contract.diagnostics import SetupError
from relay.project.named_modules import find_module
from relay.project.settings import Settings
from relay.server.compilation import create
from relay.server.named_functions import no_package_message
from support.compiled import read
from support.hosting import calling, contract, host
from support.naming import ANSWER, host_named, named_operation


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project's folder; the finders of the import system are as before afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    return tmp_path


@pytest.fixture
def module(folder):
    """The name of a module that no other test has."""
    return f"service_{uuid4().hex}"


def served(folder, paths, **settings):
    """Serve a contract in a folder."""
    spec = folder / f"{uuid4().hex}.json"
    spec.write_bytes(orjson.dumps(contract(paths)))
    return create(Settings(spec=spec, **settings), folder=folder)


def refusals(folder, paths, **settings):
    """Return why a contract is not served."""
    with pytest.raises(SetupError) as raised:
        served(folder, paths, **settings)
    return [problem.message for problem in raised.value.problems]


async def test_serves_the_functions_that_operation_ids_name(folder, module):
    """A working service of Connexion starts with its contract as it is, without a handlers package."""
    (folder / module).mkdir()
    (folder / module / "pets.py").write_text(
        f"from {module} import names\n"
        "def show():\n    return names.ALL\n"
        "class Pets:\n    @staticmethod\n    def count():\n        return len(names.ALL)\n"
    )
    (folder / module / "names.py").write_text("import shelf\nALL = ['Rex', *shelf.MORE]\n")
    (folder / "shelf.py").write_text("MORE = ['Ada']\n")
    controlled = {"x-openapi-router-controller": f"{module}.pets.Pets", "operationId": "count"}
    paths = {
        "/pets": {"get": {"operationId": f"{module}.pets.show", "responses": ANSWER}},
        "/count": {"get": {**controlled, "responses": ANSWER}},
    }

    async with calling(served(folder, paths)) as client:
        assert (await client.get("/pets")).json() == ["Rex", "Ada"]
        assert (await client.get("/count")).json() == 2


async def test_a_controller_of_a_path_is_that_of_its_operations(folder, module):
    """An operation may have one of its own."""
    (folder / f"{module}.py").write_text("def show():\n    return 'all'\ndef one():\n    return 'one'\n")
    paths = {
        "/pets": {
            "x-openapi-router-controller": module,
            "get": {"operationId": "show", "responses": ANSWER},
            "put": {"operationId": "one", "responses": ANSWER},
        }
    }

    async with calling(served(folder, paths)) as client:
        assert (await client.get("/pets")).json() == "all"
        assert (await client.put("/pets")).json() == "one"


async def test_the_function_of_the_handlers_package_goes_first(folder, monkeypatch, module):
    """A project of Relay whose operationIds have dots is served as before."""
    monkeypatch.syspath_prepend(str(folder))
    (folder / f"{module}.py").write_text("raise RuntimeError('not imported')\n")
    document = contract({"/pets": {"get": {"operationId": f"{module}.show", "responses": ANSWER}}})

    application = host(folder, document, default=f"async def {module}_show():\n    return 'package'\n")

    async with calling(application) as client:
        assert (await client.get("/pets")).json() == "package"


def test_reports_every_missing_function_before_the_start(folder, module):
    """Each with the file to write it in; Connexion stops at the first."""
    (folder / f"{module}.py").write_text("def show():\n    return 1\n")
    names = (f"{module}.show", f"{module}.gone", f"{module}.Pets.get", "elsewhere_x.pets.get", "no-path")
    paths = {f"/{at}": {"get": {"operationId": name, "responses": ANSWER}} for at, name in enumerate(names)}

    assert refusals(folder, paths) == [
        f"GET /1 has no handler: '{module}.gone' is not there; write gone() in {module}.py",
        f"GET /2 has no handler: '{module}.Pets.get' is not there; write Pets.get() in {module}.py",
        "GET /3 has no handler: 'elsewhere_x.pets.get' is not there; write get() in elsewhere_x/pets.py",
        "GET /4 has no handler: write no_path() in the module handlers.default",
    ]


@pytest.mark.parametrize(
    "path", ["os.system", "os.path.exists", "relay.create_app", "httpx.get", "pytest.main"]
)
def test_a_contract_names_no_function_outside_of_the_project(folder, path, module):
    """A contract may come from somebody else: its operationId must not be a way to run any code."""
    (folder / f"{module}.py").write_text("def show():\n    return 1\n")
    paths = {
        "/a": {"get": {"operationId": f"{module}.show", "responses": ANSWER}},
        "/b": {"get": {"operationId": path, "responses": ANSWER}},
    }

    assert "has no handler" in refusals(folder, paths)[0]


def test_a_virtual_environment_in_the_project_is_no_part_of_it(folder):
    """Its packages are installed, even though they are below the folder."""
    packages = folder / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_x.py").touch()
    sys.path.append(str(packages))
    try:
        assert find_module("installed_x.run", folder) is None
        assert find_module("installed_x.run", folder, "installed_x").name == "installed_x"
    finally:
        sys.path.remove(str(packages))


def test_says_where_a_module_fails_that_the_contract_names(folder):
    """A broken module is not a missing one."""
    with pytest.raises(SetupError) as raised:
        host_named(folder, contract({"/a": {"get": named_operation("show")}}), "1 / 0\n")

    (problem,) = raised.value.problems
    assert problem.where.line == 1
    assert problem.message.startswith("cannot be imported: ZeroDivisionError")


def test_a_module_that_is_imported_already_from_elsewhere_is_reported(folder, monkeypatch, module):
    """Its functions would be those of another project."""
    other = type(sys)(module)
    other.__file__ = "/elsewhere/x.py"
    monkeypatch.setitem(sys.modules, module, other)
    (folder / f"{module}.py").write_text("def show():\n    return 1\n")
    paths = {"/a": {"get": {"operationId": f"{module}.show", "responses": ANSWER}}}

    assert refusals(folder, paths) == [
        f"names {module}.py, but the module '{module}' is /elsewhere/x.py; rename yours"
    ]


async def test_what_is_missing_may_be_mocked(folder, module):
    """The functions that are there are served, and no credential is accepted unverified."""
    (folder / f"{module}.py").write_text("def show():\n    return 'shown'\n")
    paths = {
        "/a": {"get": {"operationId": f"{module}.show", "responses": ANSWER}},
        "/b": {"get": {"operationId": f"{module}.gone", "responses": ANSWER}},
    }

    async with calling(served(folder, paths, missing=("mock",))) as client:
        assert (await client.get("/a")).json() == "shown"
        assert (await client.get("/b")).headers["x-mock"] == "true"


def test_says_which_modules_a_contract_names_if_none_is_there():
    """Many contracts have dots in their operationIds, so this is one line for all of them."""
    paths = {"/a": {"get": {"operationId": "youtube.videos.list", "responses": ANSWER}}}

    told = no_package_message("handlers", read(contract(paths)))

    assert told.endswith("or write the modules that the operationIds name, such as youtube/videos.py")
