"""Keep failures as files, and repeat their requests first in the next run, until they are fixed.

It is one module because what is kept has to be what is repeated.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jsonschema_rs

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import display
from relay.contract.model import Operation
from relay.project.files import replace_files
from relay.validation.json_strict import NotJson, parse_json

from .conformance import ConformanceChecker
from .contract_rules import RULES
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer, no_answer
from .redaction import Redactor
from .results import KEPT, UNLIMITED, Failure, Phase, TimeLimit
from .sample_requests import without_credentials
from .service_under_test import ServiceUnderTest

SignRequest = Callable[[Operation, Request, str | None], Request | None]
"""(operation, request, credential's name) → the request with that credential; None if there is none."""

_CHECKED = frozenset(
    "undocumented-status undocumented-media-type unexpected-body not-json response-violation response-header "
    "missing-challenge error-shape leaked-secret leaked-traceback request-accepted".split()
)
"""Rules that the checker can check in one exchange; for other_failures the failure has the expected statuses."""

_NOT_REPEATABLE = frozenset(["use-after-free", "ensure-resource-availability", "wrong-fault-answer"])
"""Rules whose check needs several requests, or a provoked fault."""

_OF_IDENTITIES = frozenset(["credential-accepted", "role-let-in", "role-refused", "wrong-refusal"])
"""Rules of the identity matrix, whose findings have the place of the operation's security."""

_INVALID = "is not a kept failure ({}); fix it or delete it"
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_SHAPE: dict[str, Any] = {
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


class _Kept(NamedTuple):
    """One kept failure; `status` is that of the response, the request's `url` is relative to the service's address."""

    rule: str
    operation: str
    message: str
    status: int
    expected: tuple[int, ...]
    credential: str | None
    request: Request

    @property
    def name(self) -> str:
        """The file's name, which is the same for the same failure."""
        identity = f"{self.operation}\n{self.rule}\n{self.message}"
        operation = re.sub(r"[^A-Za-z0-9_-]+", "_", self.operation)[:80]
        return f"{operation}-{self.rule}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.json"

    def written(self) -> bytes:
        """Return the content of the file."""
        sent = self.request
        body = base64.b64encode(sent.body or b"").decode()
        request = {"method": sent.method, "path": sent.url, "headers": sent.headers, "body": body}
        return json.dumps({**self._asdict(), "request": request}, indent=2).encode() + b"\n"


def keep(failures: Iterable[Failure], folder: Path, redactor: Redactor) -> None:
    """Write a file for each failure that one request can show; existing files are not changed.

    A failure is not kept if it is not about an operation, if it needs several requests, or if a part of
    its request was not recorded or is redacted. Raises SetupError if writing fails.
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
    exchange, rule = failure.exchange, failure.rule
    # A check of a newer Schemathesis is not in our rules, and could not be read back.
    is_shown = rule in RULES and rule not in _NOT_REPEATABLE and (rule in _CHECKED or bool(failure.expected))
    if exchange is None or not is_shown:
        return None
    request = without_credentials(exchange.request, redactor.contract)
    if request.body is None or redactor.request(request) != request:
        return None
    parts = urlsplit(request.url)
    # The operation's number of segments, from the end: the segments before them belong to the address.
    segments = parts.path.split("/")[-operation.path.count("/") :]
    path = "/".join(["", *segments]) + (f"?{parts.query}" if parts.query else "")
    return _Kept(
        rule,
        operation.id,
        redactor.text(failure.message),
        exchange.status,
        failure.expected,
        exchange.credential,
        replace(request, url=path),
    )


def replay(
    folder: Path,
    subject: ServiceUnderTest,
    sign_request: SignRequest,
    checker: ConformanceChecker,
    limit: TimeLimit = UNLIMITED,
) -> Phase:
    """Repeat the request of each kept failure, and delete the files of failures that are fixed.

    A failure is not fixed if the checker finds its rule again, or if the status is not an expected one;
    other findings are reported, too. Failures of operations that are not tested are skipped. The file also stays if
    the request cannot be sent, or if a refusal may hide the failure. Raises SetupError for a file that cannot be read, before any request is sent.
    """
    # One function: each reason not to repeat a request is skipped where the next step would need what is missing.
    part = Phase(KEPT)
    operations = {operation.id: operation for operation in checker.contract.operations}
    selected = {operation.id for operation in subject.contract.operations}
    kept = {
        path: one
        for path, one in _read(folder).items()
        if one.operation in selected or one.operation not in operations
    }
    with Client(part) as client:
        for path, one in limit.within(part, kept.items(), lambda item: display(item[0])):
            operation = operations.get(one.operation)
            if operation is None:
                reason = f"the contract has no operation '{one.operation}'; delete the file if it was removed"
                part.skip(display(path), reason)
                continue
            sent = replace(one.request, url=subject.url + one.request.url)
            request = sign_request(operation, sent, one.credential)
            if request is None:
                reason = f"there is no credential for '{one.credential}'; set the variables that it needs"
                part.skip(display(path), reason)
                continue
            try:
                exchange = client.send(request, one.credential)
            except NoAnswer as exc:
                message = f"{operation} sent no response ({exc}) to the request of {display(path)}"
                part.failures.append(no_answer(checker.contract, message, operation))
            else:
                _report(part, path, one, operation, exchange, checker)
    return part


def _report(
    part: Phase, path: Path, one: _Kept, operation: Operation, exchange: Exchange, checker: ConformanceChecker
) -> None:
    if checker.is_unwritten(exchange) and 401 not in one.expected:
        part.skip(display(path), f"{operation} is not written yet")
        return
    found = checker.check(exchange)
    part.failures += found
    is_found = any(failure.rule == one.rule for failure in found)
    is_unexpected = bool(one.expected) and exchange.status not in one.expected
    if is_unexpected and not is_found:
        pointer = (*operation.pointer, "security") if one.rule in _OF_IDENTITIES else operation.pointer
        again = Failure(checker.contract.place(pointer), one.message, one.rule, operation=str(operation))
        part.failures.append(replace(again, exchange=exchange, expected=one.expected))
    if is_unexpected or is_found:
        part.notes.append(f"still there: {one.message}")
    elif _may_hide(exchange.status, one):
        reason = (
            f"the response is now {exchange.status}, and was {one.status} when the failure was kept; "
            "delete the file if that is correct"
        )
        part.skip(display(path), reason)
    elif not found:
        path.unlink()
        part.notes.append(f"fixed: {one.message}")


def _may_hide(status: int, one: _Kept) -> bool:
    """Return True if a response may hide a failure: the request was refused earlier than before."""
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
            problems.append(Diagnostic(display(path), f"is {exc}; fix it or delete it"))
        except jsonschema_rs.ValidationError as exc:
            where = "".join(f"'{name}': " for name in exc.instance_path)
            problems.append(Diagnostic(display(path), _INVALID.format(f"{where}{exc.message}")))
        except ValueError as exc:
            problems.append(Diagnostic(display(path), _INVALID.format(exc)))
    if problems:
        raise SetupError(problems)
    return found


def _parsed(value: Mapping[str, Any]) -> _Kept:
    request = value["request"]
    if value["rule"] not in RULES:
        raise ValueError(f"there is no rule '{value['rule']}'")
    headers = tuple((name, text.encode("latin-1").decode("latin-1")) for name, text in request["headers"])
    body = base64.b64decode(request["body"], validate=True)
    sent = Request(request["method"], request["path"], headers, body)
    fields = {name: value[name] for name in _SHAPE["required"]}
    return _Kept(**{**fields, "expected": tuple(value["expected"]), "request": sent})
