"""Update handlers to match their contract: `relay regenerate`, `scripts/relay/codegen/plan.py`."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
import textwrap

import pytest

from relay.codegen.formatting import Ruff
from relay.codegen.plan import plan
from relay.codegen.renames import requested_renames
from relay.codegen.types_module import first_difference, generate_types, read_record
from relay.contract.diagnostics import SetupError
from support.hosting import SECRET, bearer, contract, json_of, operation, query, ref
from support.public_contracts import public_style
from support.running import ROOT, relay, serving
from support.scaffolded import (
    FOLDER,
    check,
    in_sync,
    read,
    regenerated,
    sources_of,
    state_of,
    text,
    typed_strictly,
)
from support.scaffolded import ROOT as PROJECT

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
THING = {"type": "object", "properties": {"name": STRING}}


def ref_to(name):
    return {"$ref": f"#/components/schemas/{name.replace('~', '~0').replace('/', '~1')}"}


def document(*operations, **schemas):
    """A contract with GET operations at `/0`, `/1` and so on."""
    paths = {f"/{index}": {"get": one} for index, one in enumerate(operations)}
    return contract(paths, components={"schemas": {"Thing": THING, **schemas}})


def showing(**rest):
    return document(operation("show", **rest))


NOTHING = showing(responses={"204": {"description": ""}})


def source(code):
    return textwrap.dedent(code).lstrip("\n")


def module_after(state, module="things", **rest):
    return text(regenerated(state, **rest)[0].sources, module)


def formatted_module(state):
    """A module's source after its package was regenerated, formatted by ruff with our own settings."""
    return plan(state, Ruff(ROOT / "handlers")).changes[FOLDER / "things.py"].decode()


def test_writes_a_stub_for_a_new_operation():
    """Arguments are in the contract's order, optional ones have a default, and texts come from the contract."""
    parameters = [
        query("q"),
        {**query("id", required=True), "in": "path"},
        query("n", schema={**INTEGER, "default": 1}),
    ]
    one = operation(
        "show-it",
        parameters=parameters,
        requestBody={**json_of(ref("Thing")), "required": True},
        responses={"201": json_of({"type": "array", "items": ref("Thing")})},
        summary="show a thing",
        description="All of it.\n\nReally.",
    )
    state = state_of(contract({"/{id}": {"post": one}}, components={"schemas": {"Thing": THING}}))

    assert formatted_module(state) == source('''
        """Operations of the tag Things."""

        from __future__ import annotations

        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from ._types import Thing


        async def show_it(*, q: str | None = None, id: str, n: int, body: Thing) -> list[Thing]:  # noqa: A002 -- the contract's words
            """Show a thing.

            All of it.

            Really.
            """
            raise NotImplementedError
    ''')


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        "",
        ".",
        'He said "no"',
        '"""',
        'ends with "',
        "back\\slash\\",
        "caf\u00e9 \u2013 na\u00efve \u2018quotes\u2019 \u5ba2\u6237",
        "two\nlines",
        "word " * 100,
        "w" * 300,
        "a\x00b\u202ec\u200b",
        "\\N{BULLET} %s {x}",
        "show(): ...",
        "Args:\n    x: y\n\tz",
    ],
)
def test_any_summary_results_in_a_stub_that_passes_every_rule_of_this_project(tmp_path, words):
    """Quotes, backslashes, other scripts, long and empty texts; the stub is formatted and linted."""
    one = operation("show", summary=words, description=words, parameters=[query(f"p{n}") for n in range(9)])
    state = state_of(document(one, operation("listThings", summary=words)))

    made = plan(state, Ruff(ROOT / "handlers")).changes[FOLDER / "things.py"]

    assert_tidy(made)
    assert ast.parse(made)


def assert_tidy(code):
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", ROOT / "handlers/things.py", "-"],
            input=code,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode() + code.decode()


LAZY = "from __future__ import annotations\n\n"
HEADERS = {
    "": "",
    "import re\n": "one = re",
    "import zlib\nfrom collections import abc\n\nimport click\nimport yaml\n\nfrom handlers import _store\n": (
        "one = [zlib, abc, click, yaml, _store]"
    ),
    "from __future__ import annotations\n": "",
    f"{LAZY}import re\nfrom typing import cast\n\nfrom . import _store\n": "one = [re, cast, _store]",
    f"{LAZY}import yaml\n": "one = [yaml]",
    f"{LAZY}from . import _store\nfrom ._errors import NotSignedIn\n": "one = [_store, NotSignedIn]",
    f"{LAZY}from ._types import Error  # mine\n": "one = [Error]",
    f"{LAZY}from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import re\n\n    from ._store import Store\n": (
        "one: re.Pattern[str] | Store | None = None"
    ),
    f"{LAZY}from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from ._types import (\n        Error,  # mine\n    )\n": (
        "one: Error | None = None"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("header", HEADERS)
def test_imports_stay_in_the_order_that_ruff_requires(header):
    use = HEADERS[header] or "one = 1"
    before = f'"""Mine."""\n\n{header}\n\ndef one() -> None:\n    """Do it."""\n    {use}\n    print(one)  # noqa: T201\n'
    before = before.replace('"""\n\n\n\n', '"""\n\n\n').replace(
        "import annotations\n\n\n\n", "import annotations\n\n\n"
    )
    schema = {"oneOf": [ref("Resource10"), ref("Resource9"), ref("Error"), {"enum": ["a"]}, ref("Warning")]}
    two = operation(
        "two", responses={"200": json_of(schema)}, parameters=[query("q", schema={"type": "object"})]
    )
    one = operation("one", responses={"204": {"description": ""}})
    schemas = dict.fromkeys(["Resource10", "Resource9", "Error", "Warning"], THING)
    assert_tidy(before.encode())

    made = formatted_module(state_of(document(one, two, **schemas), things=before))

    assert_tidy(made.encode())


def test_a_stub_is_appended_to_the_module():
    """Existing code stays the same to the byte; existing imports are extended."""
    before = source('''
        """Mine."""

        from __future__ import annotations

        import re  # for later
        from typing import TYPE_CHECKING

        from . import _store

        if TYPE_CHECKING:
            from ._types import Zebra

        LIMIT = 1;   ODD = re


        def one(z : "Zebra" , ) : return z, LIMIT  # as I like it
    ''')
    one = operation("one", parameters=[query("z", ref("Zebra"), required=True)])
    parameters = [query("a", {"type": "object"})]
    two = operation("two", parameters=parameters, responses={"200": json_of(ref("Thing"))})

    after = module_after(state_of(document(one, two, Zebra=THING), things=before))

    kept = before.replace("import TYPE_CHECKING", "import TYPE_CHECKING, Any")
    kept = kept.replace("import Zebra", "import Thing, Zebra")
    assert after == kept + source('''


        async def two(*, a: dict[str, Any] | None = None) -> Thing:
            """Answer GET /1."""
            raise NotImplementedError
    ''').join(["\n\n", ""])


def test_a_type_that_a_handler_has_the_name_of_is_written_with_its_module():
    """In a module with a function `list`, `list[str]` is no type."""
    strings = {"200": json_of({"type": "array", "items": STRING})}
    anything = {"200": json_of({"type": "array", "items": {}})}
    both = document(operation("list", responses=strings), operation("Any", responses=anything))
    state = state_of(both, things="")

    after, made = regenerated(state)

    code = text(after.sources, "things")
    assert "import builtins\nimport typing\n" in code
    assert "async def list() -> builtins.list[str]:" in code
    assert "async def Any() -> builtins.list[typing.Any]:" in code
    assert made.remaining == []
    assert regenerated(after)[1].changes == {}


ANSWERING = {"200": json_of(ref("Thing"))}
EITHER = {"200": json_of({"oneOf": [ref("Thing"), ref("Warning")]})}
NAMED_ANY = operation(
    "one", parameters=[query("q", {"type": "object"})], responses={"200": json_of(ref("Any"))}
)
WRITTEN = {
    "a type is imported at run time if annotations are evaluated": (
        document(operation("one"), operation("two", responses=ANSWERING)),
        "import os\ndef one(): ...\n",
        ["import os\n\nfrom ._types import Thing\n\ndef one(): ...\n"]),
    "an import is added after a last line without a line break": (
        document(operation("two", responses=ANSWERING)),
        "import os",
        ["import os\n\nfrom ._types import Thing\n\n\nasync def two()"]),
    "a type whose name is taken gets an alias": (
        document(operation("one"), operation("two", responses=EITHER), Warning=THING),
        "class Thing: ...\ndef one(): ...\n",
        ["from ._types import Thing as ThingType\nfrom ._types import Warning as WarningType\n",
            '-> "ThingType | WarningType":']),
    "a component may have the name of a type of Python": (
        document(NAMED_ANY, Any=THING),
        "",
        ["from typing import TYPE_CHECKING, Any\n",
            "    from ._types import Any as AnyType\n",
            "async def one(*, q: dict[str, Any] | None = None) -> AnyType:"]),
    "a name that occurs in a docstring, a comment, or a call written in advance, gets a stub": (
        showing(),
        "'Like show().'\n# show\ndef _ahead(): return show()\n",
        ["async def show()"]),
}  # fmt: skip


@pytest.mark.parametrize(("whole", "things", "parts"), WRITTEN.values(), ids=WRITTEN)
def test_a_stub_has_the_imports_that_it_needs(whole, things, parts):
    """A name imported only for the type checker would not exist at run time."""
    after, made = regenerated(state_of(whole, things=things))

    assert [part for part in parts if part not in text(after.sources, "things")] == []
    assert made.remaining == []


DEEP = f"return {' + '.join(['x'] * 500)}"
CASES = [
    # before, parameters, after
    ("def show(): ...", ["q"], "def show(*, q: str | None = None): ..."),
    ("def show(*, b, a): ...", ["a", "b", "c"], "def show(*, b = None, a = None, c: str | None = None): ..."),
    ("def show(q): ...", ["q!"], "def show(q): ..."),
    ("def show(q: str): ...", ["q"], "def show(q: str | None = None): ..."),
    ("def show(*, q: str | None = None): ...", ["q!"], "def show(*, q: str): ..."),
    ("def show(*, q: str = 'x'): ...", ["q"], "def show(*, q: str = 'x'): ..."),
    ("def show(*, q: Mine = None): ...", ["q!"], "def show(*, q: Mine = None): ..."),
    ("def show(**given): ...", ["q"], "def show(**given): ..."),
    ("def show(*, pageSize): return 1", ["page_size!"], "def show(*, page_size): return 1"),
    ("def show(*args, x=1): ...", ["q!"], "def show(*args, x=1, q: str): ..."),
    ("def show(a, store): return store", ["a!", "b!"], "def show(a, store, *, b: str): return store"),
    (
        "async def show(\n    *,\n    a,  # first\n): ...",
        ["a!", "b!"],
        "async def show(\n    *,\n    a,  # first\nb: str,): ...",
    ),
    (f"def show(): {DEEP}", ["q"], f"def show(*, q: str | None = None): {DEEP}"),
    *(  # What it would hide is not the module's, nor Python's.
        (f"x = 1\ndef show(): {body}", ["limit"], f"x = 1\ndef show(*, limit: str | None = None): {body}")
        for body in ("return limit", "limit = 1", "return [limit for limit in ()]", "return x.limit")
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("before", "names", "after"), CASES)
def test_fixes_a_signature(before, names, after):
    """The order and all correct parts stay; a plain `def` stays plain."""
    parameters = [query(name.strip("!"), required=name.endswith("!")) for name in names]

    assert module_after(state_of(showing(parameters=parameters), things=f"{before}\n")) == f"{after}\n"


@pytest.fixture
def imported(tmp_path, monkeypatch):

    def load(state, module="things"):
        for path, content in state.sources.files.items():
            target = tmp_path / path.relative_to(PROJECT)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
        return importlib.import_module(f"shop.{module}")

    monkeypatch.syspath_prepend(tmp_path)
    yield load
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


UNTIL_3_12 = pytest.mark.skipif(sys.version_info >= (3, 12), reason="newer Python reads it")
HIDES = "; show() uses 'type' for something else: rename that first"


@pytest.mark.parametrize(
    ("things", "rule", "message"),
    [
        # The body would get the request's value, or the module would no longer compile.
        ("from ._rows import type\n\ndef show(): return type(1)\n", "missing-argument", HIDES),
        ("def show(): return type(1)\n", "missing-argument", HIDES),
        ("def show(): return [type(one) for one in (1,)]\n", "missing-argument", HIDES),
        ("type = str\ndef show():\n    global type\n    return type(1)\n", "missing-argument", HIDES),
        ("from ._rows import *\n\ndef show(): return type(1)\n", "missing-argument", HIDES),
        ("if (type := str):\n    def show(): return type(1)\n", "missing-argument", HIDES),
        # Another version of Python may be able to compile it.
        pytest.param("def show[T](): ...\n", "unreadable-module", "", marks=UNTIL_3_12),
        ("def show():\n    return 1\nreturn\n", "unreadable-module", ""),
        # The reason is unknown.
        ("def show(): ...\ndel show\n", "missing-handler", "in its source, but not after import"),
    ],
)
def test_what_a_change_could_break_is_left_to_a_person(things, rule, message):
    state = state_of(showing(parameters=[query("type", required=True)]), things=things, _rows="type = str\n")

    after, made = regenerated(state)

    assert text(after.sources, "things") == things
    assert [one.rule for one in made.remaining] == [rule]
    assert message in made.remaining[0].message


EVALUATED = [
    'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._types import Thing\ndef show() -> "Thing": ...\n',
    (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._types import Thing\n"
        "else:\n    Thing = dict\ndef show() -> Thing: ...\n"
    ),
    (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typing import Any, Literal\n"
        'def show() -> "Any": ...\n'
    ),
    'def show() -> "Thing": ...\nfrom ._types import Thing\n',
    "x = 1\ndef show(): ...\nfrom typing import Any\n",
]
LATE = [
    '"Doc " "more"\nfrom __future__ import annotations\ndef show(): ...\n',
    (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING: from collections.abc import Mapping\ndef show(): ...\n"
    ),
    (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING: from ._types import Thing\ndef show() -> Thing: ...\n"
    ),
    "from __future__ import annotations\nx = 1\nfrom typing import Any\ndef show(): ...\n",
]


@pytest.mark.slow
@pytest.mark.parametrize("things", [*EVALUATED, *LATE])
def test_a_fixed_module_can_be_imported_wherever_its_imports_are(imported, things):
    """Under TYPE_CHECKING, below their use, on one line, below a docstring in two parts."""
    modes = [query("mode", {"type": "array", "items": ref("Mode")}), query("k", {"enum": ["a"]})]
    sources = in_sync(showing(responses={"200": json_of(ref("Thing"))}), things=things)
    one = operation("show", parameters=modes, responses={"200": json_of(ref("Sum"))})
    whole = document(one, Mode=THING, Sum=THING)

    state, made = regenerated(state_of(whole, sources))

    assert made.remaining == []
    assert set(inspect.signature(imported(state).show).parameters) == {"mode", "k"}
    assert regenerated(state)[1].changes == {}


def test_a_name_from_a_star_import_keeps_its_meaning(imported):
    """The names that it binds are unknown, so a generated type of that name gets an alias."""
    things = "from ._rows import *\n\ndef show(): return Mode\n"
    whole = document(operation("show", parameters=[query("m", schema=ref("Mode"))]), Mode=THING)

    state, _ = regenerated(state_of(whole, things=things, _rows="Mode = 'mine'\n"))

    assert imported(state).show() == "mine"


def test_formats_a_fixed_signature_with_the_settings_of_the_project():
    """Long lines are broken; a comment stays with its argument."""
    before = source("""
        from __future__ import annotations


        @decorated  # a remark
        async def show(  # noqa: X -- mine
            *,
            first_argument: str,  # the first
        ):
            '''Mine.'''
            return   first_argument
    """)
    parameters = [query("first_argument", required=True), query("second_argument_of_the_operation")]

    assert formatted_module(state_of(showing(parameters=parameters), things=before)) == before.replace(
        "# the first\n", "# the first\n    second_argument_of_the_operation: str | None = None,\n"
    )


def taking(*names):
    """A contract whose operation has some parameters."""
    return showing(parameters=[query(name) for name in names])


def tagged(name, tag="Others", **rest):
    return {**operation(name, **rest), "tags": [tag]}


ONE_AND_TWO = "def one(): ...\ndef two(): ...\n"
USED = "def show(*, a=None, b=None):\n    return a or b\n"
WITH_COMMENT = "def show(\n    *,\n    a=None,\n    b=None,  # mine\n): return a\n"
HIDING = "def old(): return 1\n\ndef _helper(new): return old() + new\n"
MOVING = "def one(): return _x\n_x = 1\n"
BY_HAND = "; its old name is old in /project/shop/things.py: rename it there by hand"
STUB = '\n\nasync def {}() -> "Any":\n    """Answer GET {}."""\n    raise NotImplementedError\n'
CHANGED = {  # contract, source, changed contract, changed source, what is left for a person
    "an argument that the contract no longer has is removed": (
        (taking("a", "b"), "def show(*, a=None, b=None): return a\n"),
        (taking("a"), "def show(*, a=None): return a\n"), []),
    "one that the body uses is left, and stays in the record": (
        (taking("a", "b"), USED),
        (taking("a"), USED),
        [("extra-argument", "GET /0 no longer sends 'b': remove the argument, and its use at line 2")]),
    "one with a comment is left": (
        (taking("a", "b"), WITH_COMMENT),
        (taking("a"), WITH_COMMENT),
        [("extra-argument", "GET /0 no longer sends 'b': remove the argument")]),
    "one that was never in the contract may be a collaborator": (
        (taking("a"), "def show(*, a=None, stoer): return 1\n"),
        (taking(), "def show(*, stoer): return 1\n"),
        [("extra-argument", ": rename or remove the argument")]),
    "the handler of a removed operation is reported": (
        (document(operation("one"), operation("two")), ONE_AND_TWO),
        (document(operation("one")), ONE_AND_TWO),
        [("stale-handler",
            "two() serves no operation any more (GET /1 was removed): delete it, or start its name with '_'")]),
    "a new operation is not taken for a removed one": (
        (document(operation("one")), "def one(): ...\n"),
        (contract({"/other": {"get": operation("other")}}),
            f"def one(): ...\n{STUB.format('other', '/other')}"),
        [("stale-handler", "")]),
    "a helper is not taken for the handler of a new operation": (
        (document(operation("one")), "def one(): ...\ndef as_view(thing): ...\n"),
        (document(operation("one"), operation("restock")),
            f"def one(): ...\ndef as_view(thing): ...\n{STUB.format('restock', '/1')}"),
        [("helper", "as_view() serves no operation; as a helper, its name may start with '_'")]),
    "a local name would hide the renamed handler": (
        (document(operation("old")), HIDING),
        (document(operation("new")), HIDING),
        [("missing-handler", BY_HAND)]),
    "two operations may swap names, and keep their bodies": (
        (document(operation("a"), operation("b")), "def a(): return 1\ndef b(): return 2\n"),
        (document(operation("b"), operation("a")), "def b(): return 1\ndef a(): return 2\n"), []),
    "a new operation with an old name does not get the old body": (
        (document(operation("a")), "def a(): return 1\n"),
        (document(operation("b"), operation("a")), f"def b(): return 1\n{STUB.format('a', '/1')}"), []),
    "a function with a new tag would have to move with everything it uses": (
        (document(operation("one")), MOVING),
        (document(tagged("one")), MOVING),
        [("moved-handler", "shop/others.py: the tag of GET /0 names that module")]),
    "a stub would hide a handler that is bound to an old name by hand": (
        (document(operation("old")), "from ._x import old\n"),
        (document(operation("new")), "from ._x import old\n"),
        [("missing-handler", BY_HAND)]),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after", "left"), CHANGED.values(), ids=CHANGED)
def test_follows_a_changed_contract(before, after, left):
    sources = in_sync(before[0], things=before[1], _x="def old(): ...\n")

    state, made = regenerated(state_of(after[0], sources))

    assert text(state.sources, "things").replace("from typing import Any\n\n\n", "") == after[1]
    assert [one.rule for one in made.remaining] == [rule for rule, _ in left]
    assert all(one.message.endswith(end) for one, (_, end) in zip(made.remaining, left, strict=True))
    assert [path for path in state.sources.files if path.stem == "others"] == []
    assert regenerated(state)[1].changes == {}


def test_without_a_record_a_person_has_to_confirm_a_rename():
    """No stub is written, as the old handler may have the body for it."""
    state = state_of(document(operation("new")), things="def old(): return 1\n")

    after, made = regenerated(state)
    renamed = regenerated(after, renames=requested_renames(after, [("old", "new")]))

    assert [one.rule for one in made.remaining] == ["missing-handler", "helper"]
    assert text(renamed[0].sources, "things") == "def new(): return 1\n"
    assert renamed[1].remaining == []


def test_a_rename_updates_package_and_tests():
    """References are found by scope: other things with the same name keep it."""
    things = source("""
        __all__ = ["old", "other"]

        @decorated
        def old():
            return old.__name__, self.old, call(old=1), "old"

        def other():
            def old(): ...
            return old()

        def _helper(old):
            return old + other.old
    """)
    used = source("""
        import shop.things
        import shop.things as t
        from shop import things
        from shop.things import old

        def test_old():
            assert old() == things.old() == t.old() == shop.things.old()
    """)
    others = "from .things import old\nfrom .things import old as mine\nfrom . import things\nx = old, mine, things.old\n"
    more = "from shop.things import old\n\ndef test(new):\n    return old(new)\n"
    sources = in_sync(
        document(operation("old"), operation("other")),
        things=things,
        others=others,
        tests__test_things=used,
        tests__test_more=more,
        tests__test_other="old = 1\nprint(old)\n",
    )

    after, made = regenerated(state_of(document(operation("new"), operation("other")), sources))

    new_things = things.replace('["old"', '["new"').replace(
        "def old():\n    return old.", "def new():\n    return new."
    )
    assert text(after.sources, "things") == new_things
    assert text(after.sources, "others") == others.replace("import old", "import new").replace(
        "x = old, mine, things.old", "x = new, mine, things.new"
    )
    tests = {path.stem: content.decode() for path, content in after.sources.tests.items()}
    assert tests == {
        "test_things": used.replace("import old", "import new")
        .replace("old()", "new()")
        .replace("test_new", "test_old"),
        "test_more": more.replace("import old", "import new as old"),
        "test_other": "old = 1\nprint(old)\n",
    }
    assert [(one.rule, one.where[1]) for one in made.remaining] == [("unread-handler", 4), ("old-name", 5)]
    assert regenerated(after)[1].changes == {}


@pytest.mark.parametrize(
    "things",
    [
        "match 1:\n    case _:\n        def show(): return 1\n",
        "for _ in '1':\n    def show(): return 1\n",
        "while True:\n    def show(): return 1\n    break\n",
        "try:\n    def show(): return 1\nexcept* ValueError: ...\n",
        "(show := lambda **given: 1)\n",
        "for show in [lambda: 1]: ...\n",
        "globals()['show'] = lambda: 1\n",
        "exec('def show(): return 1')\n",
    ],
)
def test_no_stub_replaces_a_handler(imported, things):
    """The last binding in a module wins, so a stub would replace a handler that is bound in any way."""
    state, made = regenerated(state_of(showing(), things=things))

    assert imported(state).show() == 1
    assert {one.severity for one in made.remaining} <= {"info"}


SEVERAL = [
    "import os\nif os.environ.get('FAST'):\n    def old(*, q=None): return 1\nelse:\n    def old(*, q=None): return 2\n",
    "from typing import overload\n@overload\ndef old(*, q: str): ...\n@overload\ndef old(): ...\ndef old(*, q=None): ...\n",
]


@pytest.mark.parametrize("things", SEVERAL)
def test_a_handler_with_several_definitions_is_left_to_a_person(things):
    """A change to only one of them would make them differ."""
    sources = in_sync(document(operation("old", parameters=[query("q")])), things=things)
    renamed_state = state_of(document(operation("new", parameters=[query("q")])), sources)

    fixed_after, fixed = regenerated(state_of(document(operation("old")), sources))
    renamed_after, renamed = regenerated(renamed_state)

    assert text(fixed_after.sources, "things") == text(renamed_after.sources, "things") == things
    (extra,) = fixed.remaining
    assert extra.message.endswith("; old() is defined several times: change each")
    (missing,) = renamed.remaining
    assert missing.message.endswith(BY_HAND)
    with pytest.raises(SetupError, match="defines 'old' several times; rename each by hand"):
        requested_renames(renamed_state, [("old", "new")])


def test_an_argument_that_may_be_a_collaborator_is_not_taken_for_a_parameter():
    """Only another spelling of the parameter's own name is."""
    init = "async def collaborators(settings):\n    yield make(settings)\n"
    things = "def show(*, limiter): ...\n"

    after = module_after(state_of(showing(parameters=[query("limit")]), init=init, things=things))

    assert after == "def show(*, limiter, limit: str | None = None): ...\n"


CHECKED = f"{LAZY}from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from ._types import Thing"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("imports", "others", "left"),
    [
        (CHECKED, {}, LAZY.removesuffix("\n")),  # with the block that becomes empty
        (f"{CHECKED}  # mine", {}, f"{CHECKED}  # mine"),
        ("from ._types import Thing as Thing", {}, "from ._types import Thing as Thing"),  # exported
        *(  # Others import it from this module.
            ("from ._types import Thing", others, "from ._types import Thing")
            for others in (
                {"_h": "from .things import Thing\n"},
                {"_h": "def f():\n    from shop import things\n    return things.Thing\n"},
                {"_h": "from . import things as t\nx = t.Thing\n"},
                {"tests__test_h": "from shop.things import Thing\n"},
                {"tests__test_h": "import shop.things\nx = shop.things.Thing\n"},
            )
        ),
    ],
)
def test_a_type_that_is_no_longer_used_is_no_longer_imported(imports, others, left):
    """An import with a comment stays, as do those that are exported, or that other modules use."""
    after = module_after(state_of(NOTHING, things=f"{imports}\n\ndef show() -> Thing: ...\n", **others))

    assert after == f"{left}\n\ndef show() -> None: ...\n"


def test_reports_references_that_a_rename_cannot_update():
    """These are strings that may mean the handler, and files that cannot be parsed."""
    sources = sources_of(
        things="'old is here'\ndef old(): return 'old and more'\n",
        tests__test_it="patch('shop.things.old')\nsetattr(things, 'old', 1)\n",
        tests__test_no="def old(:\n",
    )
    state = state_of(
        document(operation("new")), regenerated(state_of(document(operation("old")), sources))[0].sources
    )

    _, made = regenerated(state)

    assert [(one.rule, one.severity, str(one.where), one.message) for one in made.remaining] == [
        ("old-name", "warning", f"/project/tests/{place}", message)
        for place, message in [
            ("test_it.py:1:7", "a string contains the old name old: if it means the handler, write new"),
            ("test_it.py:2:17", "a string contains the old name old: if it means the handler, write new"),
            ("test_no.py:1:9", "is not Python, so old() was not renamed in it: rename it to new"),
        ]
    ]


@pytest.mark.slow
def test_a_module_that_cannot_be_parsed_is_skipped_and_the_others_are_updated():
    """Its entries stay in the record."""
    modules = {"things": "def one(): ...\n", "others": "def two(): ...\n"}
    sources = in_sync(document(operation("one"), tagged("two")), **modules)
    broken = sources.changed({FOLDER / "things.py": b"def one(:\n"})
    changed = document(operation("first"), tagged("two", parameters=[query("q")]))

    after, made = regenerated(state_of(changed, broken))
    repaired = after.sources.changed({FOLDER / "things.py": b"def one(): ...\n"})

    assert text(after.sources, "things") == "def one(:\n"
    assert text(after.sources, "others") == "def two(*, q: str | None = None): ...\n"
    assert [one.rule for one in made.remaining] == ["unreadable-module"]
    assert module_after(state_of(changed, repaired)) == "def first(): ...\n"


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("gone", "new"), "--rename: no module of the package has a function 'gone'"),
        (("old", "gone"), "--rename: the contract has no operation 'gone'"),
        (("old", "other"), "already; old() would hide it"),
        (
            ("hidden", "new"),
            "uses 'new' for something else in a function that uses hidden(); rename that first",
        ),
        (("old", "list-new"), None),
    ],
)
def test_refuses_a_rename_with_an_unknown_or_taken_name(pair, message):
    whole = document(operation("new"), operation("other"), operation("list-new"))
    things = "def old(): ...\ndef other(): ...\ndef hidden(): ...\ndef _x(new): return hidden() + new\n"
    state = state_of(whole, things=things)

    if message is None:
        assert requested_renames(state, [pair]) == {("things", "old"): "list_new"}
    else:
        with pytest.raises(SetupError) as refused:
            requested_renames(state, [pair])
        assert message in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_keeps_encoding_and_newlines(encoding, newline):
    cookie = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else ""
    before = f"{cookie}from __future__ import annotations\n\ndef one():\n    return 'é'\n".replace(
        "\n", newline
    )
    two = operation("two", summary="Two", description="More.", responses={"200": json_of(ref("Thing"))})
    state = state_of(document(operation("one", parameters=[query("q")]), two))
    sources = state.sources.changed({FOLDER / "things.py": before.encode(encoding)})

    after = regenerated(state_of(state.contract.document, sources))[0].sources.files[FOLDER / "things.py"]

    written = after.decode(encoding)
    assert after.startswith(before.encode(encoding)[:3])
    assert "def one(*, q: str | None = None):" in written
    assert "    return 'é'" in written
    assert written.count("\n") == written.count(newline)
    compile(after, "things.py", "exec")


def test_reports_a_file_whose_encoding_cannot_represent_the_contracts_text():
    """The file's encoding is not changed."""
    state = state_of(document(operation("one", summary="客户")))
    things = "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")
    sources = state.sources.changed({FOLDER / "things.py": things})

    with pytest.raises(SetupError, match=r"things\.py: its encoding, iso-8859-1, cannot represent '客户'"):
        regenerated(state_of(state.contract.document, sources))


@pytest.mark.slow
def test_a_plan_writes_nothing(tmp_path):
    folder = project(tmp_path, document(operation("one")))

    check_run = relay(folder, *ARGUMENTS, "--check")
    diff_run = relay(folder, *ARGUMENTS, "--diff")

    assert check_run.returncode == 1
    assert diff_run.returncode == 0
    assert "+async def one() -> Any:" in diff_run.stdout
    assert not (folder / "shop").exists()


@pytest.mark.slow
def test_lists_every_file_that_a_rename_changed(tmp_path):
    folder = project(tmp_path, document(operation("one")))
    relay(folder, *ARGUMENTS)
    (folder / "tests").mkdir()
    (folder / "tests/test_one.py").write_text("from shop.things import one\n\nassert one\n", "utf-8")
    project(tmp_path, document(operation("uno")))

    result = relay(folder, *ARGUMENTS)

    renamed = ["renamed one to uno in shop/things.py", "updated references in tests/test_one.py"]
    assert result.stdout.splitlines()[:2] == renamed


def test_a_diff_also_prints_the_findings_that_remain_for_a_person(tmp_path):
    """They go to standard error, as the diff may go to a file."""
    gone = "async def gone():\n    return 1\n"
    folder = project(tmp_path, document(operation("one")), __init__="", things=gone)

    result = relay(folder, *ARGUMENTS, "--diff")

    assert result.returncode == 1
    assert "gone() serves no operation" in result.stderr
    assert "serves no operation" not in result.stdout


ARGUMENTS = ["regenerate", "--spec", "api.json", "--handlers", "shop"]


def project(folder, whole, **modules):
    """Write a contract and, if modules are given, a package `shop`."""
    (folder / "api.json").write_text(json.dumps(whole), "utf-8")
    for name, code in modules.items():
        (folder / "shop").mkdir(exist_ok=True)
        (folder / "shop" / f"{name}.py").write_text(code, "utf-8")
    return folder


@pytest.mark.slow
def test_creates_a_new_package_that_serves(tmp_path):
    """Every operation responds that it is not implemented; mypy and drift report nothing."""
    project(tmp_path, public_style(10))
    made = relay(tmp_path, *ARGUMENTS)
    again = relay(tmp_path, *ARGUMENTS)
    drift = relay(tmp_path, "drift", "--spec", "api.json", "--handlers", "shop")

    import httpx

    with serving(tmp_path, "--spec", "api.json", "--handlers", "shop", RELAY_JWT_SECRET=SECRET) as service:
        answer = httpx.get(f"{service.url}/v1/resource0s", headers=bearer({"sub": "x"}))

    assert made.returncode == 0, made.stdout + made.stderr
    created = ["created the package shop", "added listResource0s in shop/area_0.py"]
    assert made.stdout.splitlines()[:2] == created
    assert again.stdout == "relay regenerate: nothing to do\n"
    assert drift.stdout == "relay drift: 10 operations, handlers and types agree\n"
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert typed_strictly(tmp_path, "-p", "shop").startswith("Success")


@pytest.mark.slow
def test_creates_a_package_from_names_that_publishers_choose(tmp_path):
    """Its types are valid, what could not be called as the contract asks is a warning, and a second run has nothing to do."""
    one = tagged("list", "Event Logs", parameters=[query("End"), query("end"), query("End<")])
    two = tagged("List-it", "event-logs", responses={"200": json_of(ref("acme.v1.Kind"))})
    three = tagged("List_it", "event.logs", responses={"200": json_of(ref("Child"))})
    schemas = {
        "acme.v1.Kind": {"type": "object", "properties": {"next": ref_to("acme.v1.Kind"), "other": ref_to("a/b")}},
        "AcmeV1Kind": {"type": "array", "items": ref_to("List<Foo>")},
        "List<Foo>": {"type": "object", "properties": {"x": ref_to("2fa")}},
        "a/b": {"type": "string", "enum": ["a"]},
        "2fa": {"type": "object"},
        "Any": {"type": "object", "properties": {"x": {}}},
        "Base": {"type": "object", "required": ["kind"], "properties": {"kind": STRING, "n": INTEGER}},
        "Child": {
            "allOf": [ref_to("Base"), {"type": "object", "properties": {"kind": {**STRING, "enum": ["c"]}}}]
        },
    }  # fmt: skip
    paths = {"/one": {"get": one}, "/two": {"get": two}, "/three": {"get": three}}
    project(tmp_path, contract(paths, components={"schemas": schemas}))

    made = relay(tmp_path, *ARGUMENTS)
    again = relay(tmp_path, *ARGUMENTS)
    drift = relay(tmp_path, "drift", "--spec", "api.json", "--handlers", "shop")

    assert made.returncode == 0, made.stdout + made.stderr
    assert [line.partition(" has the ")[2] for line in made.stderr.splitlines()] == [
        (
            "argument 'end', so the argument of the query parameter 'End' is 'end_2'; to choose another, set "
            '"query End" in [tool.relay.names.parameters]'
        ),
        (
            "name List_it(), so the handler of GET /three is get_three(); to choose another, set "
            '"GET /three" in [tool.relay.names.operations]'
        ),
    ]
    assert again.stdout == "relay regenerate: nothing to do\n"
    assert drift.stdout == "relay drift: 3 operations, handlers and types agree\n"
    assert typed_strictly(tmp_path, "-p", "shop").startswith("Success")


@pytest.mark.slow
def test_names_of_the_project_are_those_of_the_package(tmp_path):
    """They are in pyproject.toml, where `relay serve` reads them, too."""
    project(tmp_path, contract({"/a": {"get": tagged("getIt", "Event Logs", parameters=[query("q")])}}))
    (tmp_path / "pyproject.toml").write_text(
        """
        [tool.relay]
        spec = "api.json"
        handlers = "shop"
        [tool.relay.names]
        operations = {"GET /a" = "find"}
        tags = {"Event Logs" = "logs"}
        parameters = {"q" = "text"}
        """,
        "utf-8",
    )

    made = relay(tmp_path, "regenerate")
    drift = relay(tmp_path, "drift")
    checked = relay(tmp_path, "check", RELAY_PORT="0")

    assert made.stdout.splitlines()[1:] == ["added find in shop/logs.py", "created shop/_types.py"]
    assert "async def find(*, text: str | None = None)" in (tmp_path / "shop/logs.py").read_text("utf-8")
    assert drift.stdout == "relay drift: 1 operation, handlers and types agree\n"
    assert "ok: handlers: the package shop serves 1 operation" in checked.stdout


def test_a_link_out_of_the_package_is_not_written_through(tmp_path):
    """Other programs may use that file; nothing is written at all."""
    project(tmp_path, document(operation("one", parameters=[query("q")])), __init__="")
    (tmp_path / "real.py").write_text("def one(): ...\n", "utf-8")
    (tmp_path / "shop" / "things.py").symlink_to(tmp_path / "real.py")

    refused = relay(tmp_path, *ARGUMENTS)

    assert refused.returncode == 2
    assert "shop/things.py: is a link to " in refused.stderr
    assert (tmp_path / "real.py").read_text("utf-8") == "def one(): ...\n"
    assert not (tmp_path / "shop" / "_types.py").exists()


def test_prints_one_line_on_each_action_and_each_remaining_finding(tmp_path):
    project(tmp_path, document(operation("one")), __init__="", things="def one(*, stoer): ...\n")

    done = relay(tmp_path, *ARGUMENTS)

    assert done.returncode == 1
    made, finding, count = done.stdout.splitlines()
    assert (made, count) == ("created shop/_types.py", "relay regenerate: 1 error")
    assert finding.startswith(
        "shop/things.py:1:12: error: GET /0 does not send 'stoer', and no collaborator has that name "
        "(collaborators: none): rename or remove the argument [extra-argument] (see api.json:1:"
    )


def test_types_do_not_depend_on_folder_and_settings(tmp_path, monkeypatch):
    whole = read(public_style(5))
    here = generate_types(whole)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.ruff]\nline-length = 20\n[tool.datamodel-codegen]\nclass-name = 'X'\n[tool.black]\nline-length=9\n",
        "utf-8",
    )

    assert generate_types(whole) == here
    assert here.names["Resource0Page"] == "Resource0Page"


def test_every_component_gets_a_class_of_its_own():
    """This holds for any name, also for names that collide."""
    error = {"type": "object", "properties": {"a": STRING}}
    schemas = {
        "Error": THING,
        "old-name": {"type": "object", "title": "Error", "properties": {"error": error}},
        "old_name": THING,
        "Any": THING,
        "class": {**THING, "title": "A\nb"},
        "客户": THING,
        "Word": STRING,
        "Tree": {"type": "array", "items": ref("Tree")},
    }

    types = generate_types(read(document(operation("one"), **schemas)))

    assert set(types.names) == {"Thing", *schemas}
    assert len(set(types.names.values())) == len(types.names)
    assert types.names["Error"] == "Error"
    namespace: dict = {}
    exec(types.source, namespace)  # noqa: S102 -- what is generated is Python
    assert set(types.names.values()) <= set(namespace)


def test_the_record_survives_any_path():
    """A path may contain a line break, which must not end the comment."""
    odd = {"/a\nimport os\n#": {"get": operation("one", parameters=[query("q")])}}

    after = regenerated(state_of(contract({**odd, "/ = x.y(z)": {"get": operation("two")}})))[0]
    types = after.types_found

    assert set(read_record(types)) == {("get", "/a\nimport os\n#"), ("get", "/ = x.y(z)")}
    assert "\nimport os" not in types
    assert first_difference(types, after.types_wanted) is None
    assert PROJECT.name not in types


def depot(name="discover", kinds=("string", "null")):
    """A contract with an operation of QUERY, and one of M-SEARCH that has a name and answers some types."""
    answer = {"description": "", "content": {"application/json": {"schema": {"type": [*kinds]}}}}
    found = operation(name, responses={"200": answer}, summary="Discover things")
    item = {"query": operation("find"), "additionalOperations": {"M-SEARCH": found}}
    return {**contract({"/things": item}), "openapi": "3.2.0"}


def test_each_method_has_a_handler():
    sources = in_sync(depot())

    assert "async def find() -> Any:\n" in text(sources, "things")
    assert 'async def discover() -> str | None:\n    """Discover things."""\n' in text(sources, "things")
    assert check(state_of(depot(), sources)) == []


@pytest.mark.slow
def test_a_renamed_operation_is_recognised_by_any_method():
    state, made = regenerated(state_of(depot("search"), in_sync(depot())))

    assert "async def search() -> str | None:" in text(state.sources, "things")
    assert made.remaining == []


@pytest.mark.slow
def test_a_changed_list_of_types_changes_the_annotation():
    sources = in_sync(depot(kinds=("string", "integer", "null")))

    same = check(state_of(depot(kinds=("null", "integer", "string")), sources))
    changed, _ = regenerated(state_of(depot(kinds=("string", "integer")), sources))

    assert same == []
    assert "async def discover() -> str | int:" in text(changed.sources, "things")
