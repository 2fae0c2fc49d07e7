"""Functions of the project, and where an import fails: `handler_modules.py`, and what `binding.py` and `app.py` make of it."""

import sys
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from relay.contract.diagnostics import SetupError
from relay.project.named_modules import find_module
from relay.project.settings import Settings
from relay.server.compilation import create
from relay.server.handler_modules import import_module, no_package_message
from support.compiled import read
from support.hosting import ask, calling, contract, write_package
from support.naming import ANSWER, host_named, named_operation


@pytest.fixture
def folder(as_before, tmp_path):
    return tmp_path


@pytest.fixture
def module(folder):
    """The name of a module that no other test has, with a function `show`."""
    name = f"service_{uuid4().hex}"
    (folder / f"{name}.py").write_text("def show():\n    return 'shown'\ndef one():\n    return 'one'\n")
    return name


def paths_of(*names):
    """Operations `GET /0`, `GET /1`, … that name these functions."""
    return {f"/{at}": {"get": {"operationId": name, "responses": ANSWER}} for at, name in enumerate(names)}


def served(folder, paths, **settings):
    spec = folder / f"{uuid4().hex}.json"
    spec.write_bytes(orjson.dumps(contract(paths)))
    return create(Settings(spec=spec, **settings), folder=folder)


def refusals(folder, paths, **settings):
    """Return why a contract is not served."""
    with pytest.raises(SetupError) as raised:
        served(folder, paths, **settings)
    return [problem.message for problem in raised.value.problems]


async def test_serves_the_functions_that_operation_ids_name(folder):
    """A working service of Connexion starts with its contract as it is, without a handlers package."""
    name = f"service_{uuid4().hex}"
    (folder / name).mkdir()
    (folder / name / "pets.py").write_text(
        f"from {name} import names\n"
        "def show():\n    return names.ALL\n"
        "class Pets:\n    @staticmethod\n    def count():\n        return len(names.ALL)\n"
    )
    (folder / name / "names.py").write_text("import shelf\nALL = ['Rex', *shelf.MORE]\n")
    (folder / "shelf.py").write_text("MORE = ['Ada']\n")
    paths = paths_of(f"{name}.pets.show", "count")
    paths["/1"]["get"]["x-openapi-router-controller"] = f"{name}.pets.Pets"

    async with calling(served(folder, paths)) as client:
        assert (await client.get("/0")).json() == ["Rex", "Ada"]
        assert (await client.get("/1")).json() == 2


async def test_a_controller_of_a_path_is_that_of_its_operations(folder, module):
    paths = {
        "/pets": {
            "x-openapi-router-controller": module,
            "get": {"operationId": "show", "responses": ANSWER},
            "put": {"operationId": "one", "responses": ANSWER},
        }
    }

    async with calling(served(folder, paths)) as client:
        assert (await client.get("/pets")).json() == "shown"
        assert (await client.put("/pets")).json() == "one"


async def test_the_function_of_the_handlers_package_goes_first(hosting, folder, module):
    """A project of Relay whose operationIds have dots is served as before."""
    (folder / f"{module}.py").write_text("raise RuntimeError('not imported')\n")
    application = hosting(
        contract(paths_of(f"{module}.show")), default=f"async def {module}_show():\n    return 'package'\n"
    )
    assert (await ask(application, "/0")).json() == "package"


def test_reports_every_missing_function_before_the_start(folder, module):
    """Each with the file to write it in; Connexion stops at the first."""
    names = (f"{module}.show", f"{module}.gone", f"{module}.Pets.get", "elsewhere_x.pets.get", "no-path")

    assert refusals(folder, paths_of(*names)) == [
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
    assert "has no handler" in refusals(folder, paths_of(f"{module}.show", path))[0]


def test_a_virtual_environment_in_the_project_is_no_part_of_it(folder):
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
    with pytest.raises(SetupError) as raised:
        host_named(folder, contract({"/a": {"get": named_operation("show")}}), "1 / 0\n")
    (problem,) = raised.value.problems
    assert problem.where.line == 1
    assert problem.message.startswith("cannot be imported: ZeroDivisionError")


def test_a_module_that_is_imported_already_from_elsewhere_is_reported(folder, monkeypatch, module):
    other = type(sys)(module)
    other.__file__ = "/elsewhere/x.py"
    monkeypatch.setitem(sys.modules, module, other)
    assert refusals(folder, paths_of(f"{module}.show")) == [
        f"names {module}.py, but the module '{module}' is /elsewhere/x.py; rename yours"
    ]


async def test_what_is_missing_may_be_mocked(folder, module):
    paths = paths_of(f"{module}.show", f"{module}.gone")
    async with calling(served(folder, paths, missing=("mock",))) as client:
        assert (await client.get("/0")).json() == "shown"
        assert (await client.get("/1")).headers["x-mock"] == "true"


def test_says_which_modules_a_contract_names_if_none_is_there():
    """Many contracts have dots in their operationIds, so this is one line for all of them."""
    message = no_package_message("handlers", read(contract(paths_of("youtube.videos.list"))))
    assert message.endswith("or write the modules that the operationIds name, such as youtube/videos.py")


MAKES_AN_APPLICATION = """\
import connexion

app = connexion.AsyncApp(__name__)
app.add_api("not-there.yaml")
"""
MAKES_A_FLASK_APPLICATION = """\
import connexion

app = connexion.FlaskApp(__name__)
"""


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Import a module of a package that cannot be imported; return file, line and message."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])

    def refused(folder=tmp_path, **modules):
        folder.mkdir(exist_ok=True)
        name = write_package(folder, **{"pets": "", **modules})
        monkeypatch.syspath_prepend(folder)
        with pytest.raises(SetupError) as raised:
            import_module(f"{name}.pets", "contract.yaml")
        (problem,) = raised.value.problems
        return Path(problem.where.file).name, problem.where.line, problem.message

    return refused


def test_a_line_that_calls_a_library_is_the_place(refused):
    file, line, message = refused(pets="import json\n\nX = json.loads('{')\n")
    assert (file, line) == ("pets.py", 3)
    assert message.startswith("cannot be imported: JSONDecodeError: Expecting")


def test_the_innermost_line_of_the_project_is_the_place(refused):
    file, line, _ = refused(pets="from . import shelf\n", shelf="\n1 / 0\n")
    assert (file, line) == ("shelf.py", 2)


def test_a_line_of_an_installed_package_is_its_own_place(refused, tmp_path):
    file, line, _ = refused(tmp_path / "site-packages", pets="import re\n\n\nre.compile('(')\n")
    assert (file, line) == ("pets.py", 4)


def test_an_application_of_connexion_that_fails_is_not_needed(refused):
    """Wherever in the package it is made, and whatever fails in Connexion."""
    file, line, message = refused(init=MAKES_AN_APPLICATION)
    assert (file, line) == ("__init__.py", 4)
    assert "FileNotFoundError" in message
    assert "make the application below `if __name__ == '__main__':`" in message


def test_an_application_of_flask_is_named_as_the_reason(refused, monkeypatch):
    """Flask is an extra of Connexion, which Relay does not install."""
    monkeypatch.setitem(sys.modules, "flask", None)
    for name in [one for one in sys.modules if one.startswith("connexion.apps.flask")]:
        monkeypatch.delitem(sys.modules, name)
    file, line, message = refused(init=MAKES_A_FLASK_APPLICATION)
    assert (file, line) == ("__init__.py", 3)
    assert message.startswith("cannot be imported: Flask is not installed; Relay serves the contract itself")
