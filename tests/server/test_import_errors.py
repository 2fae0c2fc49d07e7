"""Where the import of a module fails: `scripts/relay/server/handler_modules.py`."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import uuid4

import pytest

from relay.contract.diagnostics import SetupError
from relay.server.handler_modules import import_module

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
        name = f"package_{uuid4().hex}"
        (folder / name).mkdir(parents=True)
        monkeypatch.syspath_prepend(folder)
        for module, source in {"init": "", "pets": "", **modules}.items():
            file = "__init__" if module == "init" else module
            (folder / name / f"{file}.py").write_text(source, "utf-8")
        with pytest.raises(SetupError) as raised:
            import_module(f"{name}.pets", "contract.yaml")
        (problem,) = raised.value.problems
        return Path(problem.where.file).name, problem.where.line, problem.message

    return refused


def test_a_line_that_calls_a_library_is_the_place(refused):
    """The lines of the library are not the author's."""
    file, line, message = refused(pets="import json\n\nX = json.loads('{')\n")

    assert (file, line) == ("pets.py", 3)
    assert message.startswith("cannot be imported: JSONDecodeError: Expecting")


def test_the_innermost_line_of_the_project_is_the_place(refused):
    """A module may fail because one that it imports does."""
    file, line, _ = refused(pets="from . import shelf\n", shelf="\n1 / 0\n")

    assert (file, line) == ("shelf.py", 2)


def test_a_line_of_an_installed_package_is_its_own_place(refused, tmp_path):
    """RELAY_HANDLERS may name one."""
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
