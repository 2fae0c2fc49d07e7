"""Which of a contract's answers were seen: `scripts/relay/contract_tests/coverage.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError, SourceLocation
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Waiver
from relay.contract_tests.coverage import Coverage, State, check_names
from relay.contract_tests.exchanges import Exchange, Request
from support.compiled import read
from support.hosting import contract


def answer(*names):
    """A documented answer of these media types."""
    content = {name: {"schema": {}} for name in names}
    return {"description": "x", **({"content": content} if names else {})}


CONTRACT = read(
    contract(
        {
            "/pets": {
                "get": {
                    "operationId": "list",
                    "responses": {
                        "200": answer("application/json; charset=utf-8", "text/*"),
                        "4XX": answer("application/json"),
                        "default": answer("application/json"),
                    },
                },
                "post": {"operationId": "add", "responses": {"204": answer(), "400": answer()}},
            }
        }
    )
)
JUDGE = ConformanceChecker(CONTRACT, "")
CELLS = [
    "200 application/json of GET /pets",
    "200 text/* of GET /pets",
    "4XX application/json of GET /pets",
    "default application/json of GET /pets",
    "204 without a body of POST /pets",
    "400 without a body of POST /pets",
]


def exchange(method, status, name=None, part="probes", path="/pets"):
    """An exchange whose answer is of a media type."""
    headers = (("Content-Type", name),) if name else ()
    return Exchange(Request(method, f"http://host{path}"), status, headers, b"", part)


def waiver(status="400", operation=None, media_type=None):
    """A waiver that stands somewhere."""
    return Waiver(operation, status, media_type, "it never happens", SourceLocation("w.yaml", 1, 1))


def seen(*exchanges):
    """The cells that some exchanges show."""
    coverage = Coverage(CONTRACT)
    coverage.add(exchanges, JUDGE)
    return [str(cell) for cell in coverage.cells if cell.state is State.SEEN]


def test_every_documented_answer_is_a_cell():
    """Operations by statuses by media types, in the contract's order."""
    coverage = Coverage(CONTRACT)

    assert [str(cell) for cell in coverage.cells] == CELLS
    assert {cell.state for cell in coverage.cells} == {State.NOT_SEEN}


@pytest.mark.parametrize(
    ("told", "cell"),
    [
        (("GET", 200, "application/json"), 0),
        (("GET", 200, "Application/JSON; charset=latin-1"), 0),
        (("GET", 200, "text/markdown"), 1),
        (("GET", 418, "application/json"), 2),
        (("GET", 503, "application/json"), 3),
        (("POST", 204), 4),
        (("POST", 400, "text/plain"), 5),
    ],
)
def test_an_exchange_shows_one_cell(told, cell):
    """The status itself before its range, that before `default`; a name before its range."""
    assert seen(exchange(*told)) == [CELLS[cell]]


@pytest.mark.parametrize(
    "told",
    [
        ("GET", 200, "image/png"),
        ("GET", 200),
        ("POST", 500),
        ("PUT", 200),
        ("GET", 200, "text/a", "x", "/no"),
    ],
)
def test_what_the_contract_does_not_document_shows_nothing(told):
    """It is a failure, which the judge tells."""
    assert seen(exchange(*told)) == []


def test_counts_by_the_part_that_saw_it():
    """Who reads the report asks where it comes from."""
    coverage = Coverage(CONTRACT)

    coverage.add([exchange("POST", 204), exchange("POST", 204), exchange("POST", 204, part="a.har")], JUDGE)

    assert coverage.cells[4].seen == {"probes": 2, "a.har": 1}


@pytest.mark.parametrize(
    ("waivers", "shown", "percent"),
    [
        ([], [], 0.0),
        ([], [("POST", 204)], 16.6),
        ([waiver()], [("POST", 204)], 20.0),
        ([waiver()], [("POST", 204), ("POST", 400)], 33.3),
        ([waiver(cell) for cell in ("200", "204", "400", "4xx", "DEFAULT")], [], 100.0),
    ],
)
def test_what_is_waived_is_not_asked_for(waivers, shown, percent):
    """Seen all the same, it counts; and nothing is rounded up to all."""
    coverage = Coverage(CONTRACT, waivers)

    coverage.add([exchange(*told) for told in shown], JUDGE)

    assert coverage.percent == percent


@given(st.lists(st.tuples(st.sampled_from(["GET", "POST"]), st.integers(100, 599)), max_size=20))
def test_all_is_only_said_of_all(told):
    """A hundred of a hundred means that every cell was seen."""
    coverage = Coverage(CONTRACT)

    coverage.add([exchange(method, status, "application/json") for method, status in told], JUDGE)

    assert 0 <= coverage.percent <= 100
    assert (coverage.percent == 100) == all(cell.seen for cell in coverage.cells)


def test_tells_which_operations_never_succeeded():
    """A failure is no success; one that nobody has to see is none that is missing."""
    coverage = Coverage(CONTRACT, [waiver("204")])
    coverage.add([exchange("GET", 404, "application/json")], JUDGE)
    assert [operation.id for operation in coverage.never_succeeded()] == ["list"]

    coverage.add([exchange("GET", 200, "text/plain")], JUDGE)
    assert coverage.never_succeeded() == []


def test_a_failure_is_no_success_where_all_are_called_default():
    """A service that refuses everything in the right shape has shown nothing."""
    responses = {"401": answer(), "default": answer("application/json")}
    read_only = read(contract({"/pets": {"get": {"operationId": "list", "responses": responses}}}))
    coverage, judge = Coverage(read_only), ConformanceChecker(read_only, "")
    coverage.add([exchange("GET", 503, "application/json")], judge)
    assert [operation.id for operation in coverage.never_succeeded()] == ["list"]

    coverage.add([exchange("GET", 200, "application/json")], judge)
    assert coverage.never_succeeded() == []


class TestWaivers:
    """What they cover, and when they are of no use."""

    @pytest.mark.parametrize(
        ("given", "covered"),
        [
            (waiver("200"), CELLS[:2]),
            (waiver("200", media_type="application/json; charset=utf-8"), CELLS[:1]),
            (waiver("200", media_type="text/*"), CELLS[1:2]),
            (waiver("200", operation="add"), []),
            (waiver("404"), []),
        ],
    )
    def test_cover_what_they_name(self, given, covered):
        """A key of the contract's, not a status that would fall under it."""
        coverage = Coverage(CONTRACT, [given])

        assert [str(cell) for cell in coverage.cells if cell.state is State.WAIVED] == covered

    def test_are_told_when_they_are_not_needed(self):
        """What was seen, and what is nowhere; not what was seen in part."""
        nowhere, half, needless = waiver("404"), waiver("200"), waiver("204")
        coverage = Coverage(CONTRACT, [nowhere, half, needless])
        coverage.add([exchange("GET", 200, "text/plain"), exchange("POST", 204)], JUDGE)

        assert [finding.line for finding in coverage.unused_waivers()] == [
            f"w.yaml:1:1: warning: what it waives {told}; take the waiver out [unused-waiver]"
            for told in ("stands nowhere in the contract", "was seen")
        ]

    def test_name_operations_that_there_are(self):
        """All that do not are told at once."""
        check_names(CONTRACT, [waiver(operation="add"), waiver()])

        with pytest.raises(SetupError) as trouble:
            check_names(CONTRACT, [waiver(operation="ad"), waiver(operation="lst")])

        assert str(trouble.value).splitlines() == [
            "w.yaml:1:1: the contract has no operation 'ad'",
            "w.yaml:1:1: the contract has no operation 'lst'",
        ]
