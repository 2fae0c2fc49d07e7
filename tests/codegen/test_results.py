"""The results that a handler may return: a type for each documented status, `scripts/relay/codegen/documented_results.py`."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.codegen.plan import plan
from support.hosting import contract, operation, ref
from support.running import relay
from support.scaffolded import LAYOUT, handler_findings, in_sync, regenerated, state_of, text, typed_strictly

pytestmark = pytest.mark.slow

STRING = {"type": "string"}
THING = {"type": "object", "required": ["name"], "properties": {"name": STRING}}
BARE = {"description": ""}


def json_of(schema, **headers):
    """A response with JSON content; each header is required or not."""
    return with_headers({"description": "", "content": {"application/json": {"schema": schema}}}, **headers)


def with_headers(response, **headers):
    """A response with headers."""
    documented = {name: {"required": required, "schema": STRING} for name, required in headers.items()}
    return {**response, "headers": documented} if headers else response


def showing(responses, **components):
    schemas = dict.fromkeys(["Thing", "Job", "Error"], THING)
    paths = {"/a": {"get": operation("show", responses=responses)}}
    return contract(paths, components={"schemas": schemas, **components})


def stub_of(document):
    """The return annotation of a new handler."""
    code = text(regenerated(state_of(document))[0].sources, "things")
    return code.partition(" -> ")[2].partition(":\n")[0]


ORDER, JOB, ERROR = json_of(ref("Thing")), json_of(ref("Job")), json_of(ref("Error"))
CSV = {"description": "", "content": {"text/csv": {}, "application/pdf": {}}}


@pytest.mark.parametrize(
    ("responses", "annotation"),
    [
        ({"200": ORDER, "401": ERROR, "500": ERROR}, "Thing"),
        ({"200": ORDER, "default": ERROR}, "Thing"),
        ({"200": ORDER, "304": BARE}, "Thing | tuple[None, Literal[304]]"),
        ({"200": ORDER, "202": JOB}, "Thing | tuple[Job, Literal[202]]"),
        ({"200": ORDER, "204": BARE, "304": BARE}, "Thing | tuple[None, Literal[204, 304]]"),
        ({"200": ORDER, "2XX": JOB}, "Thing | tuple[Job, int]"),
        ({"2XX": ORDER}, "Thing | tuple[Thing, int]"),
        ({"default": ORDER}, "Thing | tuple[Thing, int]"),
        ({"204": BARE}, "None"),
        ({"302": BARE, "3XX": BARE}, "tuple[None, Literal[302]] | tuple[None, int]"),
        ({"404": ERROR}, "Any"),
        ({"200": json_of({})}, "Any"),
        ({"200": {**ORDER, "content": {**ORDER["content"], **CSV["content"]}}}, "Thing | str | bytes"),
        ({"201": json_of(ref("Thing"), Location=True)}, "tuple[Thing, Literal[201], Show201Headers]"),
        ({"200": json_of(ref("Thing"), ETag=False)}, "Thing | tuple[Thing, Literal[200], Show200Headers]"),
        ({"200": ORDER, "302": with_headers(BARE, Location=True)}, "Thing | tuple[None, Literal[302], Show302Headers]"),
        ({"200": ORDER, "429": with_headers(ERROR, **{"Retry-After": True})}, "Thing"),
    ],
)  # fmt: skip
def test_a_new_handler_is_annotated_with_a_type_for_each_status(responses, annotation):
    """Errors are raised, so they are no part of it; a body alone is sent with the lowest 2xx."""
    assert stub_of(showing(responses)) == annotation


def test_headers_of_a_shared_response_have_one_class():
    """Operations that answer alike have one type; its name is the response's, and its own among the schemas."""
    made = json_of(ref("Thing"), Location=True)
    shared = {"201": {"$ref": "#/components/responses/made"}}
    paths = {f"/{name}": {"post": operation(name, responses=shared)} for name in ("one", "two")}
    components = {"schemas": {"Thing": THING, "MadeHeaders": THING}, "responses": {"made": made}}

    state, _ = regenerated(state_of(contract(paths, components=components)))

    code = text(state.sources, "things")
    assert code.count("-> tuple[Thing, Literal[201], MadeHeaders2]:") == 2
    assert "class MadeHeaders2(" in text(state.sources, "_types")


BOTH = {"200": ORDER, "202": JOB, "304": BARE, "404": ERROR, "5XX": ERROR}
LOCATED = {"201": json_of(ref("Thing"), Location=True)}
FILES = {"200": {"description": "", "content": {"text/csv": {}}}, "404": ERROR}


@pytest.mark.parametrize(
    ("responses", "annotation", "found"),
    [
        (BOTH, "Thing | tuple[Job, Literal[202]] | tuple[None, Literal[304]]", []),
        (BOTH, "Thing", []),
        (BOTH, "tuple[Job, Literal[202]]", []),
        (BOTH, "tuple[Thing, int, dict[str, str]]", []),
        (BOTH, "tuple[Thing | Job, Literal[200]]", ["return-annotation"]),
        (BOTH, "relay.Result[Thing]", []),
        (BOTH, "relay.Reply | Thing", []),
        (BOTH, "relay.Reply", []),
        (BOTH, "Thing | tuple[Error, Literal[404]]", []),
        (BOTH, "Thing | tuple[Error, Literal[503]]", []),
        (BOTH, "Thing | tuple[Job, Literal[404]]", ["return-annotation"]),
        (BOTH, "tuple[Thing, Literal[200, 202]]", ["return-annotation"]),
        (BOTH, "Union[Thing, tuple[Job, Literal[202]]]", []),
        (BOTH, "'Thing | tuple[Job, Literal[202]]'", []),
        (BOTH, "tuple[Own, Literal[200], Mapping[str, str]]", []),
        (BOTH, "tuple[Thing, Literal[418]]", ["undocumented-status"]),
        (BOTH, "tuple[Own, Literal[418]]", ["undocumented-status"]),
        (BOTH, "relay.Reply | tuple[Thing, Literal[418]]", ["undocumented-status"]),
        (BOTH, "Optional[tuple[Thing, Literal[200, 418]]]", ["undocumented-status", "return-annotation"]),
        ({"200": ORDER, "default": ERROR}, "Thing | tuple[Error, Literal[418]]", []),
        ({"204": BARE}, "tuple[None, Literal[204]]", []),
        ({"302": BARE}, "Thing", ["return-annotation"]),
        ({"302": BARE}, "tuple[None, Literal[302]]", []),
        ({"302": BARE}, "relay.Reply", []),
        ({"404": ERROR}, "Thing", []),
        (LOCATED, "tuple[Thing, Literal[201], Show201Headers]", []),
        (LOCATED, "tuple[Thing, int, dict[str, str]]", []),
        (LOCATED, "tuple[Thing, Literal[201], Mapping[str, str]]", []),
        (LOCATED, "tuple[Thing, Show201Headers]", []),
        (LOCATED, "tuple[Thing, dict[str, str]]", []),
        (LOCATED, "tuple[Thing, Mapping[str, str]]", []),
        (LOCATED, "tuple[Job, dict[str, str]]", ["return-annotation"]),
        (LOCATED, "relay.Result[Thing]", []),
        (LOCATED, "Thing", ["return-annotation"]),
        (LOCATED, "tuple[Thing, Literal[201]]", ["return-annotation"]),
        (LOCATED, "tuple[Thing, Literal[201], Error]", ["return-annotation"]),
        (FILES, "str", []),
        (FILES, "bytes", []),
        (FILES, "relay.File", []),
        (FILES, "AsyncIterator[bytes]", []),
        (FILES, "int", ["return-annotation"]),
    ],
)
def test_an_annotation_may_have_fewer_results_than_are_documented_but_no_others(responses, annotation, found):
    """Who returns one status of three says so; a status or body that is not documented is answered with 500."""
    things = f"""
        import relay
        from collections.abc import AsyncIterator, Mapping
        from typing import Literal, Optional, Union
        from ._types import Error, Job, Thing{", Show201Headers" if responses is LOCATED else ""}
        class Own: ...
        def show() -> {annotation}: ...
    """

    rules = [rule for rule, _ in handler_findings(state_of(showing(responses), things=things))]
    assert [rule for rule in rules if rule != "error-body"] == found


def test_an_undocumented_status_is_reported_at_its_place():
    """The line may be one of many in a long annotation."""
    things = """
        from typing import Literal
        from ._types import Thing
        def show() -> (
            Thing
            | tuple[Thing, Literal[418]]
        ): ...
    """

    (finding,) = regenerated(state_of(showing({"200": ORDER}), things=things))[1].remaining

    assert (finding.rule, finding.where[1:]) == ("undocumented-status", (6, 7))
    assert finding.message == (
        "show() is annotated to return the status 418, which GET /a does not document: "
        "document it, or remove it here and in the function"
    )


LAZY = "from __future__ import annotations\n\n"
HEAD = f"{LAZY}from typing import Literal\nfrom ._types import Error, Job, Thing\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Thing", "Job"),
        ("Thing | tuple[None, Literal[304]]", "Job | tuple[None, Literal[304]]"),
        ("Thing | tuple[Error, Literal[404]]", "Job | tuple[Error, Literal[404]]"),
        ("tuple[Thing, int]", "tuple[Job, int]"),
        ("tuple[Thing, int, dict[str, str]]", "tuple[Job, int, dict[str, str]]"),
        ("tuple[Thing, Literal[200]]", "tuple[Job, Literal[200]]"),
        ("Thing | tuple[Thing, int]", "Job | tuple[Job, int]"),
        ("tuple[None, Literal[304]]", "tuple[None, Literal[304]]"),
        ("Thing | Own", "Thing | Own"),
        ("Result[Thing]", "Result[Thing]"),
    ],
)
def test_the_results_that_a_change_made_wrong_are_replaced_and_the_others_stay(before, after):
    """An annotation with names of its author's is the author's."""
    more = {"304": BARE, "404": ERROR}
    things = f"{HEAD}class Own: ...\ndef show() -> {before}: return 1\n"
    sources = in_sync(showing({"200": ORDER, **more}), things=things)

    state, _ = regenerated(state_of(showing({"200": JOB, **more}), sources))

    assert f"def show() -> {after}: return 1\n" in text(state.sources, "things")
    assert regenerated(state)[1].changes == {}


def test_a_header_that_becomes_required_and_a_new_name_of_the_operation_change_the_annotation():
    """The class is the operation's; the old one is no longer imported."""
    before = {"201": json_of(ref("Thing"), Location=False)}
    things = f"{LAZY}from ._types import Thing\n\ndef show() -> Thing: return 1\n"
    sources = in_sync(showing(before), things=things)
    renamed = showing(LOCATED)
    renamed["paths"]["/a"]["get"]["operationId"] = "make"

    required, _ = regenerated(state_of(showing(LOCATED), sources))
    state, made = regenerated(state_of(renamed, required.sources))

    needed = "def show() -> tuple[Thing, Literal[201], Show201Headers]: return 1"
    assert needed in text(required.sources, "things")
    code = text(state.sources, "things")
    assert "def make() -> tuple[Thing, Literal[201], Make201Headers]: return 1" in code
    assert "Show201Headers" not in code
    assert made.remaining == []


BODIES = st.sampled_from([BARE, ORDER, JOB, CSV, json_of({"oneOf": [ref("Thing"), STRING]})])
HEADERS = st.sampled_from([{}, {"Location": True}, {"X-Rate": False}])
RESPONSES = st.builds(lambda body, headers: with_headers(body, **headers), BODIES, HEADERS)
KEYS = ["200", "201", "204", "2XX", "302", "304", "404", "4XX", "default"]
MEMBERS = [
    "Thing", "Job", "None", "str", "bytes", "list[Thing]", "Any", "tuple[Thing, int]", "tuple[Job, Literal[201]]",
    "tuple[None, Literal[304, 204]]", "tuple[Thing, Literal[404], dict[str, str]]", "tuple[str, int, dict[str, str]]",
    "tuple[Thing]", "tuple[Thing, ...]", "tuple[Job, dict[str, str]]", "tuple[Job, int, Thing]",
]  # fmt: skip


@settings(max_examples=60)
@given(
    responses=st.dictionaries(st.sampled_from(KEYS), RESPONSES, min_size=1),
    members=st.lists(st.sampled_from(MEMBERS), max_size=3, unique=True),
)
def test_what_is_written_agrees_and_a_second_run_changes_nothing(responses, members):
    """For all documented results, and all annotations before; only undocumented statuses are left to a person."""
    annotation = f" -> {' | '.join(members)}" if members else ""
    imports = "from typing import Any, Literal\nfrom ._types import Job, Thing\n\n"
    things = f"{imports}def show(){annotation}: ...\n"
    modules = {"things": things} if members else {}

    after, made = regenerated(state_of(showing(responses), **modules))

    assert {one.rule for one in made.remaining} <= {"undocumented-status"}
    assert plan(after, LAYOUT).changes == {}


SERVICE = {
    "/orders/{id}": {"get": {**operation("get_order", responses={"200": ORDER, "304": BARE, "404": ERROR}),
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": STRING}]}},
    "/orders": {"post": operation("create_order", responses=LOCATED)},
    "/imports": {"post": operation("import_orders", responses={"200": ORDER, "202": JOB, "204": BARE})},
}  # fmt: skip
HANDLERS = """
from __future__ import annotations
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._types import CreateOrder201Headers, Error, Job, Thing

async def get_order(*, id: str) -> Thing | tuple[None, Literal[304]]:
    if id == "same":
        return None, 304
    return {"name": id}

async def create_order() -> tuple[Thing, Literal[201], CreateOrder201Headers]:
    return {"name": "a"}, 201, {"Location": "/orders/a"}

async def import_orders() -> Thing | tuple[Job, Literal[202]] | tuple[None, Literal[204]]:
    job: Job = {"name": "a"}
    return job, 202
"""  # fmt: skip


def checked(folder, handlers):
    """Generate the types of a package with some handlers; return what mypy and `relay drift` print."""
    schemas = dict.fromkeys(["Thing", "Job", "Error"], THING)
    (folder / "api.json").write_text(json.dumps(contract(SERVICE, components={"schemas": schemas})), "utf-8")
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "things.py").write_text(textwrap.dedent(handlers), "utf-8")
    made = relay(folder, "regenerate", "--spec", "api.json", "--handlers", "shop")
    assert made.stdout == "updated shop/_types.py\n".replace("updated", "created"), made.stdout + made.stderr
    return typed_strictly(folder, "-p", "shop")


def test_a_type_checker_accepts_what_is_documented(tmp_path):
    """Also literals of bodies and headers, whose types it finds in the annotation."""
    assert checked(tmp_path, HANDLERS).startswith("Success")


def test_a_type_checker_finds_an_undocumented_status_and_a_missing_header(tmp_path):
    """Before a request does."""
    wrong = HANDLERS.replace("return None, 304", "return None, 418").replace('"Location": ', '"Locaton": ')

    printed = checked(tmp_path, wrong)

    assert 'got "tuple[None, Literal[418]]", expected "Thing | tuple[None, Literal[304]]"' in printed
    assert 'Missing key "Location" for TypedDict "CreateOrder201Headers"' in printed
