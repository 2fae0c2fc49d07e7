"""Differences between contract, handlers and types: `relay drift`, `scripts/relay/codegen/drift.py`."""

from __future__ import annotations

import json
import os
import sys

import pytest

from relay.contract.documents import display
from relay.project.files import package_folder
from relay.project.package_source import read_sources
from support.hosting import contract, json_of, operation, query, ref
from support.running import ROOT, as_project, relay
from support.scaffolded import FOLDER, check, handler_findings, in_sync, regenerated, sources_of, state_of

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
THING = {"type": "object", "properties": {"name": STRING}}
THINGS = {"type": "array", "items": ref("Thing")}


def showing(**rest):
    components = {"schemas": {"Thing": THING, "Other": THING}}
    return contract({"/a": {"get": operation("show", **rest)}}, components=components)


def answering(schema):
    """A contract whose operation answers a JSON body."""
    return showing(responses={"200": json_of(schema)})


def asking(schema=STRING, name="q", **rest):
    """A contract whose operation has one parameter."""
    return showing(parameters=[query(name, schema, **rest)])


Q = asking()


def findings(state):
    return [one for one in check(state) if not one.rule.startswith("types-")]


def rules(state):
    """The rules of the findings that are not about types."""
    return [one.rule for one in findings(state)]


def tagged(name, tag):
    """An operation of another tag."""
    return {**operation(name), "tags": [tag]}


def test_reports_nothing_when_package_and_contract_agree():
    """Collaborators, a caller and private functions are not differences."""
    things = """
        from ._types import Thing

        async def show(*, q: str | None = None, caller, store) -> Thing:
            return _view(store)

        def _view(store): ...
    """
    init = "async def collaborators(settings):\n    yield {'store': 1}\n"
    document = showing(parameters=[query("q")], responses={"200": json_of(ref("Thing"))})

    assert check(state_of(document, in_sync(document, init=init, things=things))) == []


def test_reports_an_operation_without_a_handler():
    """The location is where the handler would be written; the second location is in the contract."""
    (finding,) = findings(state_of(showing(), things="x = 1\n"))

    assert finding.rule == "missing-handler"
    assert finding.message.startswith("GET /a has no handler: write show() in ")
    assert str(finding.where).endswith("shop/things.py:2:1")
    assert finding.other.file.endswith("contract.json")


@pytest.mark.parametrize(
    ("things", "found"),
    [
        ("def show(): ...\ndef old(): ...\n", [("helper", "shop/things.py:2:1")]),
        ("def show(): ...\ndef _old(): ...\nclass Old: ...\n", []),
        ("def show():\n    def old(): ...\n", []),
        ("from ._x import old, show\n", []),
        # What the package exports to the server is not a handler, in any module.
        ("def show(): ...\ndef identify(claims): ...\n", []),
    ],
)
def test_reports_a_public_function_that_serves_no_operation(things, found):
    """It may be a helper, so it is a note; private and inner functions, classes and imports are none."""
    modules = {"init": "from .things import identify\n", "_x": "def show(): ...\ndef old(): ...\n"}

    assert handler_findings(state_of(showing(), things=things, **modules)) == found


INNER = "def show(): ...\ndef given(): ...\n"
MODULES = {
    "_x": INNER,
    "_more": f"__all__ = []\n__all__ += ['show']\n{INNER}",
    "_odd": f"__all__ = 1\n{INNER}",
    "_all": "__all__ = ['x']\ndef show(): ...\n",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("things", "rule"),
    [
        ("from ._x import show\n", "missing-argument"),
        ("from ._x import given as show\n", "missing-argument"),
        ("from shop._x import show\n", "missing-argument"),
        ("from ._x import *\n", "missing-argument"),
        ("from ._more import *\n", "missing-argument"),
        ("from ._odd import *\n", "missing-argument"),
        ("def given(): ...\nshow = given\n", "missing-argument"),
        ("if True:\n    def show(): ...\n", "missing-argument"),
        ("try:\n    def show(): ...\nfinally:\n    pass\n", "missing-argument"),
        # It may be right, and source alone does not show it: a note.
        ("from functools import partial\nshow = partial(print)\n", "unread-handler"),
        ("from elsewhere import show\n", "unread-handler"),
        ("from elsewhere import *\n", "unread-handler"),
        ("class show: ...\n", "unread-handler"),
        ("def __getattr__(name): ...\n", "unread-handler"),
        # After the import there is none: the service would not start.
        ("def show(): ...\ndel show\n", "missing-handler"),
        ("if False:\n    def show(): ...\n", "missing-handler"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._x import show\n",
            "missing-handler",
        ),
        ("from ._all import *\n", "missing-handler"),
    ],
)
def test_follows_a_handler_to_its_definition(things, rule):
    """The lookup in source finds what an import would find."""
    found = {one.rule: one.severity for one in findings(state_of(Q, things=things, **MODULES))}
    found.pop("helper", None)

    assert found == {rule: "info" if rule == "unread-handler" else "error"}


@pytest.mark.parametrize(
    ("decorator", "found"),
    [
        ("@cache", ["missing-argument"]),
        ("@_wrapping", ["missing-argument"]),
        ("@_noting", ["missing-argument"]),
        ("@_giving", []),
        ("@_giving(1)", []),
        ("@elsewhere.known", []),
    ],
)
def test_a_decorated_signature_is_only_certain_if_the_decorator_keeps_it(decorator, found):
    """A decorator keeps the signature if it uses `functools.wraps` or returns its argument."""
    things = f"""
        import elsewhere
        from functools import cache
        from ._x import _giving, _noting, _wrapping

        {decorator}
        def show(): ...
    """
    inner = """
        from functools import wraps
        def _wrapping(f):
            @wraps(f)
            def inner(*a, **k): return f(*a, **k)
            return inner
        def _noting(f):
            print(f)
            return f
        def _giving(f):
            return lambda **k: f(db=1, **k)
    """

    about_handlers = findings(state_of(Q, things=things, _x=inner))

    assert [one.rule for one in about_handlers if one.severity == "error"] == found
    assert ("unread-handler" in [one.rule for one in about_handlers]) == (not found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "severity"),
    [
        ("collaborators(settings):\n    yield {'store': 1}", "error"),
        ("collaborators(settings):\n    return {'store': 1}", "error"),
        ("collaborators(settings):\n    return dict(store=1)", "info"),
        ("collaborators(settings):\n    return _context(settings)", "info"),
        ("collaborators(settings):\n    yield {**more(), 'store': 1}", "info"),
        ("collaborators(settings):\n    yield dict(store=1)", "info"),
        ("collaborators(settings):\n    store = {}\n    yield store", "info"),
    ],
)
@pytest.mark.parametrize("decorator", ["", "@_more\n"])
def test_an_extra_argument_is_an_error_only_if_the_collaborators_can_be_read(function, severity, decorator):
    """Otherwise it may be one of them."""
    modules = {
        "init": "from ._shelf import collaborators\n",
        "_shelf": f"{decorator}async def {function}\n",
        "things": "def show(stoer): ...\n",
    }

    found = [(one.rule, one.severity) for one in findings(state_of(showing(), **modules))]

    assert found == [("extra-argument", "info" if decorator else severity)]


@pytest.mark.parametrize(
    "init",
    [
        "from ._scope import scope\n",
        "from ._scope import scope\nfrom ._shelf import collaborators\n",
        "from ._scope import *\nfrom ._things import *\n",
    ],
)
def test_the_objects_of_a_request_are_given_like_collaborators(init):
    """`scope` yields them by name, `collaborators` those of the service."""
    scope = "async def scope(caller, store):\n    yield {'session': 1}\n"
    shelf = "def collaborators(settings):\n    return {'store': 1}\n"
    things = "def show(session, stoer): ...\n"

    state = state_of(showing(), init=init, _scope=scope, _shelf=shelf, things=things, _things="")

    assert handler_findings(state) == [("extra-argument", "shop/things.py:1:19")]


def test_an_argument_that_was_a_parameter_is_not_taken_for_what_the_server_gives_by_that_name():
    """Its meaning would change: the caller's name in place of the value that a request sends."""
    sources = in_sync(showing(parameters=[query("user")]), things="def show(user=None): return user\n")

    assert handler_findings(state_of(showing(), sources)) == [("extra-argument", "shop/things.py:1:10")]


ONE, LIST, UNION = answering(ref("Thing")), answering(THINGS), answering({"oneOf": [ref("Thing"), INTEGER]})
TWO = showing(responses={"200": json_of(ref("Thing")), "202": json_of(STRING)})
EMPTY = showing(responses={"204": {"description": ""}})
OBJECT = {"type": "object", "properties": {"a": STRING}}
PAGED = asking(name="pageSize")
HEAD = """\
import typing
from collections.abc import Sequence
from typing import Any, Literal, Optional
from . import _types
from ._types import Thing
class Mine: ...
Word = str
"""
BINDS = {  # The rules are those by which the server binds arguments.
    "show(*, page_size=None)": [],
    "show(page_size=None)": [],
    "show(**given)": [],
    "show()": ["missing-argument"],
    "show(*, page_size)": ["default-needed"],
    "show(*, pageSize)": ["misnamed-argument"],
    "show(*, pagesize=None)": ["missing-argument"],
    "show(*, page_size=None, stoer)": ["extra-argument"],
    "show(*, page_size=None, stoer=None)": [],
    "show(*, page_size=None, store)": [],
    "show(*, page_size=None, caller, claims)": [],
    "show(*, page_size=None, body)": ["extra-argument"],
    "show(page_size=None, /)": ["unreceivable-argument"],
    "show(*args, page_size=None)": [],
    # The server passes these to any handler that names them, whatever the annotation is.
    "show(request: Mine, user, token_info, context_, page_size=None)": [],
}
NAMED = {  # An annotation that the generator could write must match; one with any other name belongs to its author.
    "str | None": [],
    "None | str": [],
    "Optional[str]": [],
    "typing.Union[str, None]": [],
    "'str | None'": [],
    "str": ["argument-annotation"],
    "int | None": ["argument-annotation"],
    "Any": ["argument-annotation"],
    "Word": [],
    "Word | None": [],
    "Sequence[str]": [],
    "Thing": ["argument-annotation"],
}
READS = [  # A schema as a type, which may be more specific where the contract allows anything.
    ({"type": "string", "enum": ["a", "it's", 'q"']}, """Literal["it's", 'q"', "a"]"""),
    ({"type": "array", "items": {"type": "integer", "nullable": True}}, "list[None | int]"),
    ({"type": "object", "additionalProperties": {"type": "number"}}, "dict[str, float]"),
    (OBJECT, "dict[str, Any]"),
    (OBJECT, "dict[str, str]"),
    ({"oneOf": [ref("Thing"), INTEGER]}, "int | Thing"),
    ({"allOf": [ref("Thing")]}, "Thing"),
    (ref("Thing"), "_types.Thing"),
    ({"type": "boolean"}, "bool"),
    ({"type": "integer", "enum": [1, -2, None]}, "Literal[1, -2] | None"),
    ({}, "Any"),
    ({}, "str"),
]
RETURNS = [  # It may have a status and headers with the body; a less specific form of a body is not wrong.
    (ONE, "Thing", []),
    (ONE, "dict[str, Any]", []),
    (ONE, "dict[str, int]", ["return-annotation"]),
    (ONE, "Any", []),
    (ONE, "list[Any]", ["return-annotation"]),
    (ONE, "list[Thing]", ["return-annotation"]),
    (LIST, "list[dict[str, Any]]", []),
    (LIST, "list[Any]", []),
    (LIST, "list", []),
    (LIST, "Any", []),
    (LIST, "tuple[list[dict[str, Any]], Literal[200]]", []),
    (LIST, "list[str]", ["return-annotation"]),
    (LIST, "list[dict[str, Any] | None]", ["return-annotation"]),
    (LIST, "dict[str, Any]", ["return-annotation"]),
    (UNION, "dict[str, Any] | int", []),
    (UNION, "dict[str, Any]", ["return-annotation"]),
    (ONE, "tuple[Thing, int, dict[str, str]]", []),
    (ONE, "tuple[Mine, int]", []),
    (ONE, "tuple[str, int]", ["return-annotation"]),
    (TWO, "Thing | tuple[str, int]", []),
    (TWO, "str", ["return-annotation"]),
    (EMPTY, "None", []),
    (EMPTY, "Thing", ["return-annotation"]),
    (answering({}), "Thing", []),
    (showing(responses={"2XX": json_of(STRING)}), "str", []),
    (showing(responses={"400": json_of(STRING)}), "int", []),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "definition", "found"),
    [
        *((PAGED, definition, found) for definition, found in BINDS.items()),
        # The server also sends defaults of the contract, so the argument needs none.
        (asking(required=True), "show(*, q)", []),
        (asking({**STRING, "default": "a"}), "show(*, q)", []),
        (Q, "show(*, q)", ["default-needed"]),
        # Parameters whose names differ by punctuation alone get an argument each.
        (
            showing(parameters=[query("a-b"), query("a_b"), query("A.B")]),
            "show(a_b=None, a_dash_b=None, a_dot_b=None)",
            [],
        ),
        *((Q, f"show(*, q: {annotation} = None)", found) for annotation, found in NAMED.items()),
        *((asking(schema, required=True), f"show(*, q: {kind})", []) for schema, kind in READS),
        *((document, f"show() -> {annotation}", found) for document, annotation, found in RETURNS),
    ],
)
def test_compares_a_signature_with_the_contract(document, definition, found):
    init = "async def collaborators(settings):\n    yield {'store': 1}\n"

    assert rules(state_of(document, init=init, things=f"{HEAD}async def {definition}: ...\n")) == found


@pytest.mark.slow
@pytest.mark.parametrize("imports", ["", "from ._types import *", "from ._types import Thing"])
@pytest.mark.parametrize(
    "annotation", ["Other", "list[Other]", "dict[str, Other]", "tuple[list[Other], int]"]
)
def test_a_generated_class_is_compared_though_its_import_is_missing(annotation, imports):
    """Python does not evaluate the annotation, so the wrong class would stay: of a body, or of its items."""
    things = f"from __future__ import annotations\n{imports}\ndef show() -> {annotation}: ...\n"
    state = state_of(LIST, things=things)

    assert rules(state) == ["return-annotation"]
    assert handler_findings(regenerated(state)[0]) == []


@pytest.mark.parametrize(
    "definition",
    [
        # The module gives a generated class's name another meaning, or may do so.
        "from models import *\ndef show() -> list[Other]: ...\n",
        "class Other: ...\ndef show() -> list[Other]: ...\n",
        "with x as Other: ...\ndef show() -> list[Other]: ...\n",
        "type_of: int; Other: type\ndef show() -> list[Other]: ...\n",
        # Annotations are optional.
        "def show(): ...\n",
    ],
)
def test_an_annotation_may_be_the_authors_own_or_missing(definition):
    assert rules(state_of(LIST, things=definition)) == []


def test_reports_an_import_of_a_generated_type_that_does_not_exist():
    things = "from ._types import (\n    Gone,\n    Thing,\n)\ndef show(): ...\n"

    assert handler_findings(state_of(showing(), things=things)) == [("unknown-type", "shop/things.py:2:5")]


def test_reports_the_first_line_in_which_the_types_differ():
    """The file was edited by hand, or the contract changed."""
    sources = in_sync(showing(), things="def show(): ...\n")
    types = FOLDER / "_types.py"
    edited = sources.changed({types: sources.files[types].replace(b"class Thing", b"class Thin")})

    (finding,) = check(state_of(showing(), edited))

    assert (finding.rule, finding.where) == ("types-outdated", (display(types), 7, 1))


def test_reports_missing_types():
    """A package without a regenerate run has none."""
    (finding,) = check(state_of(showing(), things="def show(): ...\n"))

    assert (finding.rule, finding.where) == ("types-missing", display(FOLDER / "_types.py"))


def test_a_package_with_exports_only_needs_no_types():
    """The contract names the functions of all operations; with another one, the types are missing."""
    paths = {"/a": {"get": operation("shop.api.show")}, "/b": {"get": operation("show_b")}}
    modules = {"init": "middleware = []\n", "api": "def show(): ...\n"}
    alone, with_another = contract({"/a": paths["/a"]}), contract(paths)

    assert "types-missing" not in {one.rule for one in check(state_of(alone, **modules))}
    assert "types-missing" in {one.rule for one in check(state_of(with_another, **modules))}


def test_operations_that_ask_for_one_function_get_one_each():
    """The names are the server's; `relay lint` says how they were chosen."""
    paths = {"/a": {"get": tagged("get-it", "Event Logs")}, "/b": {"get": tagged("get_it", "event-logs")}}
    state = state_of(contract(paths), event_logs="def get_it(): ...\n\n\ndef get_b(): ...\n")

    assert handler_findings(state) == []


def test_a_module_that_cannot_be_parsed_is_reported_once_and_the_others_are_compared():
    """Its handlers are not reported as missing."""
    paths = {
        "/a": {"get": operation("one")},
        "/b": {"get": operation("two")},
        "/c": {"get": tagged("three", "Others")},
    }

    found = handler_findings(state_of(contract(paths), things="def one(:\n", others=""))

    assert found == [("unreadable-module", "shop/things.py:1:9"), ("missing-handler", "shop/others.py:1:1")]


TAKEN = "class Taken(Exception):\n    status, code, message = 409, 'TAKEN', 'It is taken'\n"
PROBLEM = {"description": "", "content": {"application/problem+json": {"schema": {}}}}


@pytest.mark.parametrize(
    ("errors", "documented", "is_reported"),
    [
        (TAKEN, {}, True),
        ("class Taken(Exception):\n    status = 409\n    code = 'TAKEN'\n    message = 'It is'\n", {}, True),
        (TAKEN.replace("409", "HTTPStatus.CONFLICT"), {}, True),
        ("class Base(Exception):\n    status: int = 409\nclass Taken(Base): ...\n", {}, True),
        ("OTHER = 409\nSTATUS = OTHER\nclass Taken(Exception):\n    status = STATUS\n", {}, True),
        ("STATUS = STATUS\nclass Taken(Exception):\n    status = STATUS\n", {}, False),
        # Documented by its status, its range, or the default.
        (TAKEN, {"409": PROBLEM}, False),
        (TAKEN, {"4XX": PROBLEM}, False),
        (TAKEN, {"default": PROBLEM}, False),
        # A 5xx needs no documentation.
        ("class Taken(Exception): ...\n", {}, False),
        (TAKEN.replace("409", "503"), {}, False),
        ("Taken = ValueError\n", {}, False),
    ],
)
def test_reports_an_error_that_is_not_documented(errors, documented, is_reported):
    """The server would respond 500 to it."""
    things = (
        "from . import _errors\nfrom ._errors import Taken\n\ndef show():\n    if 1:\n        raise Taken\n"
    )
    document = showing(responses={"200": json_of({}), **documented})

    found = handler_findings(state_of(document, things=things, _errors=errors))

    assert found == ([("undocumented-error", "shop/things.py:6:9")] if is_reported else [])


MAPPED = """
    from socket import timeout
    import lib
    from ._errors import Taken, Own
    errors = {LookupError: (404, "GONE", "It is gone"), lib.Busy: Taken, Own: Taken, timeout: (504, "LATE", "Late")}
"""
RAISING = (
    "import lib\nfrom lib import Busy\nfrom ._errors import Special, Other\nfrom socket import timeout\nGONE = 410\n"
    "from starlette.exceptions import HTTPException\nfrom connexion.exceptions import ProblemException\n\n"
    "def show():\n    raise "
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("raised", "statuses"),
    [
        ("KeyError(key)", [404]),
        ("lib.Busy", [409]),
        ("Busy()", [409]),
        ("Special", [409]),
        ("Other", [409]),
        ("ValueError", []),
        ("timeout", []),
        ("HTTPException(404)", [404]),
        ("HTTPException(GONE)", [410]),
        ("HTTPException(status_code=410, detail='x')", [410]),
        ("ProblemException(status=409)", [409]),
        ("HTTPException(code)", []),
        ("HTTPException(302)", []),
        ("HTTPException", []),
    ],
)
def test_reports_a_mapped_exception_that_is_not_documented(raised, statuses):
    """`errors` of the package gives it a status, and Starlette's and Connexion's have one."""
    errors = f"{TAKEN}class Own(Exception): ...\nclass Special(Own): ...\nOther = Own\n"

    found = findings(state_of(answering({}), init=MAPPED, things=f"{RAISING}{raised}\n", _errors=errors))

    assert {one.rule for one in found} <= {"undocumented-error"}
    assert [int(one.message.partition("has status ")[2][:3]) for one in found] == statuses


@pytest.mark.parametrize(
    ("errors", "body"),
    [
        # The handler may catch it.
        ("{}", "try:\n        raise Taken\n    except Taken: ...\n"),
        ("{}", "with suppress(Taken):\n        raise Taken\n"),
        # Source does not show the status.
        *((one, "raise KeyError\n") for one in ("{}", "make()", "{**OTHERS}", "{KeyError: make()}", "5")),
        ("{make(): Taken}", "raise KeyError\n"),
    ],
)
def test_an_error_that_may_be_right_is_not_reported(errors, body):
    init = f"from ._errors import Taken\nerrors = {errors}\n"
    things = f"from contextlib import suppress\nfrom ._errors import Taken\n\ndef show():\n    {body}"

    assert rules(state_of(answering({}), init=init, things=things, _errors=TAKEN)) == []


def test_the_media_type_of_an_error_must_be_documented():
    """Without `render_error` it is problem details."""
    document = showing(responses={"200": json_of({}), "500": json_of({})})

    (finding,) = findings(state_of(document, things="def show(): ...\n"))

    assert finding.message == (
        "GET /a documents 500 without application/problem+json, the media type of its error bodies: "
        "run `relay regenerate`, which writes a render_error()"
    )


@pytest.mark.slow
def test_our_service_and_the_garage_have_not_drifted():
    """This runs the command on real packages."""
    ours = relay(ROOT, "drift")
    garage = ("--spec", "tests/specs/garage/openapi.yaml", "--handlers", "tests.specs.garage")
    other = relay(ROOT, "drift", *garage)

    assert (ours.stdout, ours.stderr) == ("relay drift: 1 operation, handlers and types agree\n", "")
    assert (other.stdout, other.stderr) == ("relay drift: 14 operations, handlers and types agree\n", "")


def test_reads_a_package_without_importing_it_or_its_parents(tmp_path):
    """An import could open a database."""
    trap = "from pathlib import Path\nPath('imported').touch()\n"
    package = tmp_path / "above" / "shop"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text(trap, "utf-8")
    (package / "__init__.py").write_text(trap, "utf-8")
    (package / "things.py").write_text(f"{trap}\n\ndef gone():\n    return 1\n", "utf-8")
    (tmp_path / "api.json").write_text(json.dumps(showing()), "utf-8")
    options = ("--spec", "api.json", "--handlers", "above.shop")

    drift = relay(tmp_path, "drift", *options)
    done = relay(tmp_path, "regenerate", *options, "--rename", "gone=show")

    assert (drift.returncode, "[helper]" in drift.stdout) == (1, True)
    assert (done.returncode, "renamed gone to show" in done.stdout) == (0, True)
    assert not (tmp_path / "imported").exists()


def test_finds_a_package_as_an_import_would(tmp_path, monkeypatch):
    """The project's folder first; folders without `__init__.py` may stand above it."""
    for package in ("here/space/shop", "there/space/shop", "there/mine"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
    root = tmp_path / "here"
    monkeypatch.setattr(sys, "path", [str(tmp_path / "there"), *sys.path])

    assert package_folder("space.shop", root) == tmp_path / "here/space/shop"
    assert package_folder("mine", root) == tmp_path / "there/mine"
    assert package_folder("space.new", root) == tmp_path / "here/space/new"
    assert read_sources("space.new", root).files == {}


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("shop", "RELAY_HANDLERS: there is no package 'shop' here; `relay regenerate` writes it"),
        ("a-b", "RELAY_HANDLERS: 'a-b' is not the name of a package"),
        ("api", "RELAY_HANDLERS: 'api': api.py is a module, not a package"),
    ],
)
def test_refuses_a_name_that_is_not_a_package(tmp_path, package, message):
    """This is an error in the setup, not drift."""
    (tmp_path / "api.json").write_text(json.dumps(showing()), "utf-8")
    (tmp_path / "api.py").touch()

    done = relay(tmp_path, "drift", "--spec", "api.json", "--handlers", package)

    assert (done.returncode, done.stderr) == (2, f"error: {message}\n")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["drift", "regenerate"])
def test_a_missing_library_is_reported_with_the_extra_to_install(tmp_path, command):
    """The libraries of the tools are an optional dependency."""
    (tmp_path / "libcst.py").write_text("raise ModuleNotFoundError(name='libcst')\n", "utf-8")
    as_project(tmp_path)

    done = relay(tmp_path, command, PYTHONPATH=os.pathsep.join(map(str, (tmp_path, ROOT / "scripts"))))

    needs = "error: relay: this command needs the extra `tools` (libcst is missing): install tether-relay[tools]\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", needs)


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        # Method and path are the same, and only the name differs.
        (operation("old"), operation("new"), ("renamed-handler", "shop/things.py:1:1")),
        # The handler would have to move with everything it uses.
        (None, tagged("old", "Others"), ("moved-handler", "shop/things.py:1:1")),
    ],
)
def test_recognises_a_renamed_and_a_moved_handler(before, now, found):
    things = "def old(): ...\n"
    sources = (
        in_sync(contract({"/a": {"get": before}}), things=things) if before else sources_of(things=things)
    )

    assert handler_findings(state_of(contract({"/a": {"get": now}}), sources)) == [found]


def test_without_a_record_a_rename_is_only_suggested():
    """The message contains the command that performs it."""
    found = findings(state_of(contract({"/a": {"get": operation("new")}}), things="def old(): ...\n"))

    assert any("relay regenerate --rename old=new" in one.message for one in found)
