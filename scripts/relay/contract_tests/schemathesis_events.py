"""Read the event log of a Schemathesis run: exchanges and their credentials, failed checks, errors of Schemathesis."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from relay.contract.model import Contract

from .credentials import carrying
from .exchanges import Exchange, Headers, Request, carrier

PART = "properties"  # the part of a run that the exchanges belong to
ADDED_HEADERS = {"user-agent": f"python-urllib3/{version('urllib3')}"}
"""Headers that the HTTP library of Schemathesis sends if a case has none; the log does not have them."""


class FailedCheck(NamedTuple):
    """A check that failed: its name as in `--checks`, and what kind of data was sent, and where.

    `scenario`, `parameter` and `location` are Schemathesis' own; each may be empty. `crashed` is True for
    a check that raised an exception and has no result.
    """

    name: str
    title: str = ""
    scenario: str = ""
    parameter: str = ""
    location: str = ""
    crashed: bool = False


class SentCase(NamedTuple):
    """A request of one case for an operation such as `GET /pets`, and its result.

    `exchange` is None if there was no response; its credential is not known yet.
    """

    operation: str
    exchange: Exchange | None
    failed: tuple[FailedCheck, ...] = ()


class Trouble(NamedTuple):
    """An error of Schemathesis; `operation` is Schemathesis' own label if the error is not about an operation."""

    operation: str
    phase: str
    kind: str
    message: str


def read_events(path: Path) -> Iterator[SentCase | Trouble]:
    """Read the event log up to its last complete line."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                return  # the process was ended while it wrote
            if finished := event.get("ScenarioFinished"):
                yield from _scenario(finished)
            elif error := event.get("NonFatalError"):
                value = error["value"]
                yield Trouble(error["label"], error.get("phase", ""), value["type"], value["message"])


def _scenario(event: Mapping[str, Any]) -> Iterator[SentCase]:
    recorder = event["recorder"]
    cases, checks = recorder.get("cases", {}), recorder.get("checks", {})
    interactions = recorder.get("interactions", {})
    for id_ in {**interactions, **checks}:
        case = cases.get(id_, {}).get("value", {})
        interaction = interactions.get(id_, {})
        exchange = _exchange(interaction) if "response" in interaction else None
        failed = tuple(_failed(check, case) for check in checks.get(id_, ()) if check["status"] != "success")
        # In other phases the label names the operation, and a case may have another method on purpose.
        is_sequence = event["phase"] == "stateful" and case
        operation = f"{case['method']} {case['path']}" if is_sequence else recorder["label"]
        yield SentCase(operation, exchange, failed)


def _failed(check: Mapping[str, Any], case: Mapping[str, Any]) -> FailedCheck:
    failure = check.get("failure_info", {}).get("failure", {})
    data = case.get("meta", {}).get("phase", {}).get("data", {})
    return FailedCheck(
        check["name"],
        failure.get("title", ""),
        data.get("scenario", ""),
        data.get("parameter", ""),
        data.get("parameter_location", ""),
        crashed=check["status"] == "error",
    )


def _exchange(interaction: Mapping[str, Any]) -> Exchange:
    sent, answer = interaction["request"], interaction["response"]
    return Exchange(
        Request(sent["method"], sent["uri"], _sent_headers(sent), _bytes(sent.get("body"))),
        answer["status_code"],
        _headers(answer),
        _bytes(answer.get("content")),
        PART,
        seconds=answer["elapsed"],
        started=datetime.fromtimestamp(interaction["timestamp"] - answer["elapsed"], UTC),
    )


def _headers(message: Mapping[str, Any]) -> Headers:
    return tuple((name, value) for name, values in message["headers"].items() for value in values)


def _sent_headers(sent: Mapping[str, Any]) -> Headers:
    """Return the headers of a request as they were on the wire."""
    headers = _headers(sent)
    names = {name.lower() for name, _ in headers}
    return (*headers, *((name, value) for name, value in ADDED_HEADERS.items() if name not in names))


def _bytes(value: Any) -> bytes:
    if isinstance(value, dict):
        return base64.b64decode(value["$base64"])
    return (value or "").encode("utf-8", "surrogatepass")


WRONG_CREDENTIAL = "a wrong credential"


class Labels:
    """Names the credential of a request: that of the identity `name`, a wrong one, or none."""

    def __init__(self, contract: Contract, name: str, values: Mapping[str, str]) -> None:
        self._name = name
        self._right: dict[tuple[str, str], set[str]] = {}
        for scheme_name, scheme in contract.security_schemes.items():
            right = self._right.setdefault(carrier(scheme), set())
            if scheme_name in values:
                signed = carrying(Request("GET", "/"), scheme, values[scheme_name])
                right.add(_carried(signed, carrier(scheme)) or "")

    def of(self, request: Request) -> str | None:
        """Return the name of the identity, WRONG_CREDENTIAL, or None without a credential."""
        carried = {spot: _carried(request, spot) for spot in self._right}
        found = {spot: value for spot, value in carried.items() if value is not None}
        is_right = all(value in self._right[spot] for spot, value in found.items())
        return (self._name if is_right else WRONG_CREDENTIAL) if found else None


def _carried(request: Request, spot: tuple[str, str]) -> str | None:
    location, name = spot
    if location == "query":
        pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    else:
        pairs = [(header.lower(), value) for header, value in request.headers]
    if location == "cookie":
        text = "; ".join(value for header, value in pairs if header == "cookie")
        pairs = [(key.strip(), value) for key, _, value in (one.partition("=") for one in text.split(";"))]
    return dict(pairs).get(name)
