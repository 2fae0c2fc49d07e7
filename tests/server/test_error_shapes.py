"""Errors as the contract documents them: `scripts/relay/server/error_shapes.py` and the modules that it uses."""

import dataclasses
import json
from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.project.settings import Settings
from relay.server.compilation import create
from relay.server.error_shapes import OWN_STATUSES, ErrorShapes, documented_statuses, reports
from relay.server.error_templates import source
from relay.server.errors import ErrorReport
from relay.validation.schemas import SchemaCompiler
from support.compiled import read
from support.hosting import SECRET, ask, assert_problem, calling, contract, operation

TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
SENTENCE = "There is no such path"
PLAIN = ErrorReport(404, "NOT_FOUND", SENTENCE)
DETAIL = {"in": "query", "path": "/a", "rule": "type", "message": "m"}
DETAILED = ErrorReport(404, "INVALID", "Wrong", (DETAIL,))


def shape(*required, **properties):
    needed = {"required": [*required]} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needed}


def answer(schema, media_type="application/json", **rest):
    return {"description": "no", "content": {media_type: {"schema": schema, **rest}}}


def showing(**responses):
    return {**operation("show"), "responses": {"200": {"description": "ok"}, **responses}}


def shapes_of(*operations, **rest):
    """The documented errors of some operations, and the problems found on the way."""
    paths = {f"/{at}": {"get": {**one, "operationId": f"show{at}"}} for at, one in enumerate(operations)}
    document = read(contract(paths, **rest))
    compiler = SchemaCompiler(document)
    return ErrorShapes(document, compiler, documented_statuses(document)), compiler.problems


def body_of(documented, report=PLAIN):
    """The body that an operation with this response makes of a report."""
    shapes, _ = shapes_of(showing(**{str(report.status): documented}))
    return shapes.render(report, "show0")[0]


def array(items, **rest):
    return {"type": "array", "items": items, **rest}


CODED = shape("success", success=FLAG, error=shape(code=TEXT, message=TEXT))
JSON_API = shape(errors=array(shape(status=TEXT, title=TEXT, detail=TEXT)))
COMBINED = {"allOf": [{"properties": {"code": NUMBER}}, {"properties": {"msg": TEXT}, "required": ["msg"]}]}
NUMBERED = shape("id", id={"type": "string", "example": "e-1"}, title=TEXT)


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (shape(message=TEXT), {"message": SENTENCE}),
        (shape(status=NUMBER, error=TEXT), {"status": 404, "error": SENTENCE}),
        (CODED, {"success": False, "error": {"code": "NOT_FOUND", "message": SENTENCE}}),
        (JSON_API, {"errors": [{"status": "404", "title": "NOT_FOUND", "detail": SENTENCE}]}),
        (shape(errors=array(TEXT, minItems=1)), {"errors": [SENTENCE]}),
        (shape(error=TEXT, error_description=TEXT), {"error": "NOT_FOUND", "error_description": SENTENCE}),
        (COMBINED, {"code": 404, "msg": SENTENCE}),
        (shape(data=shape(id=NUMBER, message=TEXT)), {"data": {"message": SENTENCE}}),
        (NUMBERED, {"id": "e-1", "title": SENTENCE}),
        (array(shape(message=TEXT)), [{"message": SENTENCE}]),
        (TEXT, SENTENCE),
    ],
    ids="message status nested list texts oauth allOf elsewhere required array text".split(),
)
def test_known_names_get_their_values(schema, wanted):
    """An unknown property has the value of its example or schema where it is required, else it is left out."""
    assert body_of(answer(schema)) == wanted


CLOSED_LIST = shape("code", code={"type": "string", "enum": ["gone", "lost"]}, message=TEXT)
SHORT = shape("message", message={"type": "string", "maxLength": 9}, code=NUMBER)
LOST = {"code": "lost", "message": "Pet 7 was lost"}
WHEN = shape("when", when=TEXT, text=TEXT)


@pytest.mark.parametrize(
    ("schema", "example", "wanted"),
    [
        (CLOSED_LIST, LOST, {"code": "lost", "message": SENTENCE}),
        (shape(status=TEXT, message=TEXT), {"status": "error", "message": "x"}, {"message": SENTENCE}),
        (WHEN, {"when": "now", "text": "x"}, {"when": "now", "text": SENTENCE}),
        (shape("id", id=NUMBER), {"id": 7}, {"id": 7}),
        (SHORT, {"message": "not found", "code": 1}, {"message": "not found", "code": 404}),
    ],
    ids="enum word required nothing short".split(),
)
def test_a_documented_example_is_what_the_body_starts_from(schema, example, wanted):
    """A value that the schema refuses stays as its publisher wrote it: a closed list of codes, a length."""
    assert body_of(answer(schema, example=example)) == wanted


def test_an_example_that_violates_its_schema_is_not_used():
    documented = answer(shape("id", "message", id=NUMBER, message=TEXT), example={"id": "seven"})
    assert body_of(documented)["message"] == SENTENCE


def test_details_go_where_the_schema_has_a_place_for_them():
    """Only for a request that violates the contract; without it the body stays small."""
    schema = shape(code=TEXT, message=TEXT, details=array({"type": "object"}))
    assert body_of(answer(schema)) == {"code": "NOT_FOUND", "message": SENTENCE}
    assert body_of(answer(schema), DETAILED) == {"code": "INVALID", "message": "Wrong", "details": [DETAIL]}


def test_the_first_detail_is_in_the_sentence_where_there_is_no_place_for_all():
    """A caller learns which field breaks which rule, in every envelope that has a sentence and room for it."""
    short = {"type": "string", "maxLength": 30}
    assert body_of(answer(shape(message=TEXT)), DETAILED) == {"message": "Wrong: query /a: m"}
    assert body_of(answer(shape(message=TEXT, errors=array(TEXT))), DETAILED) == {
        "message": "Wrong: query /a: m"
    }
    assert body_of(answer(shape(message=short)), DETAILED) == {"message": "Wrong"}


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("application/vnd.api+json", "application/vnd.api+json"),
        ("application/json; charset=utf-8", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/*", "text/plain; charset=utf-8"),
    ],
)
def test_the_media_type_is_the_documented_one(name, sent):
    shapes, _ = shapes_of(showing(**{"404": answer(TEXT, name)}))
    assert shapes.render(PLAIN, "show0") == (SENTENCE, sent)


@pytest.mark.parametrize("schema", [{}, {"type": "object"}])
def test_a_schema_that_allows_everything_gets_problem_details(schema):
    shapes, _ = shapes_of(showing(**{"404": answer(schema)}))
    body, media_type = shapes.render(PLAIN, "show0")
    assert (body["detail"], media_type) == (SENTENCE, "application/json")


class TestChoice:
    """Which of several documented errors is used."""

    EXACT, RANGE, DEFAULT = (answer(shape(name, **{name: TEXT})) for name in ("message", "detail", "error"))

    @pytest.mark.parametrize(("status", "name"), [(404, "message"), (403, "detail"), (500, "error")])
    def test_the_exact_status_comes_before_its_range_and_the_default(self, status, name):
        shapes, _ = shapes_of(showing(**{"404": self.EXACT, "4XX": self.RANGE, "default": self.DEFAULT}))
        assert shapes.render(ErrorReport(status, "C", "m"), "show0")[0] == {name: "m"}

    def test_what_matches_no_operation_gets_the_commonest_for_its_status(self):
        """Its caller expects what the API usually answers; here two of three operations agree."""
        most, other = showing(**{"404": self.EXACT}), showing(**{"404": self.RANGE, "405": self.DEFAULT})
        shapes, _ = shapes_of(other, most, most)
        assert shapes.render(PLAIN, None)[0] == {"message": SENTENCE}
        assert shapes.render(ErrorReport(405, "C", "m"), None)[0] == {"error": "m"}
        assert shapes.render(ErrorReport(413, "C", "m"), "show0")[0] == {"message": "m"}

    def test_a_body_without_a_sentence_is_not_used_for_what_does_not_document_it(self):
        shapes, _ = shapes_of(
            showing(**{"400": answer(shape("state", state={"type": "string", "enum": ["off"]}))})
        )
        assert shapes.render(ErrorReport(400, "C", "m"), "show0")[0] == {"state": "off"}
        assert shapes.render(PLAIN, None)[1] == "application/problem+json"

    def test_a_status_of_handlers_only_counts_for_the_commonest(self):
        shapes, _ = shapes_of(showing(**{"409": self.EXACT}))
        assert shapes.render(PLAIN, "show0")[0] == {"message": SENTENCE}

    def test_the_only_documented_error_may_be_that_of_fastapi(self):
        """Its contracts document 422 for invalid requests, and no other error."""
        item = shape("loc", "msg", loc=array(TEXT), msg=TEXT)
        shapes, _ = shapes_of(showing(**{"422": answer(shape(detail=array(item)))}))
        refused = shapes.render(dataclasses.replace(DETAILED, status=400), "show0")[0]
        assert refused == {"detail": [{"loc": ["query", "a"], "msg": "m"}]}
        assert shapes.render(PLAIN, None)[0] == {"detail": [{"loc": [], "msg": SENTENCE}]}

    def test_nothing_usable_leaves_problem_details(self):
        """XML is not written, and a status described in words has no shape."""
        xml = answer(shape(message=TEXT), "application/xml")
        shapes, problems = shapes_of(showing(**{"404": xml, "400": {"description": "no"}}))
        assert shapes.render(PLAIN, "show0")[1] == "application/problem+json"
        assert problems == []

    def test_json_that_no_value_is_found_for_is_a_warning(self):
        """The service starts, and says what its clients get instead."""
        impossible = {"type": "string", "minLength": 2, "maxLength": 1}
        shapes, problems = shapes_of(showing(**{"404": answer(impossible)}))
        assert shapes.render(PLAIN, "show0")[1] == "application/problem+json"
        assert [(one.rule, one.severity) for one in problems] == [("error-shape", "warning")]


NAMES = st.sampled_from(
    "message code status error errors details title type id ok detail msg loc field path in".split()
)
LEAVES = st.sampled_from(
    [
        *(TEXT, NUMBER, FLAG, {}),
        *({"type": "string", "maxLength": size} for size in (0, 8)),
        {"type": "string", "enum": ["NOT_FOUND", "b"], "nullable": True},
        {"type": "integer", "maximum": 404},
    ]
)


def objects(inner):
    return st.builds(
        lambda properties, required, closed: {
            "type": "object",
            "properties": properties,
            "additionalProperties": not closed,
            **({"required": sorted(required)} if required else {}),
        },
        st.dictionaries(NAMES, inner, max_size=4),
        st.sets(NAMES, max_size=2),
        st.booleans(),
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(array, inner)
        | st.builds(lambda parts: {"oneOf": parts}, st.lists(inner, min_size=1, max_size=2))
        | objects(inner)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SCHEMAS)
def test_each_error_of_relay_is_valid_for_the_schema_that_documents_it(schema):
    """For every schema: a body that violates it would be worse than problem details."""
    shapes, _ = shapes_of(showing(default=answer(schema)))
    validator = SchemaCompiler(read(contract({}))).compile(schema, "response", ())
    for status in OWN_STATUSES:
        for report in (*reports(status), *reports(status, is_detailed=True)):
            body, media_type = shapes.render(report, "show0")
            assert media_type == "application/problem+json" or validator.accepts(body)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SCHEMAS)
def test_the_source_of_an_error_is_what_it_is_filled_with(schema):
    """A generated `render_error` and a contract that is served alone respond alike, to several violations too."""
    shapes, _ = shapes_of(showing(default=answer(schema)))
    other = {"in": "body", "path": "/b/0", "rule": "required", "message": "n"}

    for report in (PLAIN, DETAILED, dataclasses.replace(DETAILED, details=(DETAIL, other))):
        if (template := shapes.of("show0", report.status)) is not None:
            chosen = template.detailed if report.details and template.detailed is not None else template.plain
            names = {"report": report, "HTTPStatus": HTTPStatus}
            assert eval(source(chosen), names) == template.body(report)  # noqa: S307 -- what is generated


COMPONENTS = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
SHOW = {
    **showing(**{"401": answer(shape(message=TEXT, status=NUMBER)), "default": answer(TEXT, "text/plain")}),
    "security": [{"token": []}],
}


class TestServed:
    """A contract that is served alone."""

    async def test_answers_with_the_documented_bodies_and_its_own_headers(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        spec = tmp_path / "api.json"
        spec.write_text(json.dumps(contract({"/a": {"get": SHOW}}, components=COMPONENTS)), "utf-8")
        application = create(Settings(spec=spec, missing=("mock",), jwt_secret=SECRET))

        async with calling(application) as client:
            refused = await client.get("/a")
            unknown = await client.get("/b")
            method = await client.delete("/a")

        assert refused.json() == {"message": "A valid credential is required", "status": 401}
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert (unknown.text, unknown.headers["content-type"]) == (SENTENCE, "text/plain; charset=utf-8")
        assert method.headers["allow"] == "GET, HEAD"

    async def test_a_package_renders_its_errors_itself(self, hosting):
        document = contract({"/a": {"get": showing(**{"404": answer(shape(message=TEXT))})}})
        own = "def render_error(report):\n    return report.message, 'text/plain'\n"
        things = "def show(): ...\n"
        rendered = await ask(hosting(document, init=own, things=things), "/b")
        assert_problem(await ask(hosting(document, things=things), "/b"), 404, "NOT_FOUND")
        assert rendered.text == SENTENCE


async def test_an_error_that_is_documented_in_words_only_reaches_the_client(hosting):
    """Many contracts give a 404 no content; the handler's error is no violation of it."""
    document = contract({"/a": {"get": showing(**{"404": {"description": "There is none."}})}})
    things = """
        from relay import ApiError

        class Lost(ApiError):
            status, code, message = 404, "LOST", "It is lost"

        def show():
            raise Lost
    """

    assert_problem(await ask(hosting(document, things=things)), 404, "LOST")
