"""Check recorded traffic against a contract: `scripts/relay/contract_tests/recorded_traffic.py`."""

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.coverage import Coverage
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.har_files import read_traffic, write_har
from relay.contract_tests.recorded_traffic import judge_traffic
from support.compiled import read
from support.hosting import contract, operation

NUMBERS = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "integer"}}}}}
JSON = (("Content-Type", "application/json"),)


@pytest.fixture
def make_checker():
    """Make a checker for a contract with some servers; its base path is that of the first server."""

    def make_checker(*servers):
        urls = [{"url": url} for url in servers or ["/"]]
        whole = read(contract({"/pets": {"get": operation("list", responses=NUMBERS)}}, servers=urls))
        return ConformanceChecker(whole, whole.base_path)

    return make_checker


@pytest.fixture
def recorded(tmp_path):
    def write(*urls, body=b"1"):
        path = tmp_path / "traffic.har"
        write_har([Exchange(Request("GET", url), 200, JSON, body, "") for url in urls], path)
        return path

    return write


def checked(paths, checker, url=None):
    return judge_traffic({path: read_traffic(path) for path in paths}, checker, url)


def paths(part):
    return [exchange.request.url for exchange in part.exchanges]


def test_a_violation_is_reported_once(make_checker, recorded):
    part = checked([recorded("http://h/pets", "http://h/pets?a=1", body=b'"x"')], make_checker())

    (failure,) = part.failures
    assert (failure.rule, failure.operation, failure.count) == ("response-violation", "GET /pets", 2)
    assert failure.exchange.part == "traffic.har"
    assert (part.name, part.unit, part.cases, part.notes) == ("recorded traffic", "exchanges", 2, [])


def test_other_hosts_are_skipped_and_counted(make_checker, recorded):
    """A browser records all requests of a page, and other hosts may have the same path."""
    file = recorded("https://api.example.com/pets", "https://cdn.example.com/pets", "https://ads.test.io/x")

    part = checked([file], make_checker("https://api.example.com"))

    assert paths(part) == ["https://api.example.com/pets"]
    assert len(part.notes) == 1
    assert part.notes[0].endswith(
        "traffic.har: 2 entries are not about this contract (cdn.example.com, ads.test.io)"
    )


API, ELSEWHERE = "https://api.example.com", "https://api.elsewhere.com/pets"


@pytest.mark.parametrize(
    ("servers", "url", "accepted", "other"),
    [
        *(
            ([API], None, f"http://{host}/pets", ELSEWHERE)
            for host in ("127.0.0.1:4711", "localhost:80", "[::1]:8000", "test", "api.localhost")
        ),
        (["https://your-instance.example.com"], None, "https://real.org/pets", "https://real.org/other"),
        (["https://{region}.example.com"], None, "https://eu.example.com/pets", ELSEWHERE),
        ([], "https://staging.org/v2", "https://staging.org/v2/pets", ELSEWHERE),
    ],
    ids=[*"12345", "no known host", "variable", "tested service"],
)
def test_hosts_decide_what_is_about_the_contract(make_checker, recorded, servers, url, accepted, other):
    part = checked([recorded(accepted, other)], make_checker(*servers), url)

    assert paths(part) == [accepted.replace("/v2", "")]


def test_another_base_path_is_replaced(make_checker, recorded):
    checker = make_checker("https://api.example.com/v1", "https://gateway.example.com/shop/v1")
    file = recorded("https://api.example.com/v1/pets", "https://gateway.example.com/shop/v1/pets?a=1")
    coverage = Coverage(checker.contract)

    part = checked([file], checker)
    coverage.add(part.exchanges, checker)

    assert paths(part) == ["https://api.example.com/v1/pets", "https://gateway.example.com/v1/pets?a=1"]
    assert coverage.cells[0].seen == {"traffic.har": 2}


def test_a_body_that_was_not_recorded_is_not_a_violation(make_checker, recorded):
    part = checked([recorded("http://h/pets", body=None)], make_checker())

    assert part.held
    assert part.notes[0].endswith(
        "traffic.har: 1 entry is recorded without the response's body, which was not checked"
    )


def test_redacted_parts_of_a_request_are_not_checked(tmp_path):
    where = ("query", "cookie")
    limited = [{"name": "n", "in": one, "required": True, "schema": {"type": "integer"}} for one in where]
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    add = operation("add", responses=NUMBERS, parameters=limited, requestBody=body)
    whole = read(contract({"/pets": {"post": add}}))
    request = Request("POST", "http://h/pets?n=x", (*JSON, ("Cookie", "n=[redacted]")), None)
    write_har([Exchange(request, 200, JSON, b"1", "")], tmp_path / "a.har")

    part = checked([tmp_path / "a.har"], ConformanceChecker(whole, ""))

    (failure,) = part.failures
    assert "whose query violates the contract at /n" in failure.message


def test_a_file_without_relevant_exchanges_is_reported(make_checker, recorded):
    part = checked([recorded("http://me:password@h/other")], make_checker())

    ((case, _),) = part.not_run
    assert case.endswith("traffic.har")
    assert part.notes[0].endswith("1 entry is not about this contract (h)")
