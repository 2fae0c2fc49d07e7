"""Coverage of the documented responses: `scripts/relay/contract_tests/coverage.py`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError, SourceLocation
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Waiver
from relay.contract_tests.coverage import Coverage, State, check_names
from relay.contract_tests.exchanges import Exchange, Request
from support.compiled import read
from support.hosting import contract, operation


def response_of(*names):
    content = {name: {"schema": {}} for name in names}
    return {"description": "x", **({"content": content} if names else {})}


JSON = response_of("application/json")
LISTED = {"200": response_of("application/json; charset=utf-8", "text/*"), "4XX": JSON, "default": JSON}
ADDED = {"204": response_of(), "400": response_of()}
PETS = {"get": operation("list", responses=LISTED), "post": operation("add", responses=ADDED)}
CONTRACT = read(contract({"/pets": PETS}))
CHECKER = ConformanceChecker(CONTRACT, "")
CELLS = [
    "200 application/json of GET /pets",
    "200 text/* of GET /pets",
    "4XX application/json of GET /pets",
    "default application/json of GET /pets",
    "204 without a body of POST /pets",
    "400 without a body of POST /pets",
]


def exchange(method, status, name=None, part="probes", path="/pets"):
    headers = (("Content-Type", name),) if name else ()
    return Exchange(Request(method, f"http://host{path}"), status, headers, b"", part)


def waiver(status="400", operation=None, media_type=None):
    return Waiver(operation, status, media_type, "it never happens", SourceLocation("w.yaml", 1, 1))


def test_every_documented_response_is_a_cell():
    """Cells are operations by statuses by media types, in the contract's order."""
    coverage = Coverage(CONTRACT)

    assert [str(cell) for cell in coverage.cells] == CELLS
    assert {cell.state for cell in coverage.cells} == {State.NOT_SEEN}


@pytest.mark.parametrize(
    ("arguments", "cell"),
    [
        (("GET", 200, "application/json"), 0),
        (("GET", 200, "Application/JSON; charset=latin-1"), 0),
        (("GET", 200, "text/markdown"), 1),
        (("GET", 418, "application/json"), 2),
        (("GET", 503, "application/json"), 3),
        (("POST", 204), 4),
        (("POST", 400, "text/plain"), 5),
        (("GET", 200, "image/png"), None),
        (("GET", 200), None),
        (("POST", 500), None),
        (("PUT", 200), None),
        (("GET", 200, "text/a", "x", "/no"), None),
    ],
)
def test_an_exchange_shows_one_cell_and_an_undocumented_one_none(arguments, cell):
    """An exact status is preferred to its range, a range to `default`, an exact media type to its range."""
    coverage = Coverage(CONTRACT)

    coverage.add([exchange(*arguments)], CHECKER)

    seen = [str(one) for one in coverage.cells if one.state is State.SEEN]
    assert seen == ([] if cell is None else [CELLS[cell]])


def test_counts_by_the_part_that_observed_it():
    coverage = Coverage(CONTRACT)

    coverage.add([exchange("POST", 204, part=part) for part in ("probes", "probes", "a.har")], CHECKER)

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
def test_waived_responses_are_not_required(waivers, shown, percent):
    """An observed one counts despite a waiver; the percentage is not rounded up to 100."""
    coverage = Coverage(CONTRACT, waivers)

    coverage.add([exchange(*arguments) for arguments in shown], CHECKER)

    assert coverage.percent == percent


@given(st.lists(st.tuples(st.sampled_from(["GET", "POST"]), st.integers(100, 599)), max_size=20))
def test_100_percent_means_every_cell(arguments):
    coverage = Coverage(CONTRACT)

    coverage.add([exchange(method, status, "application/json") for method, status in arguments], CHECKER)

    assert 0 <= coverage.percent <= 100
    assert (coverage.percent == 100) == all(cell.seen for cell in coverage.cells)


@pytest.mark.parametrize(
    ("method", "responses", "error", "success"),
    [
        ("get", LISTED, (404, "application/json"), (200, "text/plain")),
        ("get", {"401": response_of(), "default": JSON}, (503, "application/json"), (200, "application/json")),
        ("put", {"204": JSON, "default": JSON}, (400, "application/json"), (204,)),  # it never has a body
    ],
)  # fmt: skip
def test_an_operation_that_only_returned_errors_never_succeeded(method, responses, error, success):
    """Also under `default`; one whose success is waived is not returned."""
    paths = {
        "/pets": {method: operation("one", responses=responses), "post": operation("add", responses=ADDED)}
    }
    whole = read(contract(paths))
    coverage, checker = Coverage(whole, [waiver("204", "add")]), ConformanceChecker(whole, "")
    coverage.add([exchange(method.upper(), *error)], checker)
    assert [operation.id for operation in coverage.never_succeeded()] == ["one"]

    coverage.add([exchange(method.upper(), *success)], checker)
    assert coverage.never_succeeded() == []


class TestWaivers:
    """Which cells they cover, and when they are unused."""

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
    def test_cover_the_cells_that_they_name(self, given, covered):
        """They name a key of the contract, not a status that matches a range."""
        coverage = Coverage(CONTRACT, [given])

        assert [str(cell) for cell in coverage.cells if cell.state is State.WAIVED] == covered

    def test_are_reported_if_they_are_unused(self):
        """A waiver is unused if all its responses were observed, or if it matches none."""
        nowhere, half, needless = waiver("404"), waiver("200"), waiver("204")
        coverage = Coverage(CONTRACT, [nowhere, half, needless])
        coverage.add([exchange("GET", 200, "text/plain"), exchange("POST", 204)], CHECKER)

        assert [finding.line for finding in coverage.unused_waivers()] == [
            f"w.yaml:1:1: warning: the waived response {reason}; remove the waiver [unused-waiver]"
            for reason in ("is not in the contract", "was observed")
        ]

    def test_must_name_existing_operations(self):
        check_names(CONTRACT, [waiver(operation="add"), waiver()])

        with pytest.raises(SetupError) as trouble:
            check_names(CONTRACT, [waiver(operation="ad"), waiver(operation="lst")])

        assert str(trouble.value).splitlines() == [
            "w.yaml:1:1: the contract has no operation 'ad'",
            "w.yaml:1:1: the contract has no operation 'lst'",
        ]
