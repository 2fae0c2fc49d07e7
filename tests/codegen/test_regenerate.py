"""Handlers brought in line with their contract: `relay regenerate`, `scripts/relay/codegen/plan.py` and below."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import stat
import subprocess
import sys
import textwrap

import pytest

from bench.contracts import public_style
from relay.codegen.formatting import Ruff
from relay.codegen.plan import asked, plan
from relay.codegen.types_module import first_difference, generate_types, read_record
from relay.contract.diagnostics import SetupError
from support.hosting import SECRET, bearer, contract, operation
from support.running import ROOT, relay, serving
from support.scaffolded import FOLDER, check, lined_up, read, regenerated, sources_of, state_of, text
from support.scaffolded import ROOT as PROJECT

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
THING = {"type": "object", "properties": {"name": STRING}}


def query(name, **rest):
    """A query parameter of any string."""
    return {"name": name, "in": "query", "schema": STRING, **rest}


def json_of(schema):
    """A body, or an answer, of JSON."""
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def ref(name):
    """A reference to a component's schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def document(*operations, **schemas):
    """A contract of operations at `/0`, `/1` and so on, by GET."""
    paths = {f"/{index}": {"get": one} for index, one in enumerate(operations)}
    return contract(paths, components={"schemas": {"Thing": THING, **schemas}})


def showing(**rest):
    """A contract of one operation, `show`."""
    return document(operation("show", **rest))


def source(code):
    """Source as a test indents it."""
    return textwrap.dedent(code).lstrip("\n")


def brought(state, module="things", **rest):
    """A module's source once its package is in line."""
    return text(regenerated(state, **rest)[0].sources, module)


def left(state, **rest):
    """What is left for a person: rule and line."""
    return [(one.rule, one.where[1]) for one in regenerated(state, **rest)[1].left]


def laid_out(state):
    """A module's source once its package is in line, as ruff lays it out for our own project."""
    return plan(state, Ruff(ROOT / "handlers")).changes[FOLDER / "things.py"].decode()


def test_writes_a_stub_for_a_new_operation():
    """Arguments in the contract's order, what may be absent with a default, words from the contract."""
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

    assert laid_out(state) == source('''
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
def test_any_words_make_a_stub_that_passes_every_rule_of_this_project(tmp_path, words):
    """Quotes, backslashes, other scripts, very much, nothing; formatted, typed and linted."""
    one = operation("show", summary=words, description=words, parameters=[query(f"p{n}") for n in range(9)])
    other = operation("listThings", summary=words)
    state = state_of(document(one, other))

    made = plan(state, Ruff(ROOT / "handlers")).changes[FOLDER / "things.py"]

    assert_tidy(made)
    assert ast.parse(made)


def assert_tidy(code):
    """Assert that ruff, with the rules of this project, has nothing to say of an operations module."""
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


@pytest.mark.parametrize("header", HEADERS)
def test_imports_stay_in_the_order_that_ruff_wants(header):
    """Sections, `import` before `from`, names by kind; whatever the module had."""
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

    made = laid_out(state_of(document(one, two, **schemas), things=before))

    assert_tidy(made.encode())


def test_a_stub_goes_below_what_is_there():
    """What a person wrote stays as it is, to the byte; imports are extended in their place."""
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
    state = state_of(
        document(
            operation("one", parameters=[query("z", schema=ref("Zebra"), required=True)]),
            operation(
                "two",
                parameters=[query("a", schema={"type": "object"})],
                responses={"200": json_of(ref("Thing"))},
            ),
            Zebra=THING,
        ),
        things=before,
    )

    after = brought(state)

    kept = before.replace("import TYPE_CHECKING", "import TYPE_CHECKING, Any").replace(
        "import Zebra", "import Thing, Zebra"
    )
    assert after == kept + source('''


        async def two(*, a: dict[str, Any] | None = None) -> Thing:
            """Answer GET /1."""
            raise NotImplementedError
    ''').join(["\n\n", ""])


def test_imports_types_for_real_where_annotations_are_evaluated():
    """A name for the type checker alone would not be there."""
    after = brought(
        state_of(
            document(operation("one"), operation("two", responses={"200": json_of(ref("Thing"))})),
            things="import os\ndef one(): ...\n",
        )
    )

    assert after.startswith("import os\n\nfrom ._types import Thing\n")
    assert "TYPE_CHECKING" not in after


def test_a_type_whose_name_is_taken_gets_another():
    """The module's own name, or Python's, means what it meant."""
    two = operation("two", responses={"200": json_of({"oneOf": [ref("Thing"), ref("Warning")]})})
    state = state_of(
        document(operation("one"), two, Warning=THING), things="class Thing: ...\ndef one(): ...\n"
    )

    after = brought(state)

    assert "from ._types import Thing as ThingType\nfrom ._types import Warning as WarningType\n" in after
    assert '-> "ThingType | WarningType":' in after
    assert [one.rule for one in check(regenerated(state)[0])] == []


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
]


@pytest.mark.parametrize(("before", "names", "after"), CASES)
def test_mends_a_signature(before, names, after):
    """Order and everything that was right stay; a plain `def` stays plain."""
    parameters = [query(name.strip("!"), required=name.endswith("!")) for name in names]

    assert brought(state_of(showing(parameters=parameters), things=f"{before}\n")) == f"{after}\n"


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Import a module of a package `shop` for real, once it has been written down."""

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


@pytest.mark.parametrize(
    "things",
    [
        "from ._rows import type\n\ndef show(): return type(1)\n",
        "def show(): return type(1)\n",
        "def show(): return [type(one) for one in (1,)]\n",
        "type = str\ndef show():\n    global type\n    return type(1)\n",
        "from ._rows import *\n\ndef show(): return type(1)\n",
        "if (type := str):\n    def show(): return type(1)\n",
    ],
)
def test_an_argument_that_would_hide_what_the_body_means_is_left_to_a_person(things):
    """The body would get the request's value, or the module would be no Python any more."""
    state = state_of(showing(parameters=[query("type", required=True)]), things=things, _rows="type = str\n")

    after, made = regenerated(state)

    assert text(after.sources, "things") == things
    assert [one.rule for one in made.left] == ["missing-argument"]
    assert "; show() means something else by 'type', which has to get another name" in made.left[0].message


@pytest.mark.parametrize(
    "body", ["return limit", "limit = 1", "return [limit for limit in ()]", "return x.limit"]
)
def test_an_argument_that_hides_nothing_is_added(body):
    """Written ahead for it, the body's own, or nobody's."""
    state = state_of(showing(parameters=[query("limit")]), things=f"x = 1\ndef show(): {body}\n")

    assert f"def show(*, limit: str | None = None): {body}\n" in brought(state)


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


@pytest.mark.parametrize("things", [*EVALUATED, *LATE])
def test_a_mended_module_can_be_imported_wherever_its_imports_stand(imported, things):
    """For the type checker alone, below their use, on one line, below a docstring in two pieces."""
    modes = [
        query("mode", schema={"type": "array", "items": ref("Mode")}),
        query("k", schema={"enum": ["a"]}),
    ]
    sources = lined_up(showing(responses={"200": json_of(ref("Thing"))}), things=things)
    whole = document(
        operation("show", parameters=modes, responses={"200": json_of(ref("Sum"))}), Mode=THING, Sum=THING
    )

    state, made = regenerated(state_of(whole, sources))

    assert made.left == []
    assert set(inspect.signature(imported(state).show).parameters) == {"mode", "k"}
    assert regenerated(state)[1].changes == {}


def test_a_star_import_keeps_the_name_that_a_body_means(imported):
    """What it binds is not known: a type of that name gets another."""
    things = "from ._rows import *\n\ndef show(): return Mode\n"
    whole = document(operation("show", parameters=[query("m", schema=ref("Mode"))]), Mode=THING)

    state, _ = regenerated(state_of(whole, things=things, _rows="Mode = 'mine'\n"))

    assert imported(state).show() == "mine"


@pytest.mark.parametrize("things", ["def show[T](): ...\n", "def show():\n    return 1\nreturn\n"])
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="newer Python reads one of them")
def test_what_this_python_would_not_import_is_left_alone(things):
    """It is told where, whoever else could read it."""
    after, made = regenerated(state_of(showing(parameters=[query("q")]), things=things))

    assert text(after.sources, "things") == things
    assert [one.rule for one in made.left] == ["unreadable-module"]


def test_lays_out_a_mended_signature_as_the_project_does():
    """Lines too long are broken; a remark stays with its argument."""
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

    assert laid_out(state_of(showing(parameters=parameters), things=before)) == before.replace(
        "# the first\n", "# the first\n    second_argument_of_the_operation: str | None = None,\n"
    )


def mended_after(before_parameters, after_parameters, things):
    """Bring a package in line, change the contract's parameters, bring it in line again."""
    sources = lined_up(showing(parameters=[query(name) for name in before_parameters]), things=things)
    return state_of(showing(parameters=[query(name) for name in after_parameters]), sources)


def test_removes_an_argument_that_the_contract_had():
    """The record knows it."""
    state = mended_after(["a", "b"], ["a"], "def show(*, a=None, b=None): return a\n")

    assert brought(state) == "def show(*, a=None): return a\n"
    assert left(state) == []


def test_an_argument_that_the_body_uses_is_left_to_a_person():
    """It is told until it is gone, and the record keeps knowing it."""
    state = mended_after(["a", "b"], ["a"], "def show(*, a=None, b=None):\n    return a or b\n")

    after, made = regenerated(state)

    assert text(after.sources, "things") == "def show(*, a=None, b=None):\n    return a or b\n"
    assert [(one.rule, one.message) for one in made.left] == [
        ("extra-argument", "GET /0 sends no 'b' any more: remove the argument, and its use at line 2")
    ]
    assert regenerated(after)[1].changes == {}


def test_an_argument_with_a_remark_is_left_to_a_person():
    """The remark would go with it."""
    state = mended_after(
        ["a", "b"], ["a"], "def show(\n    *,\n    a=None,\n    b=None,  # mine\n): return a\n"
    )

    assert left(state) == [("extra-argument", 4)]


def test_an_argument_that_nothing_explains_is_never_removed():
    """It may be a collaborator."""
    state = mended_after(["a"], [], "def show(*, a=None, stoer): return 1\n")

    assert brought(state) == "def show(*, stoer): return 1\n"
    assert left(state) == [("extra-argument", 1)]


def test_what_is_gone_is_told_and_stays():
    """With the operation that it served."""
    sources = lined_up(
        document(operation("one"), operation("two")), things="def one(): ...\ndef two(): ...\n"
    )
    state = state_of(document(operation("one")), sources)

    after, made = regenerated(state)

    assert text(after.sources, "things") == "def one(): ...\ndef two(): ...\n"
    assert [one.message for one in made.left] == [
        "gone: GET /1, which two() served: delete it, or let its name begin with '_'"
    ]
    assert regenerated(after)[1].changes == {}


def test_a_new_operation_beside_one_that_is_gone_is_new():
    """The record knows that they are two."""
    sources = lined_up(document(operation("one")), things="def one(): ...\n")
    state = state_of(contract({"/other": {"get": operation("other")}}), sources)

    after, made = regenerated(state)

    assert "async def other()" in text(after.sources, "things")
    assert [one.rule for one in made.left] == ["stale-handler"]


def test_without_a_record_a_person_says_what_was_renamed():
    """A stub beside the old body would hide it."""
    state = state_of(document(operation("new")), things="def old(): return 1\n")

    after, made = regenerated(state)
    renamed = regenerated(after, renames=asked(after, [("old", "new")]))

    assert [one.rule for one in made.left] == ["missing-handler", "stale-handler"]
    assert text(renamed[0].sources, "things") == "def new(): return 1\n"
    assert renamed[1].left == []


def test_a_rename_goes_through_package_and_tests():
    """By scope: what only has the same name keeps it."""
    sources = lined_up(
        document(operation("old"), operation("other")),
        things=source("""
            __all__ = ["old", "other"]

            @decorated
            def old():
                return old.__name__, self.old, call(old=1), "old"

            def other():
                def old(): ...
                return old()

            def _helper(old):
                return old + other.old
        """),
        others="from .things import old\nfrom .things import old as mine\nfrom . import things\nx = old, mine, things.old\n",
        tests__test_things=source("""
            import shop.things
            import shop.things as t
            from shop import things
            from shop.things import old

            def test_old():
                assert old() == things.old() == t.old() == shop.things.old()
        """),
        tests__test_more="from shop.things import old\n\ndef test(new):\n    return old(new)\n",
        tests__test_other="old = 1\nprint(old)\n",
    )
    after, made = regenerated(state_of(document(operation("new"), operation("other")), sources))

    assert text(after.sources, "things") == source("""
        __all__ = ["new", "other"]

        @decorated
        def new():
            return new.__name__, self.old, call(old=1), "old"

        def other():
            def old(): ...
            return old()

        def _helper(old):
            return old + other.old
    """)
    assert text(after.sources, "others") == (
        "from .things import new\nfrom .things import new as mine\nfrom . import things\nx = new, mine, things.new\n"
    )
    tests = {path.stem: content.decode() for path, content in after.sources.tests.items()}
    assert tests["test_things"] == source("""
        import shop.things
        import shop.things as t
        from shop import things
        from shop.things import new

        def test_old():
            assert new() == things.new() == t.new() == shop.things.new()
    """)
    assert tests["test_more"] == "from shop.things import new as old\n\ndef test(new):\n    return old(new)\n"
    assert tests["test_other"] == "old = 1\nprint(old)\n"
    assert [(one.rule, one.where[1]) for one in made.left] == [("unread-handler", 4), ("old-name", 5)]
    assert regenerated(after)[1].changes == {}


def test_a_new_name_that_a_function_has_for_something_else_is_left_to_a_person():
    """There the handler would be hidden."""
    things = "def old(): return 1\n\ndef _helper(new): return old() + new\n"
    sources = lined_up(document(operation("old")), things=things)
    state = state_of(document(operation("new")), sources)

    after, made = regenerated(state)

    assert text(after.sources, "things") == things
    assert [one.rule for one in made.left] == ["missing-handler"]
    with pytest.raises(SetupError, match="uses 'new' for something else"):
        asked(state, [("old", "new")])


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
def test_no_stub_takes_the_place_of_a_handler(imported, things):
    """However it is bound: what comes last in a module wins."""
    state, made = regenerated(state_of(showing(), things=things))

    assert imported(state).show() == 1
    assert {one.severity for one in made.left} <= {"info"}


def test_no_stub_for_what_a_module_has_and_takes_away():
    """Why it does is not ours to know; it is told."""
    things = "def show(): ...\ndel show\n"

    after, made = regenerated(state_of(showing(), things=things))

    assert text(after.sources, "things") == things
    (finding,) = made.left
    assert finding.message.endswith(": what has that name there is gone once the module is imported")


def test_a_name_that_a_module_only_mentions_gets_a_stub():
    """In its words, a remark, or a call written ahead."""
    things = "'Like show().'\n# show\ndef _ahead(): return show()\n"

    assert "async def show()" in brought(state_of(showing(), things=things))


SEVERAL = [
    "import os\nif os.environ.get('FAST'):\n    def old(*, q=None): return 1\nelse:\n    def old(*, q=None): return 2\n",
    "from typing import overload\n@overload\ndef old(*, q: str): ...\n@overload\ndef old(): ...\ndef old(*, q=None): ...\n",
]


@pytest.mark.parametrize("things", SEVERAL)
def test_a_handler_with_several_definitions_is_left_to_a_person(things):
    """One of them alone, renamed or mended, would part from the others."""
    sources = lined_up(document(operation("old", parameters=[query("q")])), things=things)
    renamed_state = state_of(document(operation("new", parameters=[query("q")])), sources)

    mended_after, mended = regenerated(state_of(document(operation("old")), sources))
    renamed_after, renamed = regenerated(renamed_state)

    assert text(mended_after.sources, "things") == text(renamed_after.sources, "things") == things
    (extra,) = mended.left
    assert extra.message.endswith("; old() is defined several times: change each")
    (missing,) = renamed.left
    assert missing.message.endswith("; it was old in /project/shop/things.py, which only you can rename")
    with pytest.raises(SetupError, match="defines 'old' several times; rename each by hand"):
        asked(renamed_state, [("old", "new")])


def test_an_argument_that_may_be_a_collaborator_is_not_taken_for_a_parameter():
    """Only what the parameter itself is called in another spelling is."""
    init = "async def collaborators(settings):\n    yield make(settings)\n"
    things = "def show(*, limiter): ...\n"

    after = brought(state_of(showing(parameters=[query("limit")]), init=init, things=things))

    assert after == "def show(*, limiter, limit: str | None = None): ...\n"


@pytest.mark.parametrize(
    "rest",
    [
        {"_h": "from .things import Thing\n"},
        {"_h": "def f():\n    from shop import things\n    return things.Thing\n"},
        {"_h": "from . import things as t\nx = t.Thing\n"},
        {"tests__test_h": "from shop.things import Thing\n"},
        {"tests__test_h": "import shop.things\nx = shop.things.Thing\n"},
    ],
)
def test_a_type_that_others_take_from_a_module_stays_imported(rest):
    """They could not be imported any more."""
    things = "from ._types import Thing\n\ndef show() -> Thing: ...\n"

    after = brought(state_of(showing(responses={"204": {"description": ""}}), things=things, **rest))

    assert after == "from ._types import Thing\n\ndef show() -> None: ...\n"


def test_a_type_that_a_module_exports_stays_imported():
    """`x as x` says so."""
    things = "from ._types import Thing as Thing\n\ndef show() -> Thing: ...\n"

    after = brought(state_of(showing(responses={"204": {"description": ""}}), things=things))

    assert after == "from ._types import Thing as Thing\n\ndef show() -> None: ...\n"


def test_what_a_rename_cannot_reach_is_told():
    """Texts that may mean the handler, and files that are no Python; the tests would fail for no reason told."""
    sources = sources_of(
        things="'old is here'\ndef old(): return 'old and more'\n",
        tests__test_it="patch('shop.things.old')\nsetattr(things, 'old', 1)\n",
        tests__test_no="def old(:\n",
    )
    state = state_of(
        document(operation("new")), regenerated(state_of(document(operation("old")), sources))[0].sources
    )

    _, made = regenerated(state)

    assert [(one.rule, one.severity, str(one.where), one.message) for one in made.left] == [
        ("old-name", "warning", f"/project/tests/{place}", message)
        for place, message in [
            ("test_it.py:1:7", "a text names old: where it means the handler, write new"),
            ("test_it.py:2:17", "a text names old: where it means the handler, write new"),
            ("test_no.py:1:9", "is not Python, so old() was not renamed in it: rename it to new"),
        ]
    ]


def test_operations_may_change_names_with_each_other():
    """Each body stays with its method and path."""
    sources = lined_up(
        document(operation("a"), operation("b")), things="def a(): return 1\ndef b(): return 2\n"
    )

    after, made = regenerated(state_of(document(operation("b"), operation("a")), sources))

    assert text(after.sources, "things") == "def b(): return 1\ndef a(): return 2\n"
    assert made.left == []


def test_a_name_that_passes_to_a_new_operation_leaves_the_body_behind():
    """The body belongs to the path it was written for."""
    sources = lined_up(document(operation("a")), things="def a(): return 1\n")

    after = brought(state_of(document(operation("b"), operation("a")), sources))

    assert "def b(): return 1\n" in after
    assert "async def a()" in after


def test_another_tag_is_told_and_nothing_moves():
    """A function would have to move with all that it uses."""
    sources = lined_up(document(operation("one")), things="def one(): return _x\n_x = 1\n")
    state = state_of(document({**operation("one"), "tags": ["Others"]}), sources)

    after, made = regenerated(state)

    assert FOLDER / "others.py" not in after.sources.files
    (finding,) = made.left
    assert finding.message.startswith("move one() to ")
    assert finding.message.endswith("shop/others.py: that is where GET /0 belongs by its tag")
    assert regenerated(after)[1].changes == {}


def test_a_handler_bound_to_an_old_name_by_hand_is_renamed_by_hand():
    """A stub would hide what serves."""
    sources = lined_up(document(operation("old")), things="from ._x import old\n", _x="def old(): ...\n")
    state = state_of(document(operation("new")), sources)

    after, made = regenerated(state)

    assert text(after.sources, "things") == "from ._x import old\n"
    (finding,) = made.left
    assert finding.message.endswith("; it was old in /project/shop/things.py, which only you can rename")


def test_a_module_that_is_no_python_is_left_alone_and_the_others_go_on():
    """What was known of it is still known afterwards."""
    sources = lined_up(
        document(operation("one"), {**operation("two"), "tags": ["Others"]}),
        things="def one(): ...\n",
        others="def two(): ...\n",
    )
    broken = sources.changed({FOLDER / "things.py": b"def one(:\n"})
    changed = document(operation("first"), {**operation("two", parameters=[query("q")]), "tags": ["Others"]})

    after, made = regenerated(state_of(changed, broken))
    mended = after.sources.changed({FOLDER / "things.py": b"def one(): ...\n"})

    assert text(after.sources, "things") == "def one(:\n"
    assert text(after.sources, "others") == "def two(*, q: str | None = None): ...\n"
    assert [one.rule for one in made.left] == ["unreadable-module"]
    assert brought(state_of(changed, mended)) == "def first(): ...\n"


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (("gone", "new"), "--rename: no module of the package has a function 'gone'"),
        (("old", "gone"), "--rename: the contract has no operation 'gone'"),
        (("old", "other"), "already; old() would hide it"),
    ],
)
def test_refuses_a_rename_of_or_to_nothing(pair, told):
    """Before anything is written."""
    state = state_of(
        document(operation("new"), operation("other")), things="def old(): ...\ndef other(): ...\n"
    )

    with pytest.raises(SetupError) as refused:
        asked(state, [pair])

    assert told in str(refused.value)


def test_an_operation_id_names_what_is_renamed_as_well():
    """As the contract writes them."""
    state = state_of(document(operation("list-new")), things="def list_old(): ...\n")

    assert asked(state, [("list-old", "list-new")]) == {("things", "list_old"): "list_new"}


def test_types_that_are_no_longer_used_are_no_longer_imported():
    """A block that becomes empty goes, too; a person's remark keeps an import."""
    before = source("""
        from __future__ import annotations

        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from ._types import Thing

        def show() -> Thing: ...
    """)
    state = state_of(showing(responses={"204": {"description": ""}}), things=before)

    assert brought(state) == "from __future__ import annotations\n\ndef show() -> None: ...\n"
    assert "import Thing  # mine" in brought(
        state_of(
            showing(responses={"204": {"description": ""}}),
            things=before.replace("Thing\n\n", "Thing  # mine\n\n"),
        )
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_keeps_encoding_and_newlines(encoding, newline):
    """A file stays what it was."""
    cookie = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else ""
    before = (cookie + "from __future__ import annotations\n\ndef one():\n    return 'é'\n").replace(
        "\n", newline
    )
    two = operation("two", summary="Two", description="More.", responses={"200": json_of(ref("Thing"))})
    state = state_of(document(operation("one", parameters=[query("q")]), two))
    sources = state.sources.changed({FOLDER / "things.py": before.encode(encoding)})

    after = regenerated(state_of(read_back(state), sources))[0].sources.files[FOLDER / "things.py"]

    written = after.decode(encoding)
    assert after.startswith(before.encode(encoding)[:3])
    assert "def one(*, q: str | None = None):" in written
    assert "    return 'é'" in written
    assert written.count("\n") == written.count(newline)
    compile(after, "things.py", "exec")


def test_tells_which_file_cannot_hold_the_contracts_words():
    """Its encoding is a person's choice."""
    state = state_of(document(operation("one", summary="客户")))
    things = "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")
    sources = state.sources.changed({FOLDER / "things.py": things})

    with pytest.raises(SetupError, match=r"shop/things\.py: its encoding, iso-8859-1, cannot write '客户'"):
        regenerated(state_of(read_back(state), sources))


def test_reads_what_is_nested_deeply():
    """A long sum is a deep tree."""
    one = document(operation("one", parameters=[query("q")]))
    deep = f"def one(): return {' + '.join(['x'] * 500)}\n"

    assert brought(state_of(one, things=deep)).startswith("def one(*, q: str | None = None): return x + x")


def read_back(state):
    """The document that a state was made of."""
    return state.contract.document


def test_a_plan_writes_nothing(tmp_path):
    """Nor do --check and --diff."""
    folder = project(tmp_path, document(operation("one")))

    check_run = relay(folder, *ARGUMENTS, "--check")
    diff_run = relay(folder, *ARGUMENTS, "--diff")

    assert check_run.returncode == 1
    assert diff_run.returncode == 0
    assert "+async def one() -> Any:" in diff_run.stdout
    assert not (folder / "shop").exists()


def test_tells_every_file_that_a_rename_touched(tmp_path):
    """A person has to know where to look; what they wrote elsewhere was edited."""
    folder = project(tmp_path, document(operation("one")))
    relay(folder, *ARGUMENTS)
    (folder / "tests").mkdir()
    (folder / "tests/test_one.py").write_text("from shop.things import one\n\nassert one\n", "utf-8")
    project(tmp_path, document(operation("uno")))

    result = relay(folder, *ARGUMENTS)

    assert result.stdout.splitlines()[:2] == [
        "renamed one to uno in shop/things.py",
        "carried that through tests/test_one.py",
    ]


def test_a_diff_hides_nothing_that_is_left_for_a_person(tmp_path):
    """It goes to standard error: the diff may go to a file."""
    gone = "async def gone():\n    return 1\n"
    folder = project(tmp_path, document(operation("one")), __init__="", things=gone)

    result = relay(folder, *ARGUMENTS, "--diff")

    assert result.returncode == 1
    assert "gone() serves no operation" in result.stderr
    assert "serves no operation" not in result.stdout


ARGUMENTS = ["regenerate", "--spec", "api.json", "--handlers", "shop"]


def project(folder, whole, **modules):
    """Write a contract and, if it has modules, a package `shop`."""
    (folder / "api.json").write_text(json.dumps(whole), "utf-8")
    for name, code in modules.items():
        (folder / "shop").mkdir(exist_ok=True)
        (folder / "shop" / f"{name}.py").write_text(code, "utf-8")
    return folder


def test_makes_a_package_that_serves_from_nothing(tmp_path):
    """Every operation answers that it is not implemented; ruff, mypy and drift have nothing to say."""
    project(tmp_path, public_style(10))
    made = relay(tmp_path, *ARGUMENTS)
    again = relay(tmp_path, *ARGUMENTS)
    drift = relay(tmp_path, "drift", "--spec", "api.json", "--handlers", "shop")

    import httpx

    with serving(tmp_path, "--spec", "api.json", "--handlers", "shop", RELAY_JWT_SECRET=SECRET) as service:
        answer = httpx.get(f"{service.url}/v1/resource0s", headers=bearer({"sub": "x"}))

    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stdout.splitlines()[:2] == ["made the package shop", "added listResource0s in shop/area_0.py"]
    assert again.stdout == "relay regenerate: nothing to do\n"
    assert drift.stdout == "relay drift: 10 operations, handlers and types agree\n"
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "-p", "shop"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert typed.returncode == 0, typed.stdout


def test_writes_over_a_file_with_its_mode_and_through_its_link(tmp_path):
    """And leaves nothing beside it."""
    project(
        tmp_path, document(operation("one", parameters=[query("q")])), __init__="", _kept="def one(): ...\n"
    )
    kept = tmp_path / "shop" / "_kept.py"
    kept.chmod(0o640)
    (tmp_path / "shop" / "things.py").symlink_to(kept)

    done = relay(tmp_path, *ARGUMENTS)

    assert done.returncode == 0, done.stdout + done.stderr
    assert kept.read_text("utf-8") == "def one(*, q: str | None = None): ...\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert (tmp_path / "shop" / "things.py").is_symlink()
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == [
        "__init__.py",
        "_kept.py",
        "_types.py",
        "things.py",
    ]


def test_a_link_out_of_the_package_is_not_written_through(tmp_path):
    """Who else uses that file is not known; nothing is written at all."""
    project(tmp_path, document(operation("one", parameters=[query("q")])), __init__="")
    (tmp_path / "real.py").write_text("def one(): ...\n", "utf-8")
    (tmp_path / "shop" / "things.py").symlink_to(tmp_path / "real.py")

    refused = relay(tmp_path, *ARGUMENTS)

    assert refused.returncode == 2
    assert "shop/things.py: is a link to " in refused.stderr
    assert (tmp_path / "real.py").read_text("utf-8") == "def one(): ...\n"
    assert not (tmp_path / "shop" / "_types.py").exists()


def test_tells_in_a_line_what_it_did_and_what_is_left(tmp_path):
    """Exit code 1 until a person has done the rest."""
    project(tmp_path, document(operation("one")), __init__="", things="def one(*, stoer): ...\n")

    done = relay(tmp_path, *ARGUMENTS)

    assert done.returncode == 1
    made, finding, count = done.stdout.splitlines()
    assert (made, count) == ("made shop/_types.py", "relay regenerate: 1 error")
    assert finding.startswith(
        "shop/things.py:1:12: error: GET /0 sends no 'stoer', nor is there such a collaborator (none) "
        "[extra-argument] (see api.json:1:"
    )


def test_types_do_not_depend_on_where_and_how(tmp_path, monkeypatch):
    """Neither on settings of the project nor on a file's name above the package."""
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
    """Whatever it is called, and whatever is called like it."""
    schemas = {
        "Error": THING,
        "old-name": {
            "type": "object",
            "title": "Error",
            "properties": {"error": {"type": "object", "properties": {"a": STRING}}},
        },
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
    """A path is a text of the contract; a comment must not end where it says so."""
    whole = contract(
        {
            "/a\nimport os\n#": {"get": operation("one", parameters=[query("q")])},
            "/ = x.y(z)": {"get": operation("two")},
        }
    )

    after = regenerated(state_of(whole))[0]
    types = after.types_found

    assert set(read_record(types)) == {("get", "/a\nimport os\n#"), ("get", "/ = x.y(z)")}
    assert "\nimport os" not in types
    assert first_difference(types, after.types_wanted) is None
    assert PROJECT.name not in types
