"""Which modules come from a project's folder: `scripts/relay/project/import_path.py`."""

import importlib
import importlib.metadata
import json
import os
import sys

import pytest

from relay.project.import_path import FolderFinder, NeighbourFinder, make_importable
from support.hosting import SECRET, contract, operation, write_package
from support.running import COMMAND, ROOT, as_project, ended, environment, serving

SAFE = [sys.executable, "-P", "-m", "relay"]
"""The command as its script runs it: without the working directory on the import path."""

FOREIGN = """
import pathlib
pathlib.Path(__file__).with_name("executed").open("a").write(f"{__name__}\\n")
raise ImportError("not Python's, nor the installed one")
"""


def run(folder, *command, **variables):
    given = {"RELAY_JWT_SECRET": SECRET, "RELAY_PORT": "0", **variables}
    return ended(command, folder, env=environment(folder, **given), timeout=120)


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])


@pytest.fixture
def planted(tmp_path):
    """A project whose folder has a module for each name of Python and of an installed package."""
    as_project(tmp_path)
    names = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions(), "relay"}
    for name in names - {"handlers", "spec"}:
        (tmp_path / f"{name}.py").write_text(FOREIGN, "utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "lint", "drift", "keys status", "--help", "init new"])
def test_a_command_executes_no_module_that_only_lies_there(planted, command):
    """A clone, or a folder of downloads, contains any file."""
    result = run(planted, *SAFE, *command.split())
    assert not (planted / "executed").exists(), (planted / "executed").read_text("utf-8")
    assert result.returncode in (0, 1, 2)
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_service_executes_no_module_that_only_lies_there(planted):
    with serving(planted, command=SAFE, RELAY_JWT_SECRET=SECRET):
        pass
    assert not (planted / "executed").exists(), (planted / "executed").read_text("utf-8")


@pytest.mark.slow
def test_the_module_of_a_store_is_pythons(tmp_path):
    """It is imported when the store is opened, here with the working directory on the import path."""
    as_project(tmp_path)
    (tmp_path / "sqlite3.py").write_text(FOREIGN, "utf-8")
    result = run(tmp_path, *COMMAND, "check")
    assert (result.returncode, (tmp_path / "executed").exists()) == (0, False), result.stdout + result.stderr


def test_a_handlers_package_uses_the_modules_next_to_it(tmp_path):
    """They are found after all others; the package itself before an installed one of its name."""
    installed = tmp_path / "site"
    here = tmp_path / "project"
    for folder in (installed, here):
        folder.mkdir()
        for name in ("shop_handlers", "shop_common"):
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(f"where = {folder.name!r}\n", "utf-8")
    (here / "shop_handlers" / "orders.py").write_text("import shop_common, shop_core\n", "utf-8")
    (here / "shop_core.py").write_text(
        "where = 'project'\nfrom shop_prices import where as prices\n", "utf-8"
    )
    (here / "shop_prices.py").write_text("where = 'project'\n", "utf-8")
    (here / "shop_unused.py").write_text(FOREIGN, "utf-8")
    sys.path.insert(0, str(installed))

    make_importable("shop_handlers", here)

    found = {
        name: importlib.import_module(name).where for name in ("shop_handlers", "shop_common", "shop_core")
    }
    assert found == {"shop_handlers": "project", "shop_common": "site", "shop_core": "project"}
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("shop_unused")


@pytest.mark.parametrize(
    "code",
    [
        "import os, \\\n    über_us",
        "from \\\n    über_us import where",
        "try: import über_us\nexcept ValueError: pass",
        "x = 1; import über_us",
        "import über_us.part",
        "import importlib\nwhere = importlib.import_module('über_us.part')",
        "# coding: latin-1\nimport über_us",
    ],
)
def test_every_spelling_of_an_import_finds_a_module_next_to_the_package(tmp_path, code):
    """The code is parsed as Python does it."""
    encoding = "latin-1" if "latin-1" in code else "utf-8"
    (tmp_path / "spelling_shop").mkdir()
    (tmp_path / "spelling_shop" / "__init__.py").write_text(code, encoding)
    (tmp_path / "über_us.py").touch()

    finder = NeighbourFinder(tmp_path, [tmp_path / "spelling_shop"])

    assert finder.find_spec("über_us", None) is not None


@pytest.mark.parametrize(
    "code", ["from . import unused", "from os import unused", "# import unused", "x = 'not unused'"]
)
def test_a_name_that_is_no_import_finds_no_module(tmp_path, code):
    """Nor does a file of the package that is not Python."""
    (tmp_path / "naming_shop").mkdir()
    (tmp_path / "naming_shop" / "__init__.py").write_text(code, "utf-8")
    (tmp_path / "naming_shop" / "broken.py").write_bytes(b"import unused\n\0" + b"(" * 10_000)
    (tmp_path / "unused.py").touch()

    finder = NeighbourFinder(tmp_path, [tmp_path / "naming_shop"])

    assert finder.find_spec("unused", None) is None


@pytest.mark.parametrize("is_namespace", [True, False])
def test_a_package_below_another_one_is_the_projects(tmp_path, is_namespace):
    """With and without a `__init__.py` above it, after a reload as well."""
    for folder in ("site", "project"):
        package = tmp_path / folder / "acme_shops" / "north"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"where = {folder!r}\n", "utf-8")
        if not is_namespace:
            (package.parent / "__init__.py").touch()
    sys.path.insert(0, str(tmp_path / "site"))
    make_importable("acme_shops.north", tmp_path / "project")

    for _ in range(2):
        assert importlib.import_module("acme_shops.north").where == "project"
        importlib.invalidate_caches()
        del sys.modules["acme_shops.north"]
        sys.path.append("/another")
    del sys.modules["acme_shops"]


def test_a_second_project_takes_the_place_of_the_first(tmp_path):
    """One process may create several applications."""
    for name in ("first", "second"):
        (tmp_path / name / "their_shop").mkdir(parents=True)
        (tmp_path / name / "their_shop" / "__init__.py").write_text(f"where = {name!r}\n", "utf-8")
        make_importable("their_shop", tmp_path / name)
        sys.modules.pop("their_shop", None)

        assert importlib.import_module("their_shop").where == name
    assert sum(isinstance(one, FolderFinder | NeighbourFinder) for one in sys.meta_path) == 2


@pytest.mark.slow
def test_an_application_finds_the_modules_next_to_its_package(tmp_path):
    """By `create_app` in a server of one's own, as by the command."""
    package = write_package(tmp_path, things="from neighbour import answer as show\n")
    (tmp_path / "neighbour.py").write_text("def answer():\n    return 'neighbour'\n", "utf-8")
    (tmp_path / "api.json").write_text(json.dumps(contract({"/a": {"get": operation("show")}})), "utf-8")
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.relay]\nspec = 'api.json'\nhandlers = '{package}'\n", "utf-8"
    )
    code = "import relay; print(relay.create_app().endpoints['show'].binding.function())"

    result = run(tmp_path, sys.executable, "-P", "-c", code, PYTHONPATH=os.fspath(ROOT / "scripts"))

    assert result.stdout == "neighbour\n", result.stderr


def test_an_installed_package_uses_the_modules_of_the_project(tmp_path, monkeypatch):
    """It is the project's package, wherever it lies."""
    installed, project = tmp_path / "installed", tmp_path / "project"
    (installed / "shop").mkdir(parents=True)
    (installed / "shop" / "__init__.py").write_text("import neighbour_of_shop\n", "utf-8")
    project.mkdir()
    (project / "neighbour_of_shop.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(installed))
    make_importable("shop", project)

    assert importlib.import_module("shop").neighbour_of_shop.__file__ == str(project / "neighbour_of_shop.py")
    del sys.modules["shop"], sys.modules["neighbour_of_shop"]
