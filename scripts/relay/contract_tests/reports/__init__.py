"""Reports of a run, in addition to the terminal: JUnit for CI, HTML for people, JSON for programs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from relay.contract_tests.coverage import Report
from relay.contract_tests.exchanges import Exchange
from relay.contract_tests.results import Phase
from relay.project.files import replace_files

from .html_report import page
from .json_report import document
from .junit_report import junit

JUNIT, PAGE, DOCUMENT = "contract.junit.xml", "contract.html", "contract.json"


def write_reports(report: Report, folder: Path, redact: Callable[[Exchange], Exchange]) -> list[Path]:
    """Write the reports of a run into a folder and return their paths.

    `redact` removes credentials and secrets from an exchange. Raises SetupError if writing fails.
    """
    safe_report = redacted(report, redact)
    contents = {
        folder / JUNIT: junit(safe_report),
        folder / PAGE: page(safe_report).encode(),
        folder / DOCUMENT: json.dumps(document(safe_report), indent=2, ensure_ascii=False).encode(),
    }
    replace_files({path: content + b"\n" for path, content in contents.items()})
    return list(contents)


def redacted(report: Report, redact: Callable[[Exchange], Exchange]) -> Report:
    """Return the report with redacted exchanges in its failures; reports only count all others."""

    def without_secrets(part: Phase) -> Phase:
        shown = [replace(one, exchange=one.exchange and redact(one.exchange)) for one in part.failures]
        return replace(part, failures=shown)

    return replace(report, parts=[*map(without_secrets, report.parts)])
