"""Output and exit codes of checks: `scripts/relay/cli/report.py` and `output.py`."""

import json
from xml.etree import ElementTree as ET

import pytest

from relay.cli.output import setup_errors, tools_installed
from relay.cli.report import report_findings
from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation

HERE, THERE = SourceLocation("a.yaml", 10, 3), SourceLocation("b.py", 2, 1)
BROKEN = Diagnostic(HERE, "it leads\nnowhere: 100%", "dangling-ref", Severity.ERROR, THERE)
WEAK = Diagnostic(SourceLocation("a.yaml", 9, 1), "it accepts anything", "weak-response", Severity.WARNING)
NOTE = Diagnostic("pyproject.toml", "as there is none", "not-checked", Severity.INFO)


def printed(capsys, findings, form):
    code = 0
    try:
        report_findings("lint", findings, form)
    except SystemExit as exc:
        code = exc.code
    return capsys.readouterr().out, code


def test_text_is_one_line_a_finding_in_the_order_of_places(capsys):
    """Lines are sorted as numbers, not as words; the same finding is printed once."""
    out, code = printed(capsys, [NOTE, BROKEN, WEAK, WEAK], "text")

    assert out.splitlines() == [
        "a.yaml:9:1: warning: it accepts anything [weak-response]",
        "a.yaml:10:3: error: it leads\\nnowhere: 100% [dangling-ref] (see b.py:2:1)",
        "pyproject.toml: info: as there is none [not-checked]",
        "relay lint: 1 error, 1 warning, 1 note",
    ]
    assert code == 1


@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
def test_only_an_error_makes_a_check_fail(capsys, form):
    assert printed(capsys, [WEAK, NOTE], form)[1] == 0
    assert printed(capsys, [], form)[1] == 0
    assert printed(capsys, [BROKEN], form)[1] == 1


def test_json_has_counts_and_places_on_both_sides(capsys):
    out, _ = printed(capsys, [BROKEN, NOTE], "json")

    report = json.loads(out)
    assert report["command"] == "lint"
    assert report["counts"] == {"error": 1, "warning": 0, "info": 1}
    assert report["findings"][0] == {
        "rule": "dangling-ref",
        "severity": "error",
        "file": "a.yaml",
        "line": 10,
        "column": 3,
        "message": "it leads\nnowhere: 100%",
        "other": {"file": "b.py", "line": 2, "column": 1},
    }
    assert report["findings"][1]["line"] == 0


def test_junit_has_a_case_for_each_finding_and_counts_its_failures(capsys):
    """A warning is a case that passes; with nothing found there is one, so the suite is seen to have run."""
    suite = ET.fromstring(printed(capsys, [BROKEN, WEAK], "junit")[0])[0]  # noqa: S314 -- our own output
    empty = ET.fromstring(printed(capsys, [], "junit")[0])[0]  # noqa: S314 -- as above

    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.find("failure") is not None for case in suite] == [False, True]
    assert suite[1].find("failure").get("type") == "dangling-ref"
    assert (empty.get("tests"), empty.get("failures")) == ("1", "0")


def test_github_annotations_escape_what_would_end_them(capsys):
    """Workflow commands end with the line, their properties with a comma."""
    odd = Diagnostic(SourceLocation("a,b:c.yaml", 1, 2), "x", "odd", Severity.INFO)

    out, _ = printed(capsys, [odd, BROKEN], "github")

    assert out.splitlines()[:2] == [
        "::error file=a.yaml,line=10,col=3,title=dangling-ref::it leads%0Anowhere: 100%25 (see b.py:2:1)",
        "::notice file=a%2Cb%3Ac.yaml,line=1,col=2,title=odd::x",
    ]


def test_says_what_to_install_when_a_tool_is_missing(capsys):
    """A service in production does without the tools, and a newcomer has not heard of the extra."""
    with pytest.raises(SystemExit) as raised, setup_errors(), tools_installed():
        import nothing_like_this  # noqa: F401 -- it is missing on purpose

    assert raised.value.code == 2
    assert capsys.readouterr().err == (
        "error: relay: this command needs the extra `tools` (nothing_like_this is missing): install tether-relay[tools]\n"
    )
