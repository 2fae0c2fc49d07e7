"""Paths → operations: `scripts/relay/server/routing.py`."""

from __future__ import annotations

import re
import time
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.server.errors import MalformedPath
from relay.server.routing import Routes


def routes(*paths):
    """Routes in which each path leads to itself."""
    found = Routes()
    for path in paths:
        found.add(path, "get", path)
    return found


def led_to(found, path):
    """The template and the variables that a path leads to."""
    match = found.find(path)
    return None if match is None else (match.methods["GET"], match.variables)


def test_finds_literal_and_templated_paths():
    found = routes("/", "/calls", "/calls/{id}", "/calls/{id}/notes/{note}")

    assert led_to(found, "/") == ("/", {})
    assert led_to(found, "/calls") == ("/calls", {})
    assert led_to(found, "/calls/7") == ("/calls/{id}", {"id": "7"})
    assert led_to(found, "/calls/7/notes/2") == ("/calls/{id}/notes/{note}", {"id": "7", "note": "2"})


@pytest.mark.parametrize(
    "path", ["", "/calls/", "//calls", "/calls/7/", "/calls//notes", "/CALLS", "/calls/7/8"]
)
def test_a_path_is_taken_by_its_letters(path):
    """No redirect to what might have been meant: it would be built from the client's own words."""
    assert led_to(routes("/calls", "/calls/{id}", "/calls/{id}/notes"), path) is None


def test_a_concrete_path_goes_before_a_templated_one():
    """OpenAPI 3.0.3, "Paths Object", in whatever order the contract has them."""
    for paths in (("/calls/{id}", "/calls/latest"), ("/calls/latest", "/calls/{id}")):
        assert led_to(routes(*paths), "/calls/latest") == ("/calls/latest", {})


@pytest.mark.parametrize(
    "paths", [("/{id}", "/report-{id}", "/{a}-{b}"), ("/{a}-{b}", "/report-{id}", "/{id}")]
)
def test_a_segment_with_more_letters_of_its_own_goes_first(paths):
    """However often one has to be escaped in a pattern."""
    assert led_to(routes(*paths), "/report-7") == ("/report-{id}", {"id": "7"})
    assert led_to(routes(*paths), "/a-7") == ("/{a}-{b}", {"a": "a", "b": "7"})
    assert led_to(routes(*paths), "/7") == ("/{id}", {"id": "7"})


def test_steps_back_where_the_concrete_way_ends():
    """`/calls/latest` exists, `/calls/latest/notes` only as a template."""
    found = routes("/calls/latest", "/calls/{id}/notes")

    assert led_to(found, "/calls/latest/notes") == ("/calls/{id}/notes", {"id": "latest"})


def test_a_path_has_all_its_methods():
    found = Routes()
    found.add("/calls/{id}", "get", "read")
    found.add("/calls/{id}", "delete", "remove")

    assert found.find("/calls/7").methods == {"GET": "read", "DELETE": "remove"}


def test_variables_are_percent_decoded_once():
    found = routes("/files/{name}")

    assert led_to(found, "/files/%C3%A9%20%2541+") == ("/files/{name}", {"name": "é %41+"})


def test_an_encoded_slash_is_part_of_its_segment():
    found = routes("/files/{name}", "/files/a/b")

    assert led_to(found, "/files/a%2Fb") == ("/files/{name}", {"name": "a/b"})


def test_a_literal_path_may_be_written_encoded():
    """RFC 3986 section 6.2.2.2: an encoded letter is that letter."""
    assert led_to(routes("/calls"), "/%63alls") == ("/calls", {})


@pytest.mark.parametrize("path", ["/%ff", "/%C3", "/a/%ed%a0%80"])
def test_refuses_a_path_that_is_not_utf8(path):
    with pytest.raises(MalformedPath):
        routes("/{name}").find(path)


SEGMENTS = ["a", "b", "a-b", "{x%d}", "a{x%d}", "{x%d}-b", "{x%d}-b-{y%d}", "a-{x%d}-c"]
"""Each with another number of letters of its own: which of two equals goes first is open."""


def template(segments):
    """A path whose variables are named after their segments."""
    return "".join(f"/{segment.replace('%d', str(at))}" for at, segment in enumerate(segments))


TEMPLATES = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map(template)
REQUESTS = st.lists(
    st.sampled_from(["a", "b", "ab", "a-b", "a-b-c", "a-b-", "-b", "", "%2F", "a%2Db"]),
    min_size=1,
    max_size=3,
).map(lambda segments: "/" + "/".join(segments))


def matches(template, path):
    """Whether a path fits a template, judged segment by segment."""
    ours, theirs = template.split("/"), [unquote(segment) for segment in path.split("/")]
    return len(ours) == len(theirs) and all(
        re.fullmatch("(?s:.+)".join(map(re.escape, re.split(r"\{.*?\}", one))), other)
        for one, other in zip(ours, theirs, strict=True)
    )


def concreteness(template):
    """Segment by segment: is it literal, and how many letters of its own has it."""
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
        written = re.sub(r"\{(.*?)\}", lambda variable: found.variables[variable[1]], template)
        assert written == unquote(path)


LITERALS = st.sampled_from(["", "a", "-", "--", "a-", ".a"])


@given(st.lists(LITERALS, min_size=2, max_size=5), st.text("a-.", max_size=12))
def test_values_are_those_of_a_lazy_regular_expression(pieces, text):
    """Each but the last is as short as the whole allows."""
    path = "".join(f"{{v{at}}}{literal}" for at, literal in enumerate(pieces[1:]))
    pattern = "(.+?)".join(map(re.escape, pieces))
    expected = re.fullmatch(pattern, text)

    found = routes(f"/{pieces[0]}{path}").find(f"/{text}")

    assert (found and tuple(found.variables.values())) == (expected and expected.groups())


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
    """A long path, before anybody has shown a token, must not hold up the others."""
    found = routes(template)

    def seconds(length):
        taken = []
        for _ in range(5):
            started = time.process_time()
            found.find("/" + filler * length)
            taken.append(time.process_time() - started)
        return min(taken)

    assert seconds(64_000) < 200 * seconds(2_000)  # 32 times the length; a thousand times if it were squared


@pytest.mark.parametrize("path", ["/a/%zz", "/a/%", "/a/%4", "/a/%00", "/a/x%00y"])
def test_refuses_what_is_not_percent_encoded_text(path):
    """Two readers could see two paths; NUL ends a text for half of the world."""
    routes = Routes()
    routes.add("/a/{x}", "get", "here")

    with pytest.raises(MalformedPath):
        routes.find(path)
