"""Arguments of functions written for Connexion: `scripts/relay/server/connexion_arguments.py`."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.connexion_words import is_python_path, sanitized, spellings
from relay.contract.diagnostics import SetupError, Severity
from support.hosting import ask, calling, contract
from support.naming import named_operation, parameter


@pytest.fixture
def hosted(hosting_named):
    """Host one operation whose function is `api.show`."""

    def hosted(source, path="/things", method="get", **operation):
        return hosting_named(contract({path: {method: named_operation("show", **operation)}}), source)

    return hosted


@pytest.fixture
def answered(hosted):
    """Host `api.show`, and return what a request to it is answered."""

    async def answered(source, target="/things", method="get", *, path="/things", given=None, **operation):
        return (await ask(hosted(source, path, method, **operation), target, method, **given or {})).json()

    return answered


def body(schema, media_type="application/json", **rest):
    return {"content": {media_type: {"schema": schema}}, **rest}


EVERYWHERE = [parameter(f"{place}P", place) for place in ("path", "query", "header", "cookie")]
SENT_EVERYWHERE = {"json": {"x": 1}, "headers": {"headerP": "3", "cookie": "cookieP=4"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("petId", "petId"),
        ("pet_id", "petId"),
        ("top", "$top"),
        ("filter_a", "filter[a]"),
        ("id_", "id"),
        ("id", "id"),
        ("class_", "class"),
        ("x_trace", "X-Trace"),
        ("XTrace", "X-Trace"),
        ("http_server", "HTTPServer"),
        ("httpserver", "HTTPServer"),
    ],
)
async def test_a_parameter_has_the_name_that_the_function_gives_it(answered, argument, name):
    """As the contract spells it, as with `pythonic_params`, or as Relay names it."""
    source = f"def show({argument}):\n    return {argument}\n"
    assert await answered(source, given={"params": {name: "5"}}, parameters=[parameter(name)]) == "5"


@pytest.mark.parametrize(
    ("sent", "expected"), [("3", ["float", 3.0]), ("2.5", ["float", 2.5]), (None, ["float", 7.0])]
)
async def test_a_number_is_a_float(answered, sent, expected):
    """As in Connexion; JSON does not tell 3 from 3.0 (RFC 8259 section 6)."""
    number = parameter("v", schema={"type": "number", "default": 7})
    source = "def show(v):\n    return [type(v).__name__, v]\n"
    target = "/things" if sent is None else f"/things?v={sent}"
    assert await answered(source, target, parameters=[number]) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("async def show():\n    return 'reached'\n", "reached"),
        ("def show(**given):\n    return given\n", {"pathP": "1", "queryP": "2", "body": {"x": 1}}),
    ],
    ids=["nothing", "anything"],
)
async def test_passes_what_connexion_passes(answered, source, expected):
    """To `**kwargs` path, query and body: neither headers and cookies, nor what only Relay knows."""
    rest = {"path": "/things/{pathP}", "parameters": EVERYWHERE, "requestBody": body({"type": "object"})}
    assert await answered(source, "/things/1?queryP=2", "post", given=SENT_EVERYWHERE, **rest) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "extension"), [("pet", "pet"), ("body", "pet"), ("top", "$top"), ("body", None)]
)
async def test_the_body_has_the_name_of_x_body_name(answered, argument, extension):
    named = {} if extension is None else {"x-body-name": extension}
    source = f"def show({argument}):\n    return {argument}\n"
    assert await answered(source, method="post", given={"json": [1]}, requestBody=body({}, **named)) == [1]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object"}, {}),
        ({"type": "object", "default": {"a": 1}}, {"a": 1}),
        ({"type": "object", "nullable": True}, None),
    ],
)
async def test_a_body_that_is_not_sent_is_its_default_or_empty(answered, schema, expected):
    """A function need not tell whether an optional body was sent."""
    source = "def show(body):\n    return [body]\n"
    assert await answered(source, method="post", requestBody=body(schema)) == [expected]


FILE = {"type": "string", "format": "binary"}
FORM = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "photo": FILE, "pages": {"type": "array", "items": FILE}},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("body, photo, pages", ["body", "pages", "photo"]),
        ("body, photo", ["body", "photo"]),
        ("body", ["body"]),
        ("photo", ["photo"]),
        ("**given", ["body", "pages", "photo"]),
    ],
)
async def test_the_files_of_a_form_are_arguments_of_their_own(answered, signature, expected):
    got = "given" if signature == "**given" else "locals()"
    source = f"def show({signature}):\n    got = {got}\n    return [sorted({{*got}} - {{'got'}}), got.get('body')]\n"
    files = [("photo", ("a.png", b"1")), ("pages", ("b", b"2")), ("pages", ("c", b"3"))]
    sent = {"data": {"name": "Rex"}, "files": files}
    answer = await answered(source, method="post", given=sent, requestBody=body(FORM, "multipart/form-data"))
    assert answer == [expected, {"name": "Rex"} if "body" in expected else None]


@pytest.mark.parametrize(
    ("named", "arguments", "expected"),
    [
        (["header X-Trace", "cookie session"], ["x_trace", "session"], ["t", "s"]),
        (["query id", "path id"], ["id"], ["1"]),
        (["query claims", "query caller", "query body"], ["claims", "caller", "body"], ["1", "2", "3"]),
    ],
    ids=[
        "headers and cookies, which Connexion never passes, if a function asks for them",
        "the path before the query",
        "parameters that are called as Relay's own arguments",
    ],
)  # fmt: skip
async def test_parameters_arrive_where_a_function_names_them(answered, named, arguments, expected):
    parameters = [parameter(name, place) for place, name in map(str.split, named)]
    source = f"def show({', '.join(arguments)}):\n    return [{', '.join(arguments)}]\n"
    target = "/things/1?id=2&claims=1&caller=2&body=3"
    path = "/things/{id}" if "path id" in named else "/things/1"
    given = {"headers": {"X-Trace": "t", "cookie": "session=s"}}
    assert await answered(source, target, path=path, given=given, parameters=parameters) == expected


async def test_warns_of_arguments_that_a_request_may_lack(hosted):
    """The service starts, as in Connexion, where such a request is a 500, too."""
    application = hosted("def show(limit, more):\n    return limit\n", parameters=[parameter("limit")])
    async with calling(application):
        absent, unknown = [*application.warnings, *application.argument_warnings]

    assert absent.severity == unknown.severity == Severity.WARNING
    expected = "the query parameter 'limit' of GET /things may be absent: give 'limit' a default"
    assert absent.message.startswith(expected)
    assert unknown.message.startswith("GET /things does not send 'more'")
    assert unknown.message.endswith("such a request is a 500")


def test_refuses_an_argument_that_cannot_be_passed_by_name(hosted):
    with pytest.raises(SetupError, match="positional-only"):
        hosted("def show(a, /):\n    return a\n", parameters=[parameter("a")])


async def test_awaits_a_decorated_async_function(answered):
    """The decorator is a plain function, and so does not look async."""
    source = """
        import functools

        def twice(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs)
            return wrapper

        @twice
        async def show(petId):
            return petId
    """

    assert await answered(source, "/things?petId=7", parameters=[parameter("petId")]) == "7"


@given(st.text(max_size=12))
def test_spellings_are_possible_arguments(name):
    found = spellings(name)
    assert all(one.isidentifier() for one in found)
    assert not sanitized(name) or found[0] == sanitized(name)


@given(st.text(alphabet="aBcI9_-$[]. é", max_size=12))
def test_spellings_are_those_of_connexion(name):
    from connexion.decorators.parameter import pythonic as theirs_in_snake_case
    from connexion.decorators.parameter import sanitized as theirs

    assert sanitized(name) == theirs(name)
    assert {theirs(name), theirs_in_snake_case(name)} - {""} <= {*spellings(name)}


@given(st.lists(st.from_regex(r"[a-zA-Z_][a-zA-Z_0-9]{0,8}", fullmatch=True), min_size=2, max_size=4))
def test_a_python_path_has_names_between_dots(parts):
    path = ".".join(parts)
    assert is_python_path(path) == (not any(map(keyword.iskeyword, parts)))
    assert not is_python_path(f"{path}-x")
    assert not is_python_path(f"{path}.")


KEY = {"type": "apiKey", "in": "header", "name": "X-Key", "x-apikeyInfoFunc": "api.check"}
CHECK = "def check(key, required_scopes=None):\n    return {'uid': key, 'more': 1}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "parameters", "expected"),
    [
        ("def show(user): return user", [], "k"),
        ("def show(user='unknown'): return user", [], "k"),
        ("def show(token_info): return token_info", [], {"uid": "k", "more": 1}),
        ("async def show(context_): return context_['user']", [], "k"),
        ("def show(**given): return given", [], {"user": "k", "token_info": {"uid": "k", "more": 1}}),
        ("def show(user): return user", [parameter("user")], "ada"),
    ],
)
async def test_a_function_gets_what_connexion_knows_of_the_credential(
    hosting_named, source, parameters, expected
):
    """`user` is the `sub` or `uid` of the claims; the contract's names go first."""
    shown = named_operation("show", security=[{"key": []}, {}], parameters=parameters)
    document = contract({"/things": {"get": shown}}, components={"securitySchemes": {"key": KEY}})
    async with calling(hosting_named(document, f"{source}\n{CHECK}")) as client:
        assert (await client.get("/things?user=ada", headers={"X-Key": "k"})).json() == expected


EMPTY = {"description": ""}


@pytest.mark.slow
@pytest.mark.parametrize("result", ["None", "NoContent"])
@pytest.mark.parametrize(
    ("documented", "settings", "status"),
    [
        (["200", "204"], {}, 204),
        (["200"], {"response_violations": "report"}, 204),
        (["200"], {}, 200),
        (["204"], {}, 204),
    ],
)
async def test_nothing_alone_is_a_204(hosting_named, result, documented, settings, status):
    """As in Connexion; where that is not documented and violations are enforced, it stays the documented success."""
    shown = named_operation("show") | {"responses": dict.fromkeys(documented, EMPTY)}
    source = f"from connexion import NoContent\n\ndef show():\n    return {result}\n"
    application = hosting_named(contract({"/things": {"get": shown}}), source, **settings)
    answer = await ask(application, "/things")
    assert (answer.status_code, answer.content) == (status, b"")
