"""Contracts with the faults of real publishers, `tests/specs/wild`: requests for them, and what is known of each."""

import functools
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx

from relay.codegen.type_generator import Generated, _generate
from relay.contract.model import Contract, LeftOut, Operation
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.credentials import signed_in
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.results import Failure
from relay.contract_tests.sample_requests import model_requests
from relay.server.app import Application
from relay.server.security import JWT_TYPES, scheme_type
from support.hosting import token
from support.running import ROOT, invoke

FOLDER = ROOT / "tests" / "specs" / "wild"
CONTRACTS: dict[str, Path] = {
    path.stem: path / "openapi.yaml" if path.is_dir() else path for path in sorted(FOLDER.iterdir())
}
"""Each contract by the kind of its faults; one of several files is a folder."""

CREDENTIAL = "tester:a-key-of-the-tests"
"""A user with a password, which is also used as a key."""

URL = "http://test"


def sendable(operations: Mapping[str, Operation], contract: Contract) -> dict[str, Request]:
    """Return a valid request for each operation that one can be built for, with the credentials that it asks for."""
    checker = ConformanceChecker(contract, contract.base_path)
    made = model_requests(contract, f"{URL}{contract.base_path}", checker, ())
    signed = {
        key: signed_in(made[key], one, contract, _values(one, contract))
        for key, one in operations.items()
        if key in made
    }
    return {key: request for key, request in signed.items() if request is not None}


def _values(operation: Operation, contract: Contract) -> dict[str, str]:
    """Return a credential for each security scheme; tokens have all scopes that an operation asks for."""
    scopes = {scope for requirement in operation.security for one in requirement.values() for scope in one}
    signed = token({"sub": "tester", "scope": " ".join(sorted(scopes))})
    return {
        name: signed if scheme_type(scheme) in JWT_TYPES else CREDENTIAL
        for name, scheme in contract.security_schemes.items()
    }


async def send(client: httpx.AsyncClient, request: Request) -> Exchange:
    """Send a request as it is written, and return the exchange."""
    answer = await client.request(request.method, request.url, headers=request.headers, content=request.body)
    headers = tuple(answer.headers.multi_items())
    return Exchange(request, answer.status_code, headers, answer.content, "wild")


def violations(application: Application, exchanges: Mapping[str, Exchange]) -> list[str]:
    """Return how responses violate the contract; a failure does that wherever a success is documented."""
    contract = application.contract
    checker = ConformanceChecker(contract, contract.base_path)
    return [
        f"{exchange.request.method} {exchange.request.url}: {message}"
        for key, exchange in exchanges.items()
        for message in [
            *map(_message, checker.check(exchange)),
            *_unasked(exchange, application.endpoints[key].binding.operation),
        ]
    ]


def _message(failure: Failure) -> str:
    return f"{failure.rule}: {failure.message}"


def _unasked(exchange: Exchange, operation: Operation) -> list[str]:
    """Return a message for a failure of an operation that documents something else."""
    has_success = any(not status.startswith(("4", "5")) for status in operation.responses)
    return [f"{exchange.status} {exchange.body!r}"] if exchange.status >= 400 and has_success else []


def to_left_out(one: LeftOut, contract: Contract) -> Request:
    """Return a request to an operation that is not served, its variables as they are written."""
    return Request((one.method or "get").upper(), f"{URL}{contract.base_path}{quote(one.path)}")


class Project(NamedTuple):
    """A project with one of the contracts, and the package that is generated for it."""

    folder: Path
    spec: Path
    package: str

    @classmethod
    def of(cls, name: str, folder: Path) -> Self:
        """Copy a contract with all its files into a folder."""
        source = CONTRACTS[name]
        if source.parent == FOLDER:
            shutil.copy(source, folder)
        else:
            shutil.copytree(source.parent, folder, dirs_exist_ok=True)
        return cls(folder, folder / source.name, f"wild_{name}")

    def relay(self, command: str) -> tuple[int, list[str]]:
        """Run a command in this process; return its exit code and the errors that it printed."""
        arguments = [command, "--spec", self.spec.name, "--handlers", self.package]
        result = invoke(*arguments)
        return result.exit_code, [line for line in result.output.splitlines() if "error: " in line]

    def sources(self) -> dict[str, bytes]:
        """Return the content of the package's files."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted((self.folder / self.package).rglob("*.py"))
        }


@functools.cache
def _generated(document: str) -> Generated:
    return _generate(json.loads(document))


def generate_here(document: dict[str, Any]) -> Generated:
    """Generate types in this process and only once, without the second that a process of its own takes to start."""
    return _generated(json.dumps(document))
