"""A run as JUnit XML for GitHub, GitLab and Jenkins: a suite for each part, and one for coverage."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from relay.contract.diagnostics import Severity, SourceLocation, place_parts
from relay.contract_tests.coverage import Report, State
from relay.contract_tests.results import Failure, Phase

from .curl import curl
from .printable import answer_line, body_text, escape_unprintable, expected_statuses, shown_by, signed_in_as

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit(report: Report) -> bytes:
    """Return a redacted report as XML.

    A finding that is not an error passes, with the finding in its output. Cases that were not run, and
    responses that are waived or were not seen, are skipped. A response that was not seen fails only if
    the coverage is below its minimum.
    """
    root = _element("testsuites", name=f"relay contract: {report.title}")
    for part in report.parts:
        root.append(_suite(part.name, _part(part, report.subject), part.seconds, report))
    if report.coverage.cells:
        root.append(_suite("answers of the contract", _cells(report), 0.0, report))
    for count in ("tests", *_COUNTED):
        root.set(count, str(sum(int(suite.attrib[count]) for suite in root)))
    root.set("time", f"{report.seconds:.3f}")
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def _suite(name: str, cases: Iterator[ET.Element], seconds: float, report: Report) -> ET.Element:
    suite = _element("testsuite", name=name)
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    for count, tag in _COUNTED.items():
        suite.set(count, str(sum(case.find(tag) is not None for case in suite)))
    suite.set("time", f"{seconds:.3f}")
    suite.set("timestamp", report.started.isoformat(timespec="seconds"))
    return suite


def _part(part: Phase, base: str | None) -> Iterator[ET.Element]:
    if part.held:
        case = _element("testcase", classname=part.name, name=f"{part.unit}: {part.cases:,}")
        if part.notes:
            _append(case, "system-out", "\n".join(part.notes))
        yield case
    for failure in part.failures:
        yield _failure(part, failure, base)
    for one in part.not_run:
        case = _element("testcase", classname=f"{part.name}.not-run", name=one.case)
        _append(case, "skipped", message=one.reason)
        yield case


def _failure(part: Phase, failure: Failure, base: str | None) -> ET.Element:
    about = f"{failure.operation}: " if failure.operation else ""
    case = _element("testcase", classname=f"{part.name}.{failure.rule}", name=f"{about}{failure.message}")
    _locate(case, failure.where)
    if failure.exchange:
        case.set("time", f"{failure.exchange.seconds:.3f}")
    details = "\n".join(_details(failure, base))
    if failure.severity is Severity.ERROR:
        _append(case, "failure", details, type=failure.rule, message=failure.message)
    else:
        _append(case, "system-out", details)
    return case


def _details(failure: Failure, base: str | None) -> Iterator[str]:
    """Yield the lines that describe a failure; the last is the command that reproduces it."""
    yield failure.line
    if failure.expected:
        yield f"expected: {expected_statuses(failure.expected)}"
    if failure.exchange is None:
        return
    exchange = failure.exchange
    yield f"shown by {shown_by(failure.count)}; requested {signed_in_as(exchange)}"
    yield from ("", f"response: {answer_line(exchange)}")
    if exchange.body:
        yield body_text(exchange)
    yield from ("", curl(exchange, base))


def _cells(report: Report) -> Iterator[ET.Element]:
    percent = report.coverage.percent
    is_missed = report.min_coverage is not None and percent < report.min_coverage
    for cell in report.coverage.cells:
        case = _element("testcase", classname=f"coverage.{cell.operation.id}", name=str(cell))
        _locate(case, cell.place)
        match cell.state:
            case State.WAIVED if cell.waiver:
                _append(case, "skipped", message=f"waived: {cell.waiver.reason}")
            case State.NOT_SEEN if is_missed:
                text = f"{cell.place}: {cell} was not seen; {percent} % of the responses were seen"
                _append(case, "failure", text, type="low-coverage", message="not seen")
            case State.NOT_SEEN:
                _append(case, "skipped", message="not seen")
        yield case


def _locate(case: ET.Element, place: SourceLocation | str) -> None:
    file, line, _ = place_parts(place)
    if line:
        case.set("file", escape_unprintable(file))
        case.set("line", str(line))


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {name: escape_unprintable(value) for name, value in attributes.items()})


def _append(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> None:
    element = _element(tag, **attributes)
    # Line by line, so that a long line is cut and the lines after it are kept.
    element.text = text and "\n".join(map(escape_unprintable, text.split("\n")))
    parent.append(element)
