"""Every command that reads a contract ends in time and memory, whatever the file: `tox -e hostile`, or all files: `-e corpus`."""

import json
from itertools import cycle

import pytest

from support import bounded
from support.hostile_files import CASES, IMPORTS, document

MAX_BYTES = 1 << 20
SAMPLED = 29
"""Every run takes one of so many cases; it has no divisor in common with the number of commands."""

GOOD = {"/ok": {"get": {"operationId": "ok", "tags": ["T"], "responses": {"200": {"description": "ok"}}}}}
COMMANDS = {
    "lint": ["lint", "openapi.yaml"],
    "check": ["check", "--spec", "openapi.yaml"],
    "regenerate": ["regenerate", "--spec", "openapi.yaml", "--diff"],
    "breaking": ["breaking", "openapi.yaml", "copy/openapi.yaml"],
    "import": ["import", "--spec", "target.yaml", "--diff", "openapi.yaml"],
    "upgrade": ["upgrade", "openapi.yaml"],
}
ALWAYS = {
    "lint": "doubling_allOf chain_refs chain_items aliases_laughs deep_schemas_3000 reference_nul",
    "check": "nested_query_20 mutual_query_properties number_maximum_2_64 reference_zero",
    "regenerate": "doubling_oneOf deep_schemas_40",
    "breaking": "doubling_anyOf",
    "import": "aliases_flat_example many_tags",
    "upgrade": "aliases_laughs chain_refs deep_schemas_3000 doubling_allOf reference_nul",
}
"""Cases of each command that run with the unit tests: one of a kind."""


def _outcome(folder, command, name):
    files = CASES[name]()
    assert sum(map(len, files.values())) <= MAX_BYTES
    for place in (folder, folder / "copy"):
        bounded.write(place, files)
    bounded.write(folder, {"handlers/__init__.py": b"", "good.yaml": json.dumps(document(GOOD)).encode()})
    return bounded.run(folder, *COMMANDS[command])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "name"), [(command, name) for command, names in ALWAYS.items() for name in names.split()]
)
def test_ends_with_a_result_or_a_reason(tmp_path, command, name):
    """A file of a kilobyte took gigabytes, minutes, or ended in a traceback."""
    outcome = _outcome(tmp_path, command, name)

    assert outcome.faults() == [], outcome.output[-2000:]


def _sampled(cases):
    """Mark one of a few as `hostile`, which every run tests; the rest takes ten minutes."""
    marks = [pytest.mark.hostile, *[pytest.mark.corpus] * (SAMPLED - 1)]
    return [pytest.param(*case, marks=mark) for case, mark in zip(cases, cycle(marks), strict=False)]


@pytest.mark.parametrize(
    ("command", "name"),
    _sampled(
        (command, name)
        for name in CASES
        for command in COMMANDS
        if command in ("lint", "check") or not name.startswith("number_")
    ),
)
def test_ends_on_every_hostile_contract(tmp_path, command, name):
    """At most 20 seconds of computing and 1 GB, and no signal."""
    outcome = _outcome(tmp_path, command, name)

    assert outcome.faults() == [], outcome.output[-2000:]


@pytest.mark.parametrize("name", _sampled([name] for name in IMPORTS))
def test_ends_on_every_hostile_page(tmp_path, name):
    source, make = IMPORTS[name]
    files = make()
    assert sum(map(len, files.values())) <= MAX_BYTES
    bounded.write(tmp_path, files)

    outcome = bounded.run(tmp_path, "import", "--spec", "target.yaml", "--diff", source)

    assert outcome.faults() == [], outcome.output[-2000:]
