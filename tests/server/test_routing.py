"""Paths → operations: `scripts/relay/server/routing.py`."""

import re
import time
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.path_templates import encoded
from relay.server.errors import MalformedPath
from relay.server.routing import Routes
from support.hosting import calling, contract


def routes(*paths):
    """Routes in which each path leads to itself."""
    found = Routes()
    for path in paths:
        found.add(path, "get", path)
    return found


def led_to(found, path):
    """The template and the variables that a path leads to."""
    match = found.find(path)
    return None if match is None else (match.methods["GET"], match.variables("GET"))


@pytest.mark.parametrize(
    "path", ["", "/calls/", "//calls", "/calls/7/", "/calls//notes", "/CALLS", "/calls/7/8"]
)
def test_a_path_is_taken_by_its_letters(path):
    """No redirect to what might have been meant: it would be built from the client's own words."""
    assert led_to(routes("/calls", "/calls/{id}", "/calls/{id}/notes"), path) is None


@pytest.mark.parametrize(
    ("template", "path", "variables"),
    [
        ("/files/{name}", "/files/%C3%A9%20%2541+", {"name": "é %41+"}),
        ("/files/{name}", "/files/a%2Fb", {"name": "a/b"}),
        ("/calls", "/%63alls", {}),  # RFC 3986 section 6.2.2.2: an encoded letter is that letter
    ],
    ids=["decoded once", "slash of a segment", "literal"],
)
def test_a_path_is_percent_decoded(template, path, variables):
    assert led_to(routes("/files/a/b", template), path) == (template, variables)


@pytest.mark.parametrize("path", ["/%ff", "/%C3", "/%ed%a0%80", "/%zz", "/%", "/%4", "/%00", "/x%00y"])
def test_refuses_what_is_not_percent_encoded_text(path):
    """Two readers could see two paths; NUL ends a text for half of the world."""
    with pytest.raises(MalformedPath):
        routes("/{name}").find(path)


SEGMENTS = ["a", "b", "a-b", "{x%d}", "a{x%d}", "{x%d}-b", "{x%d}-b-{y%d}", "a-{x%d}-c"]
"""Each with another number of letters of its own: which of two equals goes first is open."""


def template(segments):
    return "".join(f"/{segment.replace('%d', str(at))}" for at, segment in enumerate(segments))


TEMPLATES = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map(template)
REQUESTS = st.lists(
    st.sampled_from(["a", "b", "ab", "a-b", "a-b-c", "a-b-", "-b", "", "%2F", "a%2Db"]),
    min_size=1,
    max_size=3,
).map(lambda segments: "/" + "/".join(segments))


def matches(template, path):
    ours, theirs = template.split("/"), [unquote(segment) for segment in path.split("/")]
    return len(ours) == len(theirs) and all(
        re.fullmatch("(?s:.+)".join(map(re.escape, re.split(r"\{.*?\}", one))), other)
        for one, other in zip(ours, theirs, strict=True)
    )


def concreteness(template):
    return [("{" not in one, len(re.sub(r"\{.*?\}", "", one))) for one in template.split("/")]


@given(st.lists(TEMPLATES, unique=True, max_size=8), REQUESTS)
def test_agrees_with_trying_every_template(templates, path):
    """The tree finds what going through all of them would find, and the most concrete of it."""
    fitting = [template for template in templates if matches(template, path)]

    found = routes(*templates).find(path)

    assert (found is not None) == bool(fitting)
    if found is not None:
        template = found.methods["GET"]
        assert template in fitting
        assert concreteness(template) == max(map(concreteness, fitting))
        written = re.sub(r"\{(.*?)\}", lambda variable: found.variables("GET")[variable[1]], template)
        assert written == unquote(path)


@given(st.lists(TEMPLATES, unique=True, max_size=6), REQUESTS)
def test_the_names_of_variables_do_not_change_what_is_found(templates, path):
    found = routes(*templates)
    for template in templates:
        found.add(template.replace("{", "{other_"), "post", template)

    match, expected = found.find(path), routes(*templates).find(path)

    assert (match is None) == (expected is None)
    if match is not None:
        assert match.methods == dict.fromkeys(("GET", "POST"), expected.methods["GET"])
        assert match.values == expected.values


KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0{}"), max_size=8
) | st.sampled_from(["%41", "%", "%zz", "%ff", "%2F", "a%20b", "%25", "?x=1&y", "#z", "//", " ", "é"])


@given(KEYS.filter(lambda key: "%00" not in key), st.booleans())
def test_every_path_is_found_as_a_request_writes_it(key, is_templated):
    path = f"/{key}/{{id}}" if is_templated else f"/{key}"
    written = {encoded(path)}
    if "%" not in key:  # a client may encode as much as it likes
        written.add("/".join(quote(segment, safe="{}") for segment in path.split("/")))
    for one in written:
        match = routes(path).find(one.replace("{id}", "7"))
        assert match.methods == {"GET": path}
        assert match.values == (("7",) if is_templated else ())


LITERALS = st.sampled_from(["", "a", "-", "--", "a-", ".a"])


@given(st.lists(LITERALS, min_size=2, max_size=5), st.text("a-.", max_size=12))
def test_values_are_those_of_a_lazy_regular_expression(pieces, text):
    """Each but the last is as short as the whole allows."""
    path = "".join(f"{{v{at}}}{literal}" for at, literal in enumerate(pieces[1:]))
    expected = re.fullmatch("(.+?)".join(map(re.escape, pieces)), text)
    found = routes(f"/{pieces[0]}{path}").find(f"/{text}")
    assert (found and found.values) == (expected and expected.groups())


@pytest.mark.parametrize(
    ("template", "filler"),
    [
        ("/{from}-{to}.csv", "-"),
        ("/{a}-{b}-{c}-{d}.csv", "-"),
        ("/{a}aa{b}aa{c}b", "a"),
        ("/{a}{b}{c}{d}.", "a"),
        ("/{a}.{b}", "/"),
        ("/{a}-{b}/{c}-{d}/x", "-"),
    ],
)
def test_the_cost_of_a_path_grows_with_its_length(template, filler):
    """A long path, which needs no token, must not hold up the others."""
    found = routes(template)

    def seconds(length):
        taken = []
        for _ in range(5):
            started = time.process_time()
            found.find("/" + filler * length)
            taken.append(time.process_time() - started)
        return min(taken)

    assert seconds(64_000) < 200 * seconds(2_000)  # 32 times the length; a thousand times if it were squared


def test_paths_of_one_shape_share_their_methods():
    """`GET /x/{id}` and `POST /x/{key}`: POST was answered with 405 for ever."""
    found = Routes()
    found.add("/x/{id}", "get", "read")
    found.add("/x/{key}", "post", "write")
    found.add("/x/{key}/y/{z}", "get", "inner")
    found.add("/x/{other}", "get", "never")

    match = found.find("/x/7")

    assert match.methods == {"GET": "read", "POST": "write"}
    assert match.variables("GET") == {"id": "7"}
    assert match.variables("POST") == {"key": "7"}
    assert found.find("/x/7/y/8").variables("GET") == {"key": "7", "z": "8"}


def test_a_path_with_a_query_is_found_without_it_if_it_is_the_only_one():
    """A request's path ends before `?`, and `#` is never sent."""
    found = Routes.of(
        {
            ("get", "/a?x=1"): "alone",
            ("post", "/a#one"): "one",
            ("post", "/a#two"): "two",
            ("get", "/b/{id}"): "plain",
            ("get", "/b/{key}#more"): "more",
            ("put", "/b/{id?}#more"): "put",
            ("get", "/c?q={q}"): "query",
        },
        "/v1",
    )

    assert found.find("/v1/a").methods == {"GET": "alone"}
    assert found.find("/v1/a%3Fx=1").methods == {"GET": "alone"}
    assert found.find("/v1/a%23two").methods == {"POST": "two"}
    assert found.find("/v1/b/7").methods == {"GET": "plain", "PUT": "put"}
    assert found.find("/v1/b/7").variables("PUT") == {"id?": "7"}
    assert found.find("/v1/b/7%23more").variables("GET") == {"key": "7"}
    assert led_to(found, "/v1/c") == ("query", {})


@pytest.mark.parametrize("path", ["/d/{a", "/d/a}", "/d/}", "/d/{", "/d/{a{b}", "/{a/b}", "/d/{}"])
def test_a_path_without_meaning_breaks_no_request(path):
    """It is an error of the contract; requests to it, and to others, are still answered."""
    found = routes(path, "/d/ok")
    assert led_to(found, "/d/ok") == ("/d/ok", {})
    found.find("/d/7")
    found.find(quote(path))


def mocked(**operations):
    paths = {}
    for name, path in operations.items():
        parameters = [
            {"name": variable, "in": "path", "required": True, "schema": {"type": "string"}}
            for variable in re.findall(r"\{(.*?)\}", path)
        ]
        answer = {"content": {"application/json": {"example": name}}, "description": "ok"}
        one = {"operationId": name, "parameters": parameters, "responses": {"200": answer}}
        paths.setdefault(path, {})[name.split("_")[0]] = one
    return contract(paths)


async def test_every_operation_of_odd_paths_is_served(hosting):
    """Paths of one shape, fragments, queries, spaces and letters, through the whole stack."""
    document = mocked(
        get_one="/x/{id}",
        post_other="/x/{key}",
        put_fragment="/x/{id}#part",
        get_query="/list?all=1",
        get_text="/a b/é",
        get_colon="/v1/{name}:search",
    )
    async with calling(hosting(document, settings={"missing": ["mock"]})) as client:
        for method, path, answer in [
            ("GET", "/x/7", "get_one"),
            ("POST", "/x/7", "post_other"),
            ("PUT", "/x/7", "put_fragment"),
            ("PUT", "/x/7%23part", "put_fragment"),
            ("GET", "/list?all=1", "get_query"),
            ("GET", "/list%3Fall=1", "get_query"),
            ("GET", "/a%20b/%C3%A9", "get_text"),
            ("GET", "/v1/my%20things:search", "get_colon"),
        ]:
            response = await client.request(method, path)
            assert (response.status_code, response.json()) == (200, answer)
        refused = await client.delete("/x/7")

    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST, PUT")


async def test_a_path_that_no_request_can_have_is_left_out(hosting):
    """The others are served; requests to it are answered with 501."""
    document = mocked(get_good="/good", get_bad="/d/{a", get_empty="/e/{}")
    async with calling(hosting(document, settings={"missing": ["mock"]})) as client:
        assert (await client.get("/good")).json() == "get_good"
        assert (await client.get("/d/%7Ba")).status_code == 501
        assert (await client.get("/e/7")).status_code == 501
        assert (await client.get("/d/7")).status_code == 404
