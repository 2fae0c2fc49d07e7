"""Reports for programs, and requests as commands: `scripts/relay/contract_tests/reports`."""

import json
import os
import shutil
import subprocess
from datetime import UTC
from operator import itemgetter
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError, Severity, SourceLocation
from relay.contract_tests.contract_config import Waiver
from relay.contract_tests.coverage import Coverage, Report
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.reports import redacted, write_reports
from relay.contract_tests.reports.curl import curl
from relay.contract_tests.reports.html_report import page
from relay.contract_tests.reports.json_report import SCHEMA, document
from relay.contract_tests.reports.junit_report import junit
from relay.contract_tests.reports.printable import MAX_BODY, body_text, escape_unprintable, expected_statuses
from relay.contract_tests.results import Failure, NotRun, Phase
from support import reported
from support.answering import PreparedResponse, ReceivedRequest, answering

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>]]>&\0\x1b[31m\ud800\u202egnp\r\n\"'"
SHOP = reported.shop()
VALIDATOR = jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_bytes()), validate_formats=True)

texts = st.one_of(st.just(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=20))
seconds = st.floats(0, 1e6)
counts = st.integers(0, 10**6)
headers = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
places = st.one_of(texts, st.builds(SourceLocation, texts, counts, counts))
exchanges = st.builds(
    Exchange,
    request=st.builds(Request, texts, texts, headers, st.binary(max_size=30)),
    status=st.integers(100, 599),
    headers=st.one_of(st.just((("content-type", "application/json"),)), headers),
    body=st.one_of(st.binary(max_size=30), st.just(json.dumps({"a": HOSTILE}).encode())),
    part=texts,
    credential=st.none() | texts,
    seconds=seconds,
)
failures = st.builds(
    Failure,
    where=places,
    message=texts,
    rule=texts,
    severity=st.sampled_from(Severity),
    operation=st.none() | texts,
    exchange=st.none() | exchanges,
    expected=st.lists(st.integers(100, 599), max_size=2).map(tuple),
    count=st.integers(1, 10**6),
)
parts = st.builds(
    Phase,
    name=texts,
    unit=texts,
    cases=counts,
    failures=st.lists(failures, max_size=2),
    not_run=st.lists(st.builds(NotRun, texts, texts), max_size=2),
    notes=st.lists(texts, max_size=2),
    seconds=seconds,
)


@st.composite
def coverages(draw):
    waiver = Waiver("list_pets", "200", None, draw(texts), SourceLocation(draw(texts), 1, 1))
    coverage = Coverage(SHOP, draw(st.sampled_from([(), (waiver,)])))
    for cell in coverage.cells:
        cell.seen.update(draw(st.dictionaries(texts, st.integers(1, 9), max_size=1)))
    return coverage


reports = st.builds(
    Report,
    title=texts,
    spec=texts,
    subject=st.none() | texts,
    seed=st.none() | counts,
    started=st.datetimes(timezones=st.just(UTC)),
    parts=st.lists(parts, max_size=2),
    coverage=coverages(),
    min_coverage=st.none() | st.floats(0, 100),
    reproduce=st.lists(texts, max_size=2).map(tuple),
    seconds=seconds,
)


def cases_of(report: Report) -> dict[str, ET.Element]:
    return {case.attrib["name"]: case for case in ET.fromstring(junit(report)).iter("testcase")}  # noqa: S314 -- our own


# Files


@pytest.mark.slow
def test_writes_three_files_into_a_new_folder(tmp_path):
    paths = write_reports(reported.violated(), tmp_path / "reports", reported.redact)

    assert [path.name for path in paths] == ["contract.junit.xml", "contract.html", "contract.json"]
    assert all(path.parent == tmp_path / "reports" and path.stat().st_size for path in paths)
    assert all(reported.SECRET.encode() not in path.read_bytes() for path in paths)


def test_a_write_error_is_reported(tmp_path):
    (tmp_path / "reports").write_text("in the way", "utf-8")

    with pytest.raises(SetupError, match="cannot be written"):
        write_reports(reported.held(), tmp_path / "reports", reported.redact)


# Text


@given(st.text(st.characters(exclude_categories=())))
def test_escaped_text_can_be_encoded_and_parsed(text):
    element = ET.Element("a")
    element.text = escape_unprintable(text)

    assert (ET.fromstring(ET.tostring(element, "utf-8")).text or "") == element.text  # noqa: S314 -- our own
    assert not set("\0\x1b\r\u202e\u2066\ufeff") & set(element.text)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": [1]}', '{\n  "a": [\n    1\n  ]\n}'),
        (b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        (b"{broken", "{broken"),
        (b"\xff\x00", "2 bytes that are not text: ff 00"),
    ],
    ids=["json", "a key twice", "no json", "no text"],
)
def test_indents_a_json_body_without_hiding_anything(body, expected):
    """Indented JSON would lose a duplicate key, which may be the error."""
    assert body_text(reported.exchange(body=body)) == expected


@pytest.mark.parametrize("body", [b"x" * 2**20, b"\xff" * 2**20, json.dumps(["x"] * 10**4).encode()])
def test_cuts_a_long_body_and_shows_its_length(body):
    shown = body_text(reported.exchange(body=body))

    assert len(shown) < MAX_BODY + 100
    assert f"{len(body):,} bytes" in shown


# Commands


@pytest.fixture(scope="module")
def recorder():
    """A local service: its address, and the requests that it has received."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    found = SimpleNamespace(received=[])

    def answer(asked: ReceivedRequest) -> PreparedResponse:
        found.received.append(asked)
        return PreparedResponse()

    with answering(answer) as url:
        found.url = f"{url}/api"
        yield found


def is_sent_completely(sent: list[tuple[str, str]]) -> bool:
    """Return True if curl can send all headers; headers that identify the original client are omitted."""
    agents = [value for name, value in sent if name == "User-Agent"]
    is_named = any(value.startswith(("python-", "schemathesis/")) for value in agents)
    return not is_named and sum(name == "Host" for name, _ in sent) <= 1


def run_command(recorder, request: Request, token: str = "t0k$en") -> ReceivedRequest:
    """Run the command for a request in a POSIX shell and return the received request."""
    command = curl(Exchange(request, 200, (), b"", "properties"), recorder.url)
    recorder.received.clear()
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "URL": recorder.url, "TOKEN": token}
    done = subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 0, (command, done.stderr)
    assert len(recorder.received) == 1
    return recorder.received[0]


visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
targets = st.text(visible, max_size=20).filter(lambda text: "#" not in text and "%5b" not in text.lower())
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
NAMES = "X-A x_b Accept Content-Type Cookie Host User-Agent Referer If-Match Expect".split()
bodies = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(str.encode),
    st.text("\"'$`\\!@ \n\r\t%", max_size=12).map(str.encode),
)


@pytest.mark.slow
@settings(max_examples=200)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PURGE", "get"]),
    path=targets | st.sampled_from(["../a/./b", "{a,b}[1-3]"]),
    query=targets,
    sent=st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=4).filter(is_sent_completely),
    body=bodies,
)
def test_a_command_sends_the_exact_request(recorder, method, path, query, sent, body):
    body = b"" if method == "HEAD" else body
    address = f"/{path}?{query}"

    got = run_command(recorder, Request(method, f"{recorder.url}{address}", tuple(sent), body))

    assert (got.method, got.path, got.body) == (method, f"/api{address}", body)
    names = {"Content-Type", *(name for name, _ in sent)}
    arrived = [pair for pair in got.lines if pair[0] in names]
    by_name = itemgetter(0)  # RFC 9110 section 5.3: only headers of one name have an order
    assert sorted(arrived, key=by_name) == sorted(
        ((name, value.strip()) for name, value in sent), key=by_name
    )


@pytest.mark.parametrize(
    ("name", "value", "arrives"),
    [
        ("Authorization", "[redacted]", "Bearer t0k$en"),
        ("Authorization", "Basic [redacted]", "Basic t0k$en"),
        ("X-Key", "[redacted]", "t0k$en"),
        ("Cookie", 'a="b"; session=[redacted]; c=$d', 'a="b"; session=t0k$en; c=$d'),
        ("X-Key", "[redacted]tail", "t0k$entail"),
    ],
)
def test_a_command_takes_the_credential_from_the_environment(recorder, name, value, arrives):
    got = run_command(recorder, Request("GET", f"{recorder.url}/pets?key=[redacted]", ((name, value),)))

    assert (name, arrives) in got.lines
    assert got.path == "/api/pets?key=t0k$en"


ADDED = {
    "Host": "127.0.0.1:2212",
    "User-Agent": "schemathesis/4.32.5",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
    "X-Schemathesis-TestCaseId": "aBcDeF",
    "Content-Length": "2",
    "Content-Type": "application/json",
}


@pytest.mark.parametrize(
    ("sent", "lines"),
    [
        # Not all interactive shells accept a comment after a command.
        ({"headers": (("Authorization", "[redacted]"),)},
         ['curl -i "$URL/pets" \\', '  -H "Authorization: Bearer $TOKEN"', "# TOKEN: expired token of admin"]),
        ({"method": "PUT", "headers": tuple(ADDED.items()), "body": b"{}"},
         ['curl -i -X PUT "$URL/pets" \\', "  -H 'Content-Type: application/json' \\", "  --data-binary '{}'"]),
        # A variable cannot replace it, as it may be inside a JSON string.
        (
            {"method": "PUT", "headers": (), "body": b'{"key": "[redacted]"}'},
            [
                'curl -i -X PUT "$URL/pets" \\',
                "  -H 'Content-Type:' \\",
                '  --data-binary \'{"key": "[redacted]"}\'',
                "# [redacted] in the body stands for a secret that is not in this report",
            ],
        ),
        # `$URL` followed by more characters would be another host.
        ({"url": f"{reported.URL}.example/pets", "headers": ()}, [f"curl -i {reported.URL}.example/pets"]),
    ],
    ids=["identity of the token", "headers of the client", "secret in the body", "same prefix"],
)  # fmt: skip
def test_a_command(sent, lines):
    command = curl(reported.exchange(sent=sent, credential="expired token of\nadmin"), reported.URL)

    assert command.split("\n") == lines


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"url": "http://localhost/a b"}, "address"),
        ({"url": "http://localhost/\u202e"}, "address"),
        ({"headers": (("X-A", "a\nrm -rf ~"),)}, "header 'X-A'"),
        ({"headers": (("X-A", "caf\xe9"),)}, "header 'X-A'"),
        ({"headers": (("@file\n", "a"),)}, "header"),
        ({"url": "http://[a b", "headers": (("Host", "a"),)}, "address"),
        ({"method": "GET; rm"}, "method"),
        ({"method": "HEAD", "body": b"a"}, "HEAD"),
        ({"headers": (("Host", "a"), ("host", "b"))}, "only once"),
        ({"body": b"a" * 2**20}, "too long"),
    ],
)
def test_a_comment_replaces_a_command_that_would_be_wrong(sent, reason):
    command = curl(reported.exchange(sent=sent), None)

    assert command.startswith("# No command: ")
    assert reason in command
    assert "\n" not in command


# JUnit


def test_a_failure_is_a_failing_case_with_all_details():
    """CI shows the location, the response, and the command to reproduce it."""
    report = redacted(reported.violated(), reported.redact)
    case = cases_of(report)["GET /pets: GET /pets accepted an expired token"]
    found = report.parts[1].failures[0]

    assert case.attrib["classname"] == "identity matrix.credential-accepted"
    assert (case.attrib["file"], case.attrib["line"]) == (found.where.file, str(found.where.line))
    details = case.find("failure").text
    assert "expected: 401 or 403" in details
    assert "requested as expired token of admin" in details
    assert "response: 200 application/json" in details
    assert '-H "Authorization: Bearer $TOKEN"' in details


def test_parts_without_errors_pass_and_cases_not_run_are_skipped():
    """A suite without a passing case looks like one that did nothing."""
    cases = cases_of(reported.violated())

    assert len(cases["waivers: 1"]) == 0
    assert cases["the waived response was observed"].find("failure") is None
    assert cases["database down"].find("skipped").attrib["message"] == "leave --url out"


@pytest.mark.parametrize(("least", "fails"), [(None, False), (37.5, False), (37.6, True)])
def test_a_response_not_seen_fails_only_below_the_minimum(least, fails):
    report = reported.violated()
    report.min_coverage = least
    cases = cases_of(report)

    assert len(cases["200 text/csv of GET /pets"]) == 0
    assert (cases["401 application/json of GET /pets"].find("failure") is not None) is fails
    waived = cases["409 application/json of POST /pets"].find("skipped")
    assert waived.attrib["message"] == "waived: needs two runs at once"


@pytest.mark.slow
@settings(max_examples=60)
@given(reports)
def test_any_run_is_valid_in_every_format(report):
    """External text cannot end the page early or add an executable element."""
    root, content = ET.fromstring(junit(report)), page(report)  # noqa: S314 -- our own

    VALIDATOR.validate(json.loads(json.dumps(document(report), ensure_ascii=False).encode()))
    content.encode()
    assert not any(text in content for text in ("<script", "<img", "\0", "\u202e"))
    assert content.count("<section") == content.count("</section>") == 4
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert int(element.attrib["tests"]) == len(cases)
        for count, tag in (("failures", "failure"), ("skipped", "skipped"), ("errors", "error")):
            assert int(element.attrib[count]) == sum(case.find(tag) is not None for case in cases)
    of_parts = [case for suite in list(root)[: len(report.parts)] for case in suite]
    errors = [one for one in report.failures if one.severity is Severity.ERROR]
    assert sum(case.find("failure") is not None for case in of_parts) == len(errors)


# JSON; more of the page is in test_html_report.py


def test_the_schema_describes_every_field():
    schema = json.loads(SCHEMA.read_bytes())
    jsonschema_rs.meta.validate(schema)

    objects = [schema]
    seen = 0
    while objects:
        one = objects.pop()
        seen += 1
        assert one["title"]
        assert one["description"]
        if "properties" in one:
            assert one["additionalProperties"] is False
            assert one["required"] == list(one["properties"])
        objects += one.get("properties", {}).values()
        objects += [one["items"]] if "$ref" not in one.get("items", {"$ref": ""}) else []
        objects += one.get("$defs", {}).values()
    assert seen > 50


def test_reports_findings_and_coverage():
    """The verdict, the location of each failure, and the parts that observed each response."""
    content = document(redacted(reported.violated(), reported.redact))

    assert (content["verdict"], content["coverage"]["percent"]) == ("violated", 37.5)
    failure = content["parts"][0]["failures"][0]
    assert (failure["rule"], failure["operation"], failure["count"]) == ("response-violation", "GET /pets", 7)
    assert failure["exchange"]["curl"].startswith('curl -i "$URL/pets"')
    states = {
        (one["operation_id"], one["status"], one["media_type"]): one for one in content["coverage"]["cells"]
    }
    assert states["list_pets", "200", "text/csv"]["seen"] == {"properties": 12, "examples": 1}
    assert states["add_pet", "409", "application/json"]["waiver"] == "needs two runs at once"
    assert states["dismiss_keeper", "204", None]["state"] == "not seen"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [((401,), "401"), ((400, 401, 422), "400 or 401 or 422"), (tuple(range(200, 500)), "200 to 499")],
)
def test_expected_statuses_are_shortened(statuses, expected):
    assert expected_statuses(statuses) == expected
