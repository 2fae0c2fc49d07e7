"""A unit test for each operation: a request made from the contract, sent by the in-process client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from relay.codegen.package_files import Security
from relay.codegen.stubs import written_docstring
from relay.contract.model import Contract, Operation
from relay.contract.names import slug
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.credentials import carrying_all
from relay.contract_tests.exchanges import Request
from relay.contract_tests.sample_requests import model_requests
from relay.validation import media_types as media

from .templates import render

_HOST = "http://test"
_METHODS = frozenset("get post put patch delete".split())


@dataclass(slots=True)
class SampleTests:
    """Test modules by file name, and the operations that no request could be made for."""

    modules: dict[str, str] = field(default_factory=dict)
    left_out: list[Operation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Test:
    """What the template shows of one test."""

    name: str
    docstring: str
    call: str
    handler: str


def sample_tests(contract: Contract, security: Security, package: str) -> SampleTests:
    """Write the tests of a contract whose handlers package is stubs, a module for each tag."""
    url = f"{_HOST}{contract.base_path}"
    requests = model_requests(contract, url, ConformanceChecker(contract, contract.base_path), ())
    found = SampleTests()
    by_tag: dict[str, list[_Test]] = {}
    tags: dict[str, str] = {}
    for operation in contract.operations:
        request = requests.get(operation.id)
        if request is None:
            found.left_out.append(operation)
            continue
        module = operation.module
        tags.setdefault(module, operation.tag)
        tests = by_tag.setdefault(module, [])
        name = _free_name(operation.function, {one.name for one in tests})
        handler = f"{package.replace('.', '/')}/{module}.py:{operation.function}"
        signed = _signed_in(request, operation, contract, security)
        docstring = written_docstring(str(operation))
        tests.append(_Test(name, docstring, _call(operation, signed), handler))
    for module, tests in by_tag.items():
        title = written_docstring(f"Operations of the tag {tags[module]}, by the in-process client")
        found.modules[f"test_{module}.py"] = render("tests/test_tag.py", docstring=title, tests=tests)
    return found


def _free_name(function: str, taken: set[str]) -> str:
    word = f"test_{slug(function).strip('_')}"
    numbered = (f"{word}_{number}" for number in range(2, len(taken) + 3))
    return word if word not in taken else next(name for name in numbered if name not in taken)


def _signed_in(request: Request, operation: Operation, contract: Contract, security: Security) -> Request:
    """Return the request with the keys that the operation's first requirement needs; tokens are the client's."""
    known = {one.name: one.test_credential for one in security.keys}
    requirement: Mapping[str, object] = operation.security[0] if operation.security else {}
    return carrying_all(request, contract, {name: known[name] for name in requirement if name in known})


def _call(operation: Operation, request: Request) -> str:
    """Return the call of the client that sends a request."""
    path = repr(request.url.removeprefix(_HOST))
    sends = f"api.{operation.method}({path}"
    if operation.method not in _METHODS:
        sends = f"api.request({request.method!r}, {path}"
    return ", ".join([sends, *_arguments(request)]) + ")"


def _arguments(request: Request) -> Iterator[str]:
    headers = dict(request.headers)
    if cookies := [value for name, value in request.headers if name == "Cookie"]:
        headers["Cookie"] = "; ".join(cookies)  # those of parameters, and a key
    body = request.body or b""
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if content_type == "application/json":
        del headers["Content-Type"]
    if media.is_json(content_type):
        yield f"json={orjson.loads(body)!r}"
    elif body:
        yield f"content={body!r}"
    if headers:
        yield f"headers={headers!r}"
