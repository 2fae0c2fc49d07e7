"""Functions that a contract names, read from source: `scripts/relay/codegen/named_handlers.py`."""

from __future__ import annotations

import pytest

from relay.codegen.drift import find_drift
from relay.contract.diagnostics import Severity
from support.compiled import read
from support.hosting import contract
from support.naming import ANSWER


def named(*names):
    operations = ({"operationId": name, "responses": ANSWER} for name in names)
    return read(contract({f"/{at}": {"get": one} for at, one in enumerate(operations)}))


@pytest.fixture(autouse=True)
def _in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def findings(folder, *names):
    return find_drift(folder / "a.yaml", named(*names), "no_such_handlers", folder)


@pytest.mark.parametrize(
    "source",
    [
        "def show():\n    raise RuntimeError\n",
        "from elsewhere import show\n",
        "show = make()\n",
        "from elsewhere import *\n",
        "def __getattr__(name): ...\n",
        "globals()['show'] = 1\n",
    ],
)
def test_finds_a_function_without_importing_its_module(tmp_path, source):
    """A name that source does not show may exist."""
    (tmp_path / "pets_api.py").write_text(source, "utf-8")

    (note,) = findings(tmp_path, "pets_api.show")

    assert note.severity is Severity.INFO
    assert note.message.startswith("1 operation is served by functions that the contract names")


def test_a_package_needs_no_stub_for_what_the_contract_names(tmp_path, monkeypatch):
    """The handlers package takes over one operation after the other."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "pets_api.py").write_text("def show(): ...\n", "utf-8")
    (tmp_path / "named_shop").mkdir()
    (tmp_path / "named_shop" / "__init__.py").touch()
    (tmp_path / "named_shop" / "default.py").write_text("async def pets_api_other(): ...\n", "utf-8")
    document = named("pets_api.show", "pets_api.other", "pets_api.gone")

    found = find_drift(tmp_path / "a.yaml", document, "named_shop", tmp_path)

    missing = [one.message for one in found if one.rule == "missing-handler"]
    assert len(missing) == 1
    assert missing[0].startswith("GET /2 has no handler: write pets_api_gone() in named_shop/default.py")
    (note,) = [one.message for one in found if one.rule == "named-handler"]
    assert "1 operation is served by functions" in note


def test_reports_what_is_missing_with_the_file_to_write_it_in(tmp_path):
    (tmp_path / "pets_api.py").write_text("class Pets:\n    def get(): ...\n", "utf-8")

    names = ("pets_api.Pets.get", "pets_api.Pets.put", "pets_api.gone", "other_api.x", "list")

    found = findings(tmp_path, *names)

    assert [one.message for one in found if one.severity is Severity.ERROR] == [
        "GET /1 has no handler: write Pets.put() in pets_api.py",
        "GET /2 has no handler: write gone() in pets_api.py",
        "GET /3 has no handler: write x() in other_api.py",
        "GET /4 has no handler: write it, and name it in the operationId",
    ]
