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


THINGS = {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}


def showing(**rest):
    """A contract with one operation, `show`, and a schema `Thing`."""
    return contract({"/a": {"get": operation("show", **rest)}}, components={"schemas": {"Thing": THING}})


def messages(state):
    """The messages of the findings about handlers."""
    return [finding.message for finding in check(state) if not finding.rule.startswith("types-")]


def test_reports_nothing_when_package_and_contract_agree():
    """Collaborators, a caller and private functions are not differences."""
    source = """
        from ._types import Thing

        async def show(*, q: str | None = None, caller, store) -> Thing:
            return _view(store)

        def _view(store): ...
    """
    init = """
        async def collaborators(settings):
            yield {"store": 1}
    """
    document = showing(parameters=[query("q")], responses={"200": json_of(ref("Thing"))})

    assert check(state_of(document, in_sync(document, init=init, things=source))) == []


def test_reports_an_operation_without_a_handler():
    """The location is where the handler would be written; the second location is in the contract."""
    (finding,) = [
        one for one in check(state_of(showing(), things="x = 1\n")) if one.rule == "missing-handler"
    ]

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
    ],
)
def test_reports_a_public_function_that_serves_no_operation(things, found):
    """It may be a helper, so it is a note; private and inner functions, classes and imports are none."""
    inner = "def show(): ...\ndef old(): ...\n"

    assert handler_findings(state_of(showing(), things=things, _x=inner)) == found


def test_a_function_that_the_package_exports_to_the_server_is_not_a_handler():
    """It may be in any module."""
    init = "from .people import identify\n"

    assert (
        handler_findings(
            state_of(showing(), init=init, things="def show(): ...\n", people="def identify(claims): ...\n")
        )
        == []
    )


@pytest.mark.parametrize(
    "things",
    [
        "from ._x import show\n",
        "from ._x import given as show\n",
        "from shop._x import show\n",
        "from ._x import *\n",
        "from ._more import *\n",
        "from ._odd import *\n",
        "def given(): ...\nshow = given\n",
        "if True:\n    def show(): ...\n",
        "try:\n    def show(): ...\nfinally:\n    pass\n",
    ],
)
def test_follows_a_handler_to_its_definition(things):
    """The lookup in source finds what an import would find."""
    inner = "def show(): ...\ndef given(): ...\n"
    document = showing(parameters=[query("q")])
    exporting = {"_more": f"__all__ = []\n__all__ += ['show']\n{inner}", "_odd": f"__all__ = 1\n{inner}"}

    assert [
        rule
        for rule, _ in handler_findings(state_of(document, things=things, _x=inner, **exporting))
        if rule != "helper"
    ] == ["missing-argument"]


@pytest.mark.parametrize(
    "things",
    [
        "from functools import partial\nshow = partial(print)\n",
        "from elsewhere import show\n",
        "from elsewhere import *\n",
        "class show: ...\n",
        "def __getattr__(name): ...\n",
    ],
)
def test_notes_a_handler_that_cannot_be_read(things):
    """It may be correct; the source alone does not show it."""
    (finding,) = [one for one in check(state_of(showing(), things=things)) if one.rule == "unread-handler"]

    assert finding.severity == "info"


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

    findings = check(state_of(showing(parameters=[query("q")]), things=things, _x=inner))

    about_handlers = [one for one in findings if not one.rule.startswith("types-")]
    assert [one.rule for one in about_handlers if one.severity == "error"] == found
    assert ("unread-handler" in [one.rule for one in about_handlers]) == (not found)


@pytest.mark.parametrize(
    "things",
    [
        "def show(): ...\ndel show\n",
        "if False:\n    def show(): ...\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._x import show\n",
        "from ._all import *\n",
    ],
)
def test_a_handler_that_does_not_exist_after_import_is_missing(things):
    """The service would not start."""
    state = state_of(
        showing(), things=things, _x="def show(): ...\n", _all="__all__ = ['x']\ndef show(): ...\n"
    )

    assert [rule for rule, _ in handler_findings(state)] == ["missing-handler"]


@pytest.mark.parametrize(
    "init",
    [
        "def collaborators(settings): return _context(settings)\n",
        "@_more\ndef collaborators(settings):\n    yield {'store': 1}\n",
    ],
)
def test_collaborators_that_source_does_not_show_make_extra_arguments_a_note(init):
    """The argument may be one of them."""
    (finding,) = [
        one
        for one in check(state_of(showing(), init=init, things="def show(*, db): ...\n"))
        if one.rule == "extra-argument"
    ]

    assert finding.severity == "info"


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        ("show(*, page_size=None)", []),
        ("show(page_size=None)", []),
        ("show(**given)", []),
        ("show()", ["missing-argument"]),
        ("show(*, page_size)", ["default-needed"]),
        ("show(*, pageSize)", ["misnamed-argument"]),
        ("show(*, pagesize=None)", ["missing-argument"]),
        ("show(*, page_size=None, stoer)", ["extra-argument"]),
        ("show(*, page_size=None, stoer=None)", []),
        ("show(*, page_size=None, store)", []),
        ("show(*, page_size=None, caller, claims)", []),
        ("show(*, page_size=None, body)", ["extra-argument"]),
        ("show(page_size=None, /)", ["unreceivable-argument"]),
        ("show(*args, page_size=None)", []),
    ],
)
def test_compares_a_signature_with_the_parameters(definition, found):
    """The rules are those by which the server binds arguments."""
    init = "async def collaborators(settings):\n    yield {'store': 1}\n"
    state = state_of(
        showing(parameters=[query("pageSize")]), init=init, things=f"async def {definition}: ...\n"
    )

    assert [rule for rule, _ in handler_findings(state)] == found


@pytest.mark.parametrize(
    ("rest", "definition", "found"),
    [
        ({"required": True}, "show(*, q)", []),
        ({"schema": {"type": "string", "default": "a"}}, "show(*, q)", []),
        ({}, "show(*, q)", ["default-needed"]),
    ],
)
def test_an_argument_that_is_always_sent_needs_no_default(rest, definition, found):
    """The server also sends defaults of the contract."""
    state = state_of(showing(parameters=[query("q", **rest)]), things=f"def {definition}: ...\n")

    assert [rule for rule, _ in handler_findings(state)] == found


def test_parameters_that_ask_for_one_argument_get_one_each():
    """Also where their names differ by punctuation alone."""
    parameters = [query("a-b"), query("a_b"), query("A.B")]

    assert not handler_findings(
        state_of(
            showing(parameters=parameters),
            things="def show(a_b=None, a_dash_b=None, a_dot_b=None): ...\n",
        )
    )


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("yield {'store': 1}", "error"),
        ("return {'store': 1}", "error"),
        ("return dict(store=1)", "info"),
        ("yield {**more(), 'store': 1}", "info"),
        ("yield dict(store=1)", "info"),
        ("store = {}\n    yield store", "info"),
    ],
)
def test_an_extra_argument_is_an_error_only_if_the_collaborators_can_be_read(body, severity):
    """Otherwise it may be one of them."""
    shelf = f"async def collaborators(settings):\n    {body}\n"
    state = state_of(
        showing(), init="from ._shelf import collaborators\n", _shelf=shelf, things="def show(stoer): ...\n"
    )

    assert [one.severity for one in check(state) if one.rule == "extra-argument"] == [severity]


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


@pytest.mark.parametrize("name", ["request", "user", "token_info", "context_"])
def test_a_handler_may_name_what_the_server_gives_to_any(name):
    """The server passes it where a function names it, whatever its annotation is."""
    things = f"def show({name}: Mine): ...\n"

    assert handler_findings(state_of(showing(), things=things)) == []


def test_an_argument_that_was_a_parameter_is_not_taken_for_what_the_server_gives_by_that_name():
    """Its meaning would change: the caller's name in place of the value that a request sends."""
    before = showing(parameters=[query("user")])
    sources = in_sync(before, things="def show(user=None): return user\n")

    assert handler_findings(state_of(showing(), sources)) == [("extra-argument", "shop/things.py:1:10")]


@pytest.mark.parametrize(
    ("annotation", "is_right"),
    [
        ("str | None", True),
        ("None | str", True),
        ("Optional[str]", True),
        ("typing.Union[str, None]", True),
        ("'str | None'", True),
        ("str", False),
        ("int | None", False),
        ("Any", False),
        ("Word", True),
        ("Word | None", True),
        ("Sequence[str]", True),
        ("Thing", False),
    ],
)
def test_an_annotation_that_the_generator_could_write_must_match_the_contract(annotation, is_right):
    """An annotation with any other name belongs to its author."""
    things = f"""
        import typing
        from collections.abc import Sequence
        from typing import Any, Optional
        from ._types import Thing
        Word = str
        def show(*, q: {annotation} = None): ...
    """
    state = state_of(showing(parameters=[query("q")]), things=things)

    assert [rule for rule, _ in handler_findings(state)] == [] if is_right else ["argument-annotation"]


@pytest.mark.parametrize(
    ("schema", "annotation"),
    [
        ({"type": "string", "enum": ["a", "it's", 'q"']}, """Literal["it's", 'q"', "a"]"""),
        ({"type": "array", "items": {"type": "integer", "nullable": True}}, "list[None | int]"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "dict[str, float]"),
        ({"type": "object", "properties": {"a": STRING}}, "dict[str, Any]"),
        ({"type": "object", "properties": {"a": STRING}}, "dict[str, str]"),
        ({"oneOf": [ref("Thing"), INTEGER]}, "int | Thing"),
        ({"allOf": [ref("Thing")]}, "Thing"),
        (ref("Thing"), "_types.Thing"),
        ({"type": "boolean"}, "bool"),
        ({"type": "integer", "enum": [1, -2, None]}, "Literal[1, -2] | None"),
        ({}, "Any"),
        ({}, "str"),
    ],
)
def test_reads_schemas_as_types(schema, annotation):
    """An annotation may be more specific where the contract allows anything."""
    things = f"""
        from typing import Any, Literal
        from . import _types
        from ._types import Thing
        def show(*, q: {annotation}): ...
    """
    parameters = [query("q", required=True, schema=schema)]

    assert messages(state_of(showing(parameters=parameters), things=things)) == []


@pytest.mark.parametrize(
    ("responses", "annotation", "is_right"),
    [
        ({"200": json_of(ref("Thing"))}, "Thing", True),
        ({"200": json_of(ref("Thing"))}, "dict[str, Any]", True),
        ({"200": json_of(ref("Thing"))}, "dict[str, int]", False),
        ({"200": json_of(ref("Thing"))}, "Any", True),
        ({"200": json_of(ref("Thing"))}, "list[Any]", False),
        ({"200": json_of(ref("Thing"))}, "list[Thing]", False),
        ({"200": json_of(THINGS)}, "list[dict[str, Any]]", True),
        ({"200": json_of(THINGS)}, "list[Any]", True),
        ({"200": json_of(THINGS)}, "list", True),
        ({"200": json_of(THINGS)}, "Any", True),
        ({"200": json_of(THINGS)}, "tuple[list[dict[str, Any]], Literal[200]]", True),
        ({"200": json_of(THINGS)}, "list[str]", False),
        ({"200": json_of(THINGS)}, "list[dict[str, Any] | None]", False),
        ({"200": json_of(THINGS)}, "dict[str, Any]", False),
        ({"200": json_of({"oneOf": [ref("Thing"), INTEGER]})}, "dict[str, Any] | int", True),
        ({"200": json_of({"oneOf": [ref("Thing"), INTEGER]})}, "dict[str, Any]", False),
        ({"200": json_of(ref("Thing"))}, "tuple[Thing, int, dict[str, str]]", True),
        ({"200": json_of(ref("Thing"))}, "tuple[Other, int]", True),
        ({"200": json_of(ref("Thing"))}, "tuple[str, int]", False),
        ({"200": json_of(ref("Thing")), "202": json_of(STRING)}, "Thing | tuple[str, int]", True),
        ({"200": json_of(ref("Thing")), "202": json_of(STRING)}, "str", False),
        ({"204": {"description": ""}}, "None", True),
        ({"204": {"description": ""}}, "Thing", False),
        ({"200": json_of({})}, "Thing", True),
        ({"2XX": json_of(STRING)}, "str", True),
        ({"400": json_of(STRING)}, "int", True),
    ],
)
def test_compares_the_return_annotation_with_the_responses(responses, annotation, is_right):
    """A handler may also return a status and headers with the body; a less specific form of a body is not wrong."""
    things = f"""
        from typing import Any, Literal
        from ._types import Thing
        class Other: ...
        def show() -> {annotation}: ...
    """

    found = [rule for rule, _ in handler_findings(state_of(showing(responses=responses), things=things))]

    assert found == ([] if is_right else ["return-annotation"])


@pytest.mark.parametrize("imports", ["", "from ._types import *", "from ._types import Thing"])
@pytest.mark.parametrize(
    "annotation", ["Other", "list[Other]", "dict[str, Other]", "tuple[list[Other], int]"]
)
def test_a_generated_class_is_compared_though_its_import_is_missing(annotation, imports):
    """Python does not evaluate the annotation, so the wrong class would stay: of a body, or of its items."""
    document = contract(
        {"/a": {"get": operation("show", responses={"200": json_of(THINGS)})}},
        components={"schemas": {"Thing": THING, "Other": THING}},
    )
    things = f"""
        from __future__ import annotations
        {imports}
        def show() -> {annotation}: ...
    """
    state = state_of(document, things=things)

    assert [rule for rule, _ in handler_findings(state)] == ["return-annotation"]
    assert handler_findings(regenerated(state)[0]) == []


@pytest.mark.parametrize(
    "binding",
    ["from models import *", "class Other: ...", "with x as Other: ...", "type_of: int; Other: type"],
)
def test_a_name_of_a_generated_class_may_be_the_authors_own(binding):
    """The module gives it another meaning, or may do so."""
    document = contract(
        {"/a": {"get": operation("show", responses={"200": json_of(THINGS)})}},
        components={"schemas": {"Thing": THING, "Other": THING}},
    )

    assert messages(state_of(document, things=f"{binding}\ndef show() -> list[Other]: ...\n")) == []


def test_a_missing_annotation_is_not_an_error():
    """Annotations are optional."""
    document = showing(parameters=[query("q")], responses={"200": json_of(ref("Thing"))})

    assert handler_findings(state_of(document, things="def show(q=None): ...\n")) == []


def test_reports_an_import_of_a_generated_type_that_does_not_exist():
    """The import would fail."""
    things = "from ._types import (\n    Gone,\n    Thing,\n)\ndef show(): ...\n"

    assert handler_findings(state_of(showing(), things=things)) == [("unknown-type", "shop/things.py:2:5")]


def test_reports_the_first_line_in_which_the_types_differ():
    """The file was edited by hand, or the contract changed."""
    sources = in_sync(showing(), things="def show(): ...\n")
    types = FOLDER / "_types.py"
    edited = sources.changed({types: sources.files[types].replace(b"class Thing", b"class Thin")})

    (finding,) = check(state_of(showing(), edited))

    assert finding.rule == "types-outdated"
    assert finding.where == (display(types), 7, 1)


def test_reports_missing_types():
    """A package without a regenerate run has none."""
    (finding,) = check(state_of(showing(), things="def show(): ...\n"))

    assert (finding.rule, finding.where) == ("types-missing", display(FOLDER / "_types.py"))


def test_a_package_with_exports_only_needs_no_types():
    """The contract names the functions of all operations; with another one, the types are missing."""
    paths = {"/a": {"get": operation("shop.api.show")}, "/b": {"get": operation("show_b")}}
    modules = {"init": "middleware = []\n", "api": "def show(): ...\n"}

    def types_findings(**chosen):
        found = check(state_of(contract(chosen), **modules))
        return [one.rule for one in found if one.rule.startswith("types-")]

    assert types_findings(**{"/a": paths["/a"]}) == []
    assert types_findings(**paths) == ["types-missing"]


def test_operations_that_ask_for_one_function_get_one_each():
    """The names are the server's; `relay lint` says how they were chosen."""
    paths = {
        "/a": {"get": {**operation("get-it"), "tags": ["Event Logs"]}},
        "/b": {"get": {**operation("get_it"), "tags": ["event-logs"]}},
    }
    state = state_of(contract(paths), event_logs="def get_it(): ...\n\n\ndef get_b(): ...\n")

    assert handler_findings(state) == []


def test_a_module_that_cannot_be_parsed_is_reported_once_and_the_others_are_compared():
    """Its handlers are not reported as missing."""
    paths = {
        "/a": {"get": operation("one")},
        "/b": {"get": operation("two")},
        "/c": {"get": {**operation("three"), "tags": ["Others"]}},
    }

    found = handler_findings(state_of(contract(paths), things="def one(:\n", others=""))

    assert found == [("unreadable-module", "shop/things.py:1:9"), ("missing-handler", "shop/others.py:1:1")]


def raising(errors, **responses):
    """The state of a contract and a package whose handler raises `Taken`."""
    things = (
        "from . import _errors\nfrom ._errors import Taken\n\ndef show():\n    if 1:\n        raise Taken\n"
    )
    answers = {"200": json_of({}), **responses}
    return state_of(showing(responses=answers), things=things, _errors=errors)


TAKEN = "class Taken(Exception):\n    status, code, message = 409, 'TAKEN', 'It is taken'\n"


@pytest.mark.parametrize(
    "errors",
    [
        TAKEN,
        "class Taken(Exception):\n    status = 409\n    code = 'TAKEN'\n    message = 'It is'\n",
        TAKEN.replace("409", "HTTPStatus.CONFLICT"),
        "class Base(Exception):\n    status: int = 409\nclass Taken(Base): ...\n",
    ],
)
def test_reports_an_error_that_is_not_documented(errors):
    """The server would respond 500 to it."""
    assert handler_findings(raising(errors)) == [("undocumented-error", "shop/things.py:6:9")]


@pytest.mark.parametrize(
    "body",
    ["try:\n        raise Taken\n    except Taken: ...\n", "with suppress(Taken):\n        raise Taken\n"],
)
def test_an_error_that_the_handler_may_catch_is_not_reported(body):
    """It does not reach the client."""
    things = f"from contextlib import suppress\nfrom ._errors import Taken\n\ndef show():\n    {body}"

    assert (
        handler_findings(state_of(showing(responses={"200": json_of({})}), things=things, _errors=TAKEN))
        == []
    )


@pytest.mark.parametrize("key", ["409", "4XX", "default"])
def test_a_documented_error_is_not_reported(key):
    """The contract documents it by its status, its range, or the default."""
    problem = {"description": "", "content": {"application/problem+json": {"schema": {}}}}

    assert handler_findings(raising(TAKEN, **{key: problem})) == []


@pytest.mark.parametrize(
    "errors", ["class Taken(Exception): ...\n", TAKEN.replace("409", "503"), "Taken = ValueError\n"]
)
def test_an_error_that_results_in_a_5xx_is_not_reported(errors):
    """It needs no documentation."""
    assert handler_findings(raising(errors)) == []


MAPPED = """
    from socket import timeout
    import lib
    from ._errors import Taken, Own
    errors = {LookupError: (404, "GONE", "It is gone"), lib.Busy: Taken, Own: Taken, timeout: (504, "LATE", "Late")}
"""


@pytest.mark.parametrize(
    ("raised", "statuses"),
    [
        ("KeyError(key)", [404]),
        ("lib.Busy", [409]),
        ("Busy()", [409]),
        ("Special", [409]),
        ("ValueError", []),
        ("timeout", []),
        ("HTTPException(404)", [404]),
        ("HTTPException(status_code=410, detail='x')", [410]),
        ("ProblemException(status=409)", [409]),
        ("HTTPException(code)", []),
        ("HTTPException(302)", []),
        ("HTTPException", []),
    ],
)
def test_reports_a_mapped_exception_that_is_not_documented(raised, statuses):
    """`errors` of the package gives it a status, and Starlette's and Connexion's have one."""
    things = (
        "import lib\nfrom lib import Busy\nfrom ._errors import Special\nfrom socket import timeout\n"
        "from starlette.exceptions import HTTPException\nfrom connexion.exceptions import ProblemException\n\n"
        f"def show():\n    raise {raised}\n"
    )
    own = "class Own(Exception): ...\nclass Special(Own): ...\n"
    state = state_of(showing(responses={"200": json_of({})}), init=MAPPED, things=things, _errors=TAKEN + own)

    found = [one.message for one in check(state) if one.rule == "undocumented-error"]

    assert [int(message.partition("has status ")[2][:3]) for message in found] == statuses


@pytest.mark.parametrize(
    "errors", ["{}", "make()", "{**OTHERS}", "{KeyError: make()}", "{make(): Taken}", "5"]
)
def test_a_mapping_that_source_does_not_show_reports_nothing(errors):
    """It may be right."""
    things = "def show():\n    raise KeyError\n"
    init = f"from ._errors import Taken\nerrors = {errors}\n"
    state = state_of(showing(responses={"200": json_of({})}), init=init, things=things, _errors=TAKEN)

    assert handler_findings(state) == []


ENVELOPE = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": STRING},
    "additionalProperties": False,
}
RENDERS = """
    JSON = "application/json"

    def render_error(report):
        \"\"\"Whatever it says.\"\"\"
        body = {"error": report.message}
        if report.details:
            body["details"] = [*map(dict, report.details)]
        return body, JSON
"""


def test_an_error_body_must_match_its_documented_schema():
    """The body is evaluated from source: here it is valid without details, and invalid with them."""
    answers = {"200": json_of({}), "400": json_of(ENVELOPE), "500": json_of(ENVELOPE)}
    document = showing(responses=answers, parameters=[query("q")])

    (finding,) = [
        one
        for one in check(state_of(document, init=RENDERS, things="def show(q=None): ...\n"))
        if not one.rule.startswith("types-")
    ]

    assert finding.rule == "error-body"
    assert finding.message == (
        "the body of a 400 with details violates the schema of GET /a: additionalProperties at '/details'"
    )
    assert str(finding.where).endswith("shop/__init__.py:4:1")
    assert finding.other.file.endswith("contract.json")


def test_the_media_type_of_an_error_must_be_documented():
    """Without `render_error` it is problem details."""
    document = showing(responses={"200": json_of({}), "500": json_of({})})

    (message,) = messages(state_of(document, things="def show(): ...\n"))

    assert message == (
        "GET /a documents 500 without application/problem+json, the media type of its error bodies: "
        "run `relay regenerate`, which writes a render_error()"
    )


OVERDRAWN = """
    from types import MappingProxyType
    from relay import ApiError

    HOME = "https://bank.example/overdrawn"

    class Overdrawn(ApiError):
        status, code, message = 409, "OVERDRAWN", "The balance would be below zero"
        members = {"type": HOME, "title": "Overdrawn"}

    class Deep(Overdrawn):
        members = MappingProxyType(Overdrawn.members | {"balance": -7})

    class Made(Overdrawn):
        def __init__(self, balance):
            super().__init__({"Retry-After": "1"}, members={**self.members, "balance": balance})
"""
PROBLEM_409 = {
    "type": "object",
    "required": ["type", "balance"],
    "properties": {
        "type": {"type": "string", "enum": ["https://bank.example/overdrawn"]},
        "balance": {"type": "integer", "maximum": 0},
    },
}
RENDERS_MEMBERS = """
    def render_error(report):
        return {"type": "x", "balance": 0, **report.members}, "application/problem+json"
"""


def overdrawn(raised, *, schema=PROBLEM_409, init=""):
    """The findings of a package whose handler raises an error with members."""
    things = f"from ._errors import *\nfrom ._errors import Overdrawn, Deep, Made\ndef show(amount):\n    raise {raised}\n"
    answer = {"description": "", "content": {"application/problem+json": {"schema": schema}}}
    document = showing(
        responses={"200": json_of({}), "409": answer}, parameters=[{**query("amount"), "required": True}]
    )
    state = state_of(document, init=init, things=things, _errors=OVERDRAWN)
    return [one for one in check(state) if not one.rule.startswith("types-")]


@pytest.mark.parametrize("init", ["", RENDERS_MEMBERS])
@pytest.mark.parametrize(
    "raised",
    [
        'Overdrawn(members={**Overdrawn.members, "balance": -amount})',
        'Overdrawn({"Retry-After": "1"}, members=Overdrawn.members | {"balance": -1})',
        "Overdrawn(members=dict(Overdrawn.members, balance=amount))",
        'Overdrawn(members={"type": _errors.HOME, "balance": {"deep": amount}["deep"]})',
        "Deep",
        "Deep({})",
        "Made(amount)",
    ],
)
def test_members_of_an_error_are_part_of_its_body(raised, init):
    """Those of its class, those of one error, and those that its `__init__` passes on; also in a body of one's own."""
    assert overdrawn(raised, init=init) == []


@pytest.mark.parametrize(
    ("raised", "violation"),
    [
        ("Overdrawn", "required at '/balance'"),
        ("Overdrawn()", "required at '/balance'"),
        ('Overdrawn(members={**Overdrawn.members, "balance": 1})', "maximum at '/balance'"),
        ('Overdrawn(members={"balance": amount})', "enum at '/type'"),
        ('Overdrawn(members={**Overdrawn.members, "balanced": amount})', "required at '/balance'"),
    ],
)
def test_a_body_with_wrong_members_is_reported(raised, violation):
    """Also if some of its values cannot be read from source."""
    (finding,) = overdrawn(raised)

    assert (finding.rule, finding.severity) == ("error-body", "error")
    assert violation in finding.message


@pytest.mark.parametrize(
    "raised", ["Overdrawn(members=made(amount))", "Overdrawn(**amount)", "Overdrawn(members={amount: 1})"]
)
def test_members_that_cannot_be_read_are_noted(raised):
    """They may be right."""
    (finding,) = overdrawn(raised)

    assert (finding.rule, finding.severity) == ("unread-error-body", "info")
    assert str(finding.where).endswith("shop/things.py:4:11")


def test_a_value_that_cannot_be_read_may_decide_which_alternative_is_meant():
    """Then nothing is certain about the others."""
    kinds = [{"properties": {"type": {"enum": [kind]}, kind: {}}, "required": [kind]} for kind in ("a", "b")]

    assert overdrawn('Overdrawn(members={"type": amount, "a": 1})', schema={"oneOf": kinds}) == []


def test_members_that_refer_to_themselves_are_not_followed_for_ever():
    """Python would refuse them."""
    errors = OVERDRAWN.replace('{"type": HOME, "title": "Overdrawn"}', "{**Overdrawn.members}")
    things = "from ._errors import Overdrawn\n\ndef show():\n    raise Overdrawn\n"
    document = showing(responses={"200": json_of({}), "409": json_of(ENVELOPE)})

    found = check(state_of(document, things=things, _errors=errors))

    assert "unread-error-body" in {one.rule for one in found}


def test_a_renderer_that_cannot_be_evaluated_is_noted():
    """It may be correct."""
    init = "def render_error(report):\n    return make(report), 'application/json'\n"
    document = showing(responses={"200": json_of({}), "500": json_of(ENVELOPE)})

    (finding,) = [
        one
        for one in check(state_of(document, init=init, things="def show(): ...\n"))
        if not one.rule.startswith("types-")
    ]

    assert (finding.rule, finding.severity) == ("unread-error-body", "info")


def test_our_service_and_the_garage_have_not_drifted(tmp_path):
    """This runs the command on real packages."""
    ours = relay(ROOT, "drift")
    garage = relay(
        ROOT, "drift", "--spec", "tests/specs/garage/openapi.yaml", "--handlers", "tests.specs.garage"
    )

    assert (ours.stdout, ours.stderr) == ("relay drift: 1 operation, handlers and types agree\n", "")
    assert (garage.stdout, garage.stderr) == ("relay drift: 14 operations, handlers and types agree\n", "")


def test_reads_a_package_without_importing_it_or_its_parents(tmp_path):
    """An import could open a database."""
    trap = "from pathlib import Path\nPath('imported').touch()\n"
    package = tmp_path / "above" / "shop"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text(trap, "utf-8")
    (package / "__init__.py").write_text(trap, "utf-8")
    (package / "things.py").write_text(f"{trap}\n\ndef gone():\n    return 1\n", "utf-8")
    (tmp_path / "api.json").write_text(json.dumps(showing()), "utf-8")

    drift = relay(tmp_path, "drift", "--spec", "api.json", "--handlers", "above.shop")
    done = relay(
        tmp_path, "regenerate", "--spec", "api.json", "--handlers", "above.shop", "--rename", "gone=show"
    )

    assert "[helper]" in drift.stdout
    assert drift.returncode == 1
    assert "renamed gone to show" in done.stdout
    assert done.returncode == 0
    assert not (tmp_path / "imported").exists()


def test_finds_a_package_as_an_import_would(tmp_path, monkeypatch):
    """The project's folder first; folders without `__init__.py` may stand above it."""
    (tmp_path / "here" / "space" / "shop").mkdir(parents=True)
    (tmp_path / "there" / "space" / "shop").mkdir(parents=True)
    (tmp_path / "there" / "mine").mkdir()
    for package in ("here/space/shop", "there/space/shop", "there/mine"):
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


def test_a_missing_library_is_reported_with_the_extra_to_install(tmp_path):
    """The libraries of the tools are an optional dependency."""
    (tmp_path / "libcst.py").write_text("raise ModuleNotFoundError(name='libcst')\n", "utf-8")
    path = os.pathsep.join(map(str, (tmp_path, ROOT / "scripts")))
    as_project(tmp_path)

    for command in ("drift", "regenerate"):
        done = relay(tmp_path, command, PYTHONPATH=path)

        assert (done.returncode, done.stdout) == (2, "")
        assert (
            done.stderr
            == "error: relay: this command needs the extra `tools` (libcst is missing): install tether-relay[tools]\n"
        )


def test_the_record_identifies_a_renamed_operation():
    """Method and path are the same and only the name differs."""
    before = contract({"/a": {"get": operation("old")}})
    sources = in_sync(before, things="def old(): ...\n")

    found = handler_findings(state_of(contract({"/a": {"get": operation("new")}}), sources))

    assert found == [("renamed-handler", "shop/things.py:1:1")]


def test_without_a_record_a_rename_is_only_suggested():
    """The message contains the command that performs it."""
    found = messages(state_of(contract({"/a": {"get": operation("new")}}), things="def old(): ...\n"))

    assert any("relay regenerate --rename old=new" in message for message in found)


def test_an_operation_with_a_new_tag_has_its_handler_in_another_module():
    """The handler would have to move with everything it uses."""
    sources = sources_of(things="def one(): ...\n")
    document = contract({"/a": {"get": {**operation("one"), "tags": ["Others"]}}})

    assert handler_findings(state_of(document, sources)) == [("moved-handler", "shop/things.py:1:1")]
