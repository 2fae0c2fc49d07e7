"""A unit test for each operation: a request made from the contract, sent by the in-process client."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import orjson

from relay.codegen import package_files
from relay.codegen.package_files import Security
from relay.codegen.stubs import written_docstring
from relay.contract.model import Contract, Operation
from relay.contract.names import slug
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.credentials import carrying_all
from relay.contract_tests.exchanges import Request
from relay.contract_tests.sample_requests import model_requests
from relay.validation import media_types as media

render = partial(package_files.render, Path(__file__).parent / "templates")
"""Return a file of a new project, made of its Jinja template: `scripts/serve` of `scripts/serve.j2`."""

_HOST = "http://test"
_METHODS = frozenset("get post put patch delete".split())


class SampleTests(NamedTuple):
    """Test modules by file name, and the operations that no request could be made for."""

    modules: Mapping[str, str]
    left_out: Sequence[Operation]


class _Test(NamedTuple):
    name: str
    docstring: str
    call: str
    handler: str


def sample_tests(contract: Contract, security: Security, package: str) -> SampleTests:
    """Write the tests of a contract whose handlers package is stubs, a module for each tag."""
    url = f"{_HOST}{contract.base_path}"
    requests = model_requests(contract, url, ConformanceChecker(contract, contract.base_path), ())
    operations = [operation for operation in contract.operations if operation.id in requests]
    by_tag: dict[str, list[_Test]] = {}
    for operation in operations:
        tests = by_tag.setdefault(operation.module, [])
        word = f"test_{slug(operation.function).strip('_')}"
        taken = {one.name for one in tests}
        name = next(
            one for one in chain([word], (f"{word}_{number}" for number in count(2))) if one not in taken
        )
        handler = f"{package.replace('.', '/')}/{operation.module}.py:{operation.function}"
        call = _call(operation, _signed_in(requests[operation.id], operation, contract, security))
        tests.append(_Test(name, written_docstring(str(operation)), call, handler))
    tags = {operation.module: operation.tag for operation in reversed(operations)}
    titles = {module: f"Operations of the tag {tags[module]}, by the in-process client" for module in by_tag}
    modules = {
        f"test_{module}.py": render(
            "tests/test_tag.py", docstring=written_docstring(titles[module]), tests=tests
        )
        for module, tests in by_tag.items()
    }
    return SampleTests(modules, [one for one in contract.operations if one.id not in requests])


def _signed_in(request: Request, operation: Operation, contract: Contract, security: Security) -> Request:
    """Return the request with the keys that the operation's first requirement needs; tokens are the client's."""
    known = {one.name: one.test_credential for one in security.keys}
    requirement: Mapping[str, object] = operation.security[0] if operation.security else {}
    return carrying_all(request, contract, {name: known[name] for name in requirement if name in known})


def _call(operation: Operation, request: Request) -> str:
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
