"""Failures that are kept as files and asked about first the next time, until they are gone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.contract.model import Contract, Operation
from relay.project.files import replace_files
from relay.validation.json_strict import NotJson, parse_json

from .conformance import ConformanceChecker
from .contract_rules import RULES, finding
from .exchanges import Exchange, Headers, Request
from .http_client import Client, NoAnswer
from .redaction import Redactor
from .results import Failure, NotRun, Phase
from .sample_requests import without_credentials
from .service_under_test import ServiceUnderTest

SignRequest = Callable[[Operation, Request, str | None], Request | None]
"""Operation, request without credential, the credential's name → the request with it; None if it cannot be had."""

_JUDGED = frozenset(
    "undocumented-status undocumented-media-type unexpected-body not-json response-violation response-header "
    "missing-challenge error-shape leaked-secret leaked-traceback request-accepted".split()
)
"""Rules whose breach the judge sees in one exchange; for others, the failure says which statuses are right."""

_NEEDS_MORE = frozenset(["use-after-free", "ensure-resource-availability", "wrong-fault-answer"])
"""Rules whose breach only several requests show, or a fault that was put in."""

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_SHAPE = {
    "type": "object",
    "required": ["rule", "operation", "message", "status", "expected", "credential", "request"],
    "properties": {
        "rule": _TEXT,
        "operation": _TEXT,
        "message": _TEXT,
        "status": _NUMBER,
        "expected": {"type": "array", "items": _NUMBER},
        "credential": {"type": ["string", "null"]},
        "request": {
            "type": "object",
            "required": ["method", "path", "headers", "body"],
            "properties": {
                "method": _TEXT,
                "path": {"type": "string", "pattern": "^/"},
                "headers": {
                    "type": "array",
                    "items": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2},
                },
                "body": {"type": "string", "pattern": r"^[A-Za-z0-9+/]*=*$"},
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """One kept failure; `status` is what was answered, `path` lies below the service's address."""

    rule: str
    operation: str
    message: str
    status: int
    expected: tuple[int, ...]
    credential: str | None
    method: str
    path: str
    headers: Headers
    body: bytes

    @property
    def name(self) -> str:
        """The file's name, which is the same for the same failure."""
        told = f"{self.operation}\n{self.rule}\n{self.message}"
        operation = re.sub(r"[^A-Za-z0-9_-]+", "_", self.operation)[:80]
        return f"{operation}-{self.rule}-{hashlib.sha256(told.encode()).hexdigest()[:8]}.json"

    def request(self, url: str) -> Request:
        """Return the request to a service whose contract's paths begin at `url`."""
        return Request(self.method, url + self.path, self.headers, self.body)

    def written(self) -> bytes:
        """Return what stands in the file."""
        request = {
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "body": base64.b64encode(self.body).decode(),
        }
        told = {
            "rule": self.rule,
            "operation": self.operation,
            "message": self.message,
            "status": self.status,
            "expected": self.expected,
            "credential": self.credential,
            "request": request,
        }
        return json.dumps(told, indent=2).encode() + b"\n"


def keep(failures: Iterable[Failure], folder: Path, redactor: Redactor) -> None:
    """Write a file for each failure that one request shows; what is there is left alone.

    Not kept is what is about no operation, what only several requests show, and what cannot be asked
    again because a part of it was not recorded, or is redacted. Raises SetupError where writing fails.
    """
    operations = {str(operation): operation for operation in redactor.contract.operations}
    kept = [
        found
        for failure in failures
        if failure.operation in operations
        and (found := _kept(failure, operations[failure.operation], redactor)) is not None
    ]
    replace_files({path: one.written() for one in kept if not (path := folder / one.name).exists()})


def _kept(failure: Failure, operation: Operation, redactor: Redactor) -> _Kept | None:
    exchange, rule = failure.exchange, failure.finding.rule
    # A check that only a newer Schemathesis has is none of our rules, and could not be read back.
    is_shown = rule in RULES and rule not in _NEEDS_MORE and (rule in _JUDGED or bool(failure.expected))
    if exchange is None or not is_shown:
        return None
    asked = without_credentials(exchange.request, redactor.contract)
    if asked.body is None or redactor.request(asked) != asked:
        return None
    parts = urlsplit(asked.url)
    # As many segments as the operation has, from the end: what stands before them is the address.
    segments = parts.path.split("/")[-operation.path.count("/") :]
    return _Kept(
        rule,
        operation.id,
        redactor.text(failure.finding.message),
        exchange.status,
        failure.expected,
        exchange.credential,
        asked.method,
        "/".join(["", *segments]) + (f"?{parts.query}" if parts.query else ""),
        asked.headers,
        asked.body,
    )


def replay(
    folder: Path, subject: ServiceUnderTest, sign_request: SignRequest, judge: ConformanceChecker
) -> Phase:
    """Ask again for each kept failure; the file of one that is gone is deleted.

    A failure is still there when the judge finds its rule again, or the status is not an expected one;
    whatever else is found is told, too. A file stays as long as it is not known that its failure is
    gone: when it cannot be asked for, or a refusal hides it. Raises SetupError for a file that cannot
    be read, before anything is sent.
    """
    part = Phase("kept failures")
    operations = {operation.id: operation for operation in subject.contract.operations}
    kept = _read(folder)
    with Client(part.name) as client:
        for path, one in kept.items():
            operation = operations.get(one.operation)
            if operation is None:
                told = (
                    f"the contract has no operation '{one.operation}'; delete the file if it is gone for good"
                )
                part.not_run.append(NotRun(display(path), told))
                continue
            request = sign_request(operation, one.request(subject.url), one.credential)
            if request is None:
                told = f"there is nothing to sign in with as '{one.credential}'; set what it needs"
                part.not_run.append(NotRun(display(path), told))
                continue
            part.cases += 1
            try:
                exchange = client.send(request, one.credential)
            except NoAnswer as exc:
                part.failures.append(_unanswered(path, operation, judge.contract, exc))
            else:
                part.exchanges.append(exchange)
                _conclude(part, path, one, operation, exchange, judge)
    return part


def _unanswered(path: Path, operation: Operation, contract: Contract, exc: NoAnswer) -> Failure:
    told = f"{operation} gave no answer ({exc}) when {display(path)} was asked again"
    return Failure(finding(contract, "no-answer", operation.pointer, told), str(operation))


def _conclude(
    part: Phase, path: Path, one: _Kept, operation: Operation, exchange: Exchange, judge: ConformanceChecker
) -> None:
    """Tell what became of a failure, and delete its file when it is gone."""
    found = judge.judge(exchange)
    others = [failure for failure in found if failure.finding.rule != one.rule]
    part.failures += others
    if len(others) < len(found) or (one.expected and exchange.status not in one.expected):
        again = finding(judge.contract, one.rule, operation.pointer, one.message)
        part.failures.append(Failure(again, str(operation), exchange, one.expected))
        part.notes.append(f"still there: {one.message}")
    elif _may_hide(exchange.status, one):
        told = (
            f"it was answered with {exchange.status}, and with {one.status} when it was kept; "
            "delete the file if that is right"
        )
        part.not_run.append(NotRun(display(path), told))
    elif not others:
        path.unlink()
        part.notes.append(f"fixed: {one.message}")


def _may_hide(status: int, one: _Kept) -> bool:
    """Whether an answer says nothing of a failure: the request did not come as far as it did before."""
    if status == one.status or (status in one.expected and 200 not in one.expected):
        return False
    return status in (401, 403, 429, 503) or (one.status < 300 and status in (404, 410))


def _read(folder: Path) -> dict[Path, _Kept]:
    validator = jsonschema_rs.Draft202012Validator(_SHAPE, mask="this")
    found: dict[Path, _Kept] = {}
    problems: list[Diagnostic] = []
    for path in sorted(folder.glob("*.json")):
        try:
            value = parse_json(path.read_bytes())
            validator.validate(value)
            found[path] = _parsed(value)
        except OSError as exc:
            problems.append(Diagnostic(display(path), f"cannot be read: {exc.strerror}"))
        except NotJson as exc:
            problems.append(Diagnostic(display(path), f"is {exc}; mend it or delete it"))
        except jsonschema_rs.ValidationError as exc:
            where = "".join(f"'{name}': " for name in exc.instance_path)
            told = f"is no kept failure ({where}{exc.message}); mend it or delete it"
            problems.append(Diagnostic(display(path), told))
        except ValueError as exc:
            problems.append(Diagnostic(display(path), f"is no kept failure ({exc}); mend it or delete it"))
    if problems:
        raise SetupError(problems)
    return found


def _parsed(value: Mapping[str, Any]) -> _Kept:
    """Return a kept failure; raise ValueError for what a schema cannot see."""
    request = value["request"]
    if value["rule"] not in RULES:
        raise ValueError(f"there is no rule '{value['rule']}'")
    return _Kept(
        value["rule"],
        value["operation"],
        value["message"],
        value["status"],
        tuple(value["expected"]),
        value["credential"],
        request["method"],
        request["path"],
        tuple((name, text.encode("latin-1").decode("latin-1")) for name, text in request["headers"]),
        base64.b64decode(request["body"], validate=True),
    )
