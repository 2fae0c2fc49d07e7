"""Move handlers that a contract names by Python paths: `relay regenerate --rename`, `scripts/relay/codegen/moves.py`."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.codegen.plan import plan
from support.hosting import contract, operation, query
from support.running import ROOT as REPOSITORY
from support.running import relay
from support.scaffolded import FOLDER, LAYOUT, ROOT, handler_findings, state_of, text

STRING = {"type": "string"}
LAZY = "from __future__ import annotations\n\n"
PET_ID = [query("petId", required=True)]


def state_with(operations, outside, **modules):
    """The state of a contract and a project with modules outside its package, by dotted name."""
    paths = {f"/{index}": {"get": one} for index, one in enumerate(operations)}
    state = state_of(contract(paths), **modules)
    files = {
        ROOT.joinpath(*name.split(".")).with_suffix(".py"): textwrap.dedent(source).encode()
        for name, source in outside.items()
    }
    return replace(state, sources=replace(state.sources, tests={**state.sources.tests, **files}))


def after_moves(state):
    made = plan(state, LAYOUT, moves=True)
    return state.changed(made.changes), made


def outer(state, name):
    return state.sources.tests[ROOT.joinpath(*name.split(".")).with_suffix(".py")].decode()


PETS = '''
    """Pets."""
    import os.path
    import datetime as dt
    from typing import TYPE_CHECKING

    from . import store
    from .errors import Missing

    if TYPE_CHECKING:
        from .types import Pet

    PETS = {}

    def _view(pet): return pet

    # All of them.
    @store.cached  # by the hour
    def search(petName, *, when: "dt.date" = None) -> "Pet":
        """Search."""
        # a remark
        found = [(lambda: _view(petName))() for _ in os.path.sep]
        return PETS.get(petName, petName=found) or Missing(petName).petName

    def stay(): return PETS
'''


@pytest.mark.slow
def test_a_function_moves_with_its_comments_and_decorators_and_the_imports_it_needs():
    """The names that it uses of its old module are imported from there; arguments get the names that Relay passes."""
    parameters = [query("petName", required=True)]
    state = state_with([operation("api.pets.search", parameters=parameters)], {"api.pets": PETS})

    after, made = after_moves(state)

    assert text(after.sources, "things") == textwrap.dedent('''\
        """Operations of the tag Things."""

        from __future__ import annotations

        import datetime as dt
        import os.path
        from typing import TYPE_CHECKING

        from api import store
        from api.errors import Missing
        from api.pets import PETS, _view

        if TYPE_CHECKING:
            from api.types import Pet


        # All of them.
        @store.cached  # by the hour
        def api_pets_search(pet_name, *, when: "dt.date" = None) -> "Pet":
            """Search."""
            # a remark
            found = [(lambda: _view(pet_name))() for _ in os.path.sep]
            return PETS.get(pet_name, petName=found) or Missing(pet_name).petName
    ''')
    assert "search" not in outer(after, "api.pets")
    assert "def stay(): return PETS" in outer(after, "api.pets")
    assert made.actions[0] == "moved api.pets.search to api_pets_search in /project/shop/things.py"
    assert after_moves(after)[1].changes == {}


def test_functions_that_use_each_other_move_together():
    source = "def one(): return two()\n\ndef two(): return one.__name__\n"
    state = state_with([operation("pets.one"), operation("pets.two")], {"pets": source})

    after, made = after_moves(state)

    code = text(after.sources, "things")
    assert "def pets_one(): return pets_two()\n" in code
    assert "def pets_two(): return pets_one.__name__\n" in code
    assert made.remaining == []


def test_imports_of_a_moved_function_follow_it():
    """In the project and its tests, at any depth; text that contains the old path is reported."""
    outside = {
        "pets": "def one(): return 1\n\nX = 1\n",
        "api.more": "from pets import X, one  # both\n\ndef f():\n    from pets import one as mine\n    return mine\n",
        "tests.test_it": "from pets import one\n\npatch('pets.one')\nassert one()\n",
        "tests.test_patch": "import pets\n\nsetattr(pets, 'one', 1)\n",
        "tests.test_broken": "from pets import one\n\ndef (:\n",
        "tests.test_other": "X = 'one'\n",
    }

    after, made = after_moves(state_with([operation("pets.one")], outside))

    assert outer(after, "api.more") == (
        "from pets import X  # both\nfrom shop.things import pets_one\n\n"
        "def f():\n    from shop.things import pets_one as mine\n    return mine\n"
    )
    assert outer(after, "tests.test_it").endswith("import pets_one\n\npatch('pets.one')\nassert pets_one()\n")
    assert [(one.rule, str(one.where)) for one in made.remaining] == [
        ("old-name", "/project/tests/test_it.py:3:7"),
        ("old-name", "/project/tests/test_patch.py:3:15"),
        ("old-name", "/project/tests/test_broken.py:3:5"),
    ]


def test_a_function_in_the_module_of_its_tag_is_only_reoperation():
    source = "def show(petId): return petId\n\ndef _helper(): return show(1)\n"
    state = state_with([operation("shop.things.show", parameters=PET_ID)], {}, things=source)

    after, made = after_moves(state)

    assert text(after.sources, "things") == (
        "def shop_things_show(pet_id): return pet_id\n\ndef _helper(): return shop_things_show(1)\n"
    )
    assert made.remaining == []


REFUSED = [
    ("def one(): return __name__\n", {}, "it uses __name__ of its module"),
    ("def one():\n    global X\n    X = 1\n", {}, "it uses 'X', which its module sets in several places"),
    ("X = 1\nX = 2\ndef one(): return X\n", {}, "it uses 'X', which its module sets in several places"),
    ("from elsewhere import *\ndef one(): return X\n", {}, "'X' may come from `import *`"),
    ("def one(): return 1\nX = one\n", {}, "the rest of its module uses it"),
    ("__all__ = ['one']\ndef one(): return 1\n", {}, "a string of its module has its name"),
    ("def one(): return 1\n", {"more": "import pets\nX = pets.one\n"}, "it is used by an attribute of its module here"),
    ("def one(): return 1\n", {"more": "from pets import *\none()\n"}, "it may be imported by `import *` here"),
    ("def one(): return other()\ndef other(): return 1\n", {}, "it uses other(), which moves to another module"),
    ("def one(): return 1\n", {"shop": "one = 1\n"}, "that module has a name 'one' already"),
    ("def one(): return 1\n", {"shop": "if False:\n    pets_one = 1\n"}, "that module has a name 'pets_one' already"),
    ("from a import X\ndef one(): return X\n", {"shop": "X = 1\n"}, "that module uses the name 'X' for something else"),
    (f"{LAZY}def one() -> X: return 1\n", {"shop": "y = 1\n"}, "that module evaluates annotations; add"),
    ("def one(): return 1\n", {"shop": "def (:\n"}, "that module cannot be read"),
    ("class one:\n    pass\n", {}, "it is not one function of the module's top level"),
    ("if 1:\n    def one(): return 1\n", {}, "it is not one function of the module's top level"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("source", "others", "why"), REFUSED)
def test_a_function_that_would_not_work_elsewhere_stays_and_is_reported(source, others, why):
    """It still serves its operation, so it gets no stub."""
    other = {**operation("pets.other"), "tags": ["Others"]}
    operations = [operation("pets.one"), *([other] if "def other" in source else [])]
    modules = {"things": others["shop"]} if "shop" in others else {}
    outside = {"pets": source, **{name: code for name, code in others.items() if name != "shop"}}

    after, made = after_moves(state_with(operations, outside, **modules))

    assert outer(after, "pets").startswith(source.partition("def other")[0])
    assert "def pets_one" not in "".join(map(bytes.decode, after.sources.files.values()))
    not_moved = [one.message for one in made.remaining if one.rule == "not-moved"]
    (reason,) = [message for message in not_moved if "pets.one " in message]
    assert why in reason


def file(**rest):
    binary = {"type": "string", "format": "binary"}
    fields = {"photo": binary, "more": {"type": "array", "items": binary}, "title": STRING}
    return {"content": {"multipart/form-data": {"schema": {"type": "object", "properties": fields}}}, **rest}


JSON = {"content": {"application/json": {"schema": {"type": "object"}}}}
IN_BODY = "the files of a form are in `body`, as relay.Upload"
OTHER_ARGUMENTS = [
    ("def one(photo): return photo.read()\n", file(required=True), IN_BODY),
    ("def one(more=None): return more\n", file(required=True), IN_BODY),
    ("def one(body): return body\n", file(required=True), IN_BODY),
    ("def one(form): return form\n", file(**{"x-body-name": "form"}), IN_BODY),
    ("def one(body): return body.get('a')\n", JSON, "for a request without a body, 'body' has a value now"),
    ("def one(foo): return foo\n", None, "PUT /a does not send its argument 'foo'"),
    ("def one(**rest): return rest['petId']\n", None, "'**rest' has the names that Relay passes"),
    ("def one(petId): return locals()\n", None, "'petId' cannot be renamed to 'pet_id' for certain"),
    ("def one(petId):\n    pet_id = 1\n    return petId\n", None, "'petId' cannot be renamed to 'pet_id'"),
    ("def one(petId):\n    def two():\n        nonlocal petId\n        petId = 1\n", None, "'petId' cannot be"),
]  # fmt: skip


def state_of_one(source, body, path="pets.one", **modules):
    """The state of a contract with one operation, and of a project with a module `pets`."""
    one = operation(path, parameters=PET_ID, **({"requestBody": body} if body else {}))
    state = state_with([], {"pets": source}, **modules)
    return replace(state, contract=state_of(contract({"/a": {"put": one}})).contract)


@pytest.mark.slow
@pytest.mark.parametrize(("source", "body", "why"), OTHER_ARGUMENTS)
@pytest.mark.parametrize("is_there", [False, True])
def test_a_function_that_would_get_other_arguments_stays_and_is_reported(source, body, why, is_there):
    """In the module of its tag as well: under its new name, it would be a function of the package."""
    path, modules = ("shop.things.one", {"things": source}) if is_there else ("pets.one", {})

    state = state_of_one(source, body, path, **modules)
    after, made = after_moves(state)

    assert (text(after.sources, "things") if is_there else outer(after, "pets")) == source
    assert [one.rule for one in made.remaining if why in one.message] == ["not-moved"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "body", "name"),
    [
        ("def one(petId, user=None): return petId\n", file(required=True), "pet_id"),
        ("def one(body=None): return body\n", JSON, "body"),
        ("def one(body): return body\n", {"required": True, **JSON}, "body"),
        ("def one(pet): return pet\n", {"required": True, "x-body-name": "pet", **JSON}, "body"),
        ("def one(petId, store, **rest): return petId\n", None, "pet_id"),
    ],
)
def test_a_function_that_gets_the_same_arguments_moves(source, body, name):
    """They get the names that Relay passes, in the body of the function, too."""
    init = "def collaborators(settings):\n    return {'store': 1}\n"

    after, made = after_moves(state_of_one(source, body, init=init))

    code = text(after.sources, "things")
    assert f"def pets_one({name}" in code
    assert code.endswith(f": return {name}\n")
    assert made.remaining == []


def test_a_function_that_a_python_path_names_is_a_handler_for_drift_and_regenerate():
    """The server finds it, so no stub may take its place; a path that leads nowhere is missing."""
    source = "def show(petId): ...\n"
    operations = [
        operation("pets.show"),
        operation("pets.gone"),
        operation("shop.things.mine"),
        operation("os.system"),
    ]
    state = state_with(operations, {"pets": source}, things="def mine(): ...\n")

    made = plan(state, LAYOUT)

    assert [one for one in handler_findings(state) if one[0] != "missing-handler"] == []
    assert len(handler_findings(state)) == 2
    assert [line for line in made.actions if line.startswith("added")] == [
        "added pets_gone in /project/shop/things.py",
        "added os_system in /project/shop/things.py",
    ]


PARTS = {  # lines of the module → an expression of the function
    "import os.path": "os.path.join('a', petId)",
    "import os.path as p": "p.join('a', petId)",
    "import xml.dom\nimport xml.sax": "(xml.dom.__name__, xml.sax.__name__)",
    "import email.charset, email.encoders": "(email.charset.__name__, email.encoders.__name__)",
    "from collections import OrderedDict as X": "X(a=petId)['a']",
    "try:\n    import json\nexcept ImportError:\n    json = None": "json.dumps(petId)",
    "ROWS = [1]": "ROWS + [petId for petId in ROWS]",
    "N = 1\nN += 1": "N",
    "def _view(x): return x": "_view(petId)",
    "class Row(str): pass": "Row(petId)",
    "def other(petId): return petId * 2": "other(petId=petId)",
    "for k in 'ab': pass": "(k, (lambda petId: petId)(k), petId)",
    "def set_seen():\n    global seen\n    seen = 1\nset_seen()": "seen",
    "Y = 0\n": "[Y := petId, Y]",
    "": "(lambda: petId)()",
    "\n": "f'{petId!r}'",
}


@pytest.mark.slow
@settings(max_examples=40)
@given(
    chosen=st.lists(st.sampled_from([*PARTS]), unique=True, max_size=5),
    existing=st.sampled_from(["", "X = 2\n", "import os\nX = 3\n", f"{LAZY}from pets import ROWS\n"]),
    is_lazy=st.booleans(),
)
def test_a_function_returns_the_same_before_and_after(chosen, existing, is_lazy):
    """It moves with all that it needs, or not at all."""
    lines = "\n".join([LAZY if is_lazy else "", "ROWS = [0]" if "ROWS" in existing else "", *chosen])
    source = f"{lines}\ndef one(petId):\n    return [{', '.join(map(PARTS.get, chosen))}]\n"
    modules = {"things": existing} if existing else {}
    operations = [operation("pets.one", parameters=PET_ID), {**operation("pets.other"), "tags": ["Others"]}]

    state = state_with(operations, {"pets": source}, **modules)
    after, _ = after_moves(state)

    assert result(after, "pets_one", "pet_id") == result(state, "pets_one", "pet_id")
    assert plan(after, LAYOUT, moves=True).changes == {}


def result(state, new, argument):
    """Return the result of the function that serves the operation, read from a project on disk."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for path, content in {**state.sources.files, **state.sources.tests}.items():
            target = Path(folder) / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        patch.syspath_prepend(folder)
        patch.setattr(sys, "modules", dict(sys.modules))
        for name in ("pets", "shop", "shop.things"):
            sys.modules.pop(name, None)
        is_moved = new.encode() in state.sources.files.get(FOLDER / "things.py", b"")
        if is_moved:
            return getattr(importlib.import_module("shop.things"), new)(**{argument: "q"})
        return importlib.import_module("pets").one("q")


LISTED = {"tags": ["Pets"], "x-openapi-router-controller": "api.pets", "security": [{"key": []}]}
SERVICE = {"/pets": {"get": {**operation("list_pets"), **LISTED}}}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key", "x-apikeyInfoFunc": "api.auth.check"}


@pytest.mark.slow
def test_a_service_of_connexion_is_served_from_its_tags_afterwards(tmp_path):
    """`--check` and `--diff` write nothing; a second run changes nothing; a verifier stays the contract's."""
    whole = contract(SERVICE, components={"securitySchemes": {"key": KEY}})
    (tmp_path / "api.json").write_text(json.dumps(whole), "utf-8")
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "__init__.py").touch()
    (tmp_path / "api" / "pets.py").write_text("PETS = [1]\n\n\ndef list_pets():\n    return PETS\n", "utf-8")
    arguments = ["regenerate", "--spec", "api.json", "--handlers", "shop"]

    check, diff = (relay(tmp_path, *arguments, option, "--rename") for option in ("--check", "--diff"))
    assert not (tmp_path / "shop").exists()
    made, again = (relay(tmp_path, *arguments, "--rename") for _ in range(2))

    assert check.returncode == 1
    assert "would have moved api.pets.list_pets to list_pets in shop/pets.py" in check.stdout
    assert "+from api.pets import PETS" in diff.stdout
    assert made.stdout.splitlines()[1:] == [
        "moved api.pets.list_pets to list_pets in shop/pets.py",
        "created shop/_types.py",
    ]
    assert again.stdout == "relay regenerate: nothing to do\n"
    files = sorted(path.name for path in (tmp_path / "shop").glob("*.py"))
    assert files == ["__init__.py", "_types.py", "pets.py"]
    command = [sys.executable, "-c", "import shop.pets; print(shop.pets.list_pets())"]
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    assert (
        subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, check=True).stdout
        == b"[1]\n"
    )
