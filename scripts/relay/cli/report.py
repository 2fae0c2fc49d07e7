"""How findings are printed: four formats, one exit code."""

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from xml.etree import ElementTree as ET

import click

from relay.contract.diagnostics import Diagnostic, Rule, Severity, place_parts
from relay.contract.printable import escape_unprintable, json_text, terminal_line, workflow_text, xml_text

from .output import echo, emit, is_quiet

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}

EXIT_FINDINGS = 1  # exit code of a command that ran and found an error


def rules_option(module: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option --rules, which lists the RULES of a module and exits."""

    def list_rules(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001 -- click's call
        if asked:
            rules: Mapping[str, Rule] = importlib.import_module(module).RULES
            echo(*(f"{rule.severity:7} {rule.id}: {rule.why}" for rule in rules.values()))
            context.exit()

    return click.option(
        "--rules",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=list_rules,
        help="List the rules with their reasons, and exit.",
    )


def report_findings(
    command: str,
    findings: Iterable[Diagnostic],
    form: str,
    clean: str = "nothing found",
    *,
    stderr: bool = False,
    by_rule: bool = False,
) -> None:
    """Print what `relay COMMAND` found, ordered by place, notes last; exit with 1 if there is an error.

    `clean` is the summary when nothing was found. `stderr` is for commands whose output is something else.
    With `by_rule`, text has only the first finding of each rule and the number of others.
    """
    ordered = sorted(dict.fromkeys(findings), key=_order)
    if form == "text" and is_quiet():
        ordered = [finding for finding in ordered if finding.severity is Severity.ERROR]
    if ordered or form != "text" or not is_quiet():
        write = _text_by_rule if by_rule and form == "text" else _FORMATS[form]
        emit(write(command, ordered, clean), err=stderr)
    if any(finding.severity is Severity.ERROR for finding in ordered):
        raise SystemExit(EXIT_FINDINGS)


def _order(finding: Diagnostic) -> tuple[bool, str, int, int, str, str]:
    return finding.severity is Severity.INFO, *place_parts(finding.where), finding.rule, finding.message


def summary(findings: Sequence[Diagnostic]) -> str:
    """Count findings: `2 errors, 1 warning`; empty for none."""
    counts = Counter(finding.severity for finding in findings)
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    found = {word: counts[kind] for kind, word in words.items() if counts[kind]}
    return ", ".join(f"{count} {word}{'s' * (count != 1)}" for word, count in found.items())


def _text(command: str, findings: Sequence[Diagnostic], clean: str) -> str:
    return "\n".join([*map(coloured, findings), f"relay {command}: {summary(findings) or clean}"])


def _text_by_rule(command: str, findings: Sequence[Diagnostic], clean: str) -> str:
    """Write a line for each rule, errors first, then what is most frequent."""
    by_rule: dict[str, list[Diagnostic]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    order = [*Severity]
    ranked = sorted(by_rule.values(), key=lambda some: (order.index(some[0].severity), -len(some)))
    lines = [coloured(first) + (f" (and {len(others)} more)" if others else "") for first, *others in ranked]
    hint = f"; `relay {command} --all` lists them" if len(lines) < len(findings) else ""
    return "\n".join([*lines, f"relay {command}: {summary(findings) or clean}{hint}"])


def coloured(finding: Diagnostic) -> str:
    """Return a finding's line, escaped, with its severity in colour; without a terminal, `emit` drops colours."""
    return terminal_line(finding.line).replace(
        f": {finding.severity}: ", f": {click.style(finding.severity, fg=_COLOURS[finding.severity])}: ", 1
    )


def _json(command: str, findings: Sequence[Diagnostic], _clean: str) -> str:
    counts = Counter(finding.severity for finding in findings)
    rows = [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            **dict(zip(("file", "line", "column"), place_parts(finding.where), strict=True)),
            "message": finding.message,
            "other": finding.other._asdict() if finding.other else None,
        }
        for finding in findings
    ]
    counted = {kind: counts[kind] for kind in Severity}
    return json_text({"command": command, "counts": counted, "findings": rows})


def _junit(command: str, findings: Sequence[Diagnostic], clean: str) -> str:
    """Write a test suite with a case for each finding; only an error is a failure."""
    suite = ET.Element("testsuite", name=f"relay {command}")
    for finding in findings:
        file, line, _ = place_parts(finding.where)
        name, message = escape_unprintable(str(finding)), escape_unprintable(finding.message)
        case = ET.SubElement(suite, "testcase", classname=finding.rule, name=name)
        if line:
            case.set("file", escape_unprintable(file))
            case.set("line", str(line))
        if finding.severity is Severity.ERROR:
            ET.SubElement(case, "failure", type=finding.rule, message=message).text = finding.line
        else:
            ET.SubElement(case, "system-out").text = finding.line
    if not findings:
        ET.SubElement(suite, "testcase", classname=command, name=clean)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(finding.severity is Severity.ERROR for finding in findings)))
    suites = ET.Element("testsuites")
    suites.append(suite)
    return xml_text(suites)


def _github(command: str, findings: Sequence[Diagnostic], clean: str) -> str:
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
    lines = []
    for finding in findings:
        file, line, column = place_parts(finding.where)
        properties = {"file": file, **({"line": line, "col": column} if line else {}), "title": finding.rule}
        pairs = ",".join(f"{name}={workflow_text(str(value), ':,')}" for name, value in properties.items())
        message = f"{finding.message} (see {finding.other})" if finding.other else finding.message
        lines.append(f"::{words[finding.severity]} {pairs}::{workflow_text(message)}")
    return "\n".join([*lines, f"relay {command}: {summary(findings) or clean}"])


_FORMATS = {"text": _text, "json": _json, "junit": _junit, "github": _github}

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="text",
    show_default=True,
    help="How to print findings; github writes annotations of a workflow.",
)
"""The option --format, whose value goes to `report_findings`."""
