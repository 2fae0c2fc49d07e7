"""Reports of contract test runs for tests: one without errors, one with failures, one with a large contract."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.contract.model import Contract
from relay.contract_tests.contract_config import Waiver
from relay.contract_tests.coverage import Coverage, Report
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.results import Failure, NotRun, Phase

from .compiled import read
from .hosting import contract, operation

URL = "http://127.0.0.1:2212/api"
STARTED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECRET = "sk_canary_of_admin"


def json_answer(*more: str) -> dict[str, Any]:
    """A response in JSON, and in more media types."""
    return {"description": "an answer", "content": {name: {} for name in ("application/json", *more)}}


def shop() -> Contract:
    """A contract with three operations in two tags; one response has two media types, one has no body."""
    refused = {status: json_answer() for status in ("400", "401")}
    pets = {
        "get": operation("list_pets", responses={"200": json_answer("text/csv"), **refused}),
        "post": operation("add_pet", responses={"201": json_answer(), "409": json_answer(), **refused}),
    }
    keeper = operation("dismiss_keeper", tags=["Keepers"], responses={"204": {"description": "done"}})
    parameter = {"name": "keeper", "in": "path", "required": True, "schema": {"type": "string"}}
    keepers = {"delete": {**keeper, "parameters": [parameter]}}
    return read(contract({"/pets": pets, "/shops/north/keepers/{keeper}": keepers}))


def exchange(
    path: str = "/pets", body: bytes = b'{"pets":[{"id":"1","name":"Rex"}]}', **rest: Any
) -> Exchange:
    """An exchange with the shop as admin, with a secret in the request."""
    headers = (("Authorization", f"Bearer {SECRET}"), ("X-Trace", "it's 5 o'clock"))
    request = Request(**{"method": "GET", "url": f"{URL}{path}", "headers": headers, **rest.pop("sent", {})})
    given = {"status": 200, "headers": (("content-type", "application/json"),), "part": "properties", **rest}
    return Exchange(request, body=body, **{"credential": "admin", **given})


def redact(one: Exchange) -> Exchange:
    """Remove the shop's secret from the request."""
    request = one.request
    headers = tuple((name, value.replace(SECRET, "[redacted]")) for name, value in request.headers)
    sent = Request(request.method, request.url.replace(SECRET, "[redacted]"), headers, request.body)
    return Exchange(sent, one.status, one.headers, one.body, one.part, one.credential, one.seconds)


def run(parts: list[Phase], coverage: Coverage, **rest: Any) -> Report:
    """A report with some parts."""
    reproduce = (f"URL={URL}", 'TOKEN="$(relay token --role admin)"')
    given = {"seed": 42, "min_coverage": None, "reproduce": reproduce, "seconds": 73.4, **rest}
    return Report(
        "Pet shop", "spec/openapi.yaml", URL, started=STARTED, parts=parts, coverage=coverage, **given
    )


def held() -> Report:
    """A run with full coverage and no findings."""
    coverage = Coverage(shop())
    for cell in coverage.cells:
        cell.seen["properties"] = 3
    part = Phase("properties", cases=120, exchanges=[exchange()] * 120, seconds=12.3, notes=["seed 42"])
    return run([part, Phase("lint", "rules", 30, seconds=0.2)], coverage)


def violated() -> Report:
    """A run with failures of several kinds, cases that were not run, and incomplete coverage."""
    document = shop()
    waiver = Waiver("add_pet", "409", None, "needs two runs at once", SourceLocation("contract.yaml", 3, 5))
    coverage = Coverage(document, [waiver])
    for cell in coverage.cells[:3]:
        cell.seen = Counter({"properties": 12, "examples": 1})
    place = document.place(("paths", "/pets"))

    def failure(about: str, rule: str, message: str, shown: Exchange, **rest: Any) -> Failure:
        return Failure(place, message, rule, operation=about, exchange=shown, **rest)

    wrong = "200 of GET /pets violates its schema at /pets/0/id"
    expired = exchange("/pets?limit=2&sort=name", credential="expired token of admin")
    traceback = b'Traceback (most recent call last):\n  File "shop.py"\n'
    posted = {"method": "POST", "body": b'{"name": "Rex\'s son"}'}
    crash = exchange(body=traceback, sent=posted, status=500, headers=(("content-type", "text/plain"),))
    failures = [
        failure("GET /pets", "response-violation", wrong, exchange(), count=7),
        failure("POST /pets", "leaked-traceback", "500 of POST /pets contains a traceback", crash),
    ]
    let_in = failure(
        "GET /pets",
        "credential-accepted",
        "GET /pets accepted an expired token",
        expired,
        expected=(401, 403),
    )
    notes = ["412 requests to 3 operations, seed 42"]
    exchanges = [exchange()] * 412
    properties = Phase(
        "properties", cases=412, seconds=61, exchanges=exchanges, failures=failures, notes=notes
    )
    keyless = [
        NotRun(f"{who} on GET /pets", f"set {who.upper()}_TOKEN to its token") for who in ("rep", "owner")
    ]
    matrix = Phase("identity matrix", cases=9, seconds=1.25, failures=[let_in], not_run=keyless)
    unused = Diagnostic(waiver.place, "the waived response was observed", "unused-waiver", Severity.WARNING)
    waivers = Phase("waivers", "waivers", 1, failures=[Failure.of(unused)])
    faults = Phase("faults", "faults", 0, not_run=[NotRun("database down", "leave --url out")])
    return run([properties, matrix, waivers, faults], coverage)


def wide(operations: int) -> Report:
    """A run with many operations in ten tags, each with six statuses."""
    answers = {status: json_answer() for status in ("200", "400", "401", "403", "404", "default")}
    paths = {
        f"/resources/{number}/parts/that/have/a/long/name": {
            "get": operation(f"show_{number}", tags=[f"Tag {number % 10}"], responses=answers)
        }
        for number in range(operations)
    }
    coverage = Coverage(read(contract(paths)))
    for cell in coverage.cells[::2]:
        cell.seen["properties"] = 5
    return run([Phase("properties", cases=operations)], coverage)
