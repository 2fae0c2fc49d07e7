"""The garage, a contract of OpenAPI 3.0 in two files, in newer versions: `scripts/relay/upgrade/`."""

import re
import shutil

import pytest
from openapi_spec_validator import validate

from relay.contract.loading import load_contract
from relay.upgrade.plan import plan_upgrade
from support.hosting import bearer
from support.targets import GARAGE, garage
from support.wire import exchange, request

pytestmark = pytest.mark.slow

BAD = [
    ("GET", "/garage/v1/vehicles?limit=0", None, None),
    ("GET", "/garage/v1/vehicles?built[from]=x", None, None),
    ("GET", "/garage/v1/vehicles?colours=red|red", None, None),
    ("POST", "/garage/v1/vehicles", b"{}", "application/json"),
    ("POST", "/garage/v1/vehicles", b'{"plate": null, "make": 1}', "application/json"),
    ("POST", "/garage/v1/vehicles", b"[", "application/json"),
    ("POST", "/garage/v1/vehicles", b"a=b", "text/plain"),
]
"""Requests that the contract refuses: method, target, body and media type."""


def newer(folder, version):
    folder.mkdir()
    for name in ("openapi.yaml", "parts.yaml"):
        shutil.copy(GARAGE.parent / name, folder)
    for path, content in plan_upgrade(folder / "openapi.yaml", version).after.items():
        path.write_bytes(content)
    return folder / "openapi.yaml"


def answers(folder, spec):
    folder.mkdir()
    signed = ("Authorization", bearer({"sub": "astrid"})["Authorization"])
    bad = [
        request(method, target, body, signed, *([("Content-Type", kind)] if kind else []))
        for method, target, body, kind in BAD
    ]
    with garage(folder, spec) as target:
        found = [exchange(target.service.url, one)[0] for one in [*target.good, *bad]]
    return [(one.status, one.headers.get("content-type"), _masked(one.body)) for one in found]


def _masked(body):
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", b"ID", body)


@pytest.mark.parametrize("version", ["3.1", "3.2"])
def test_is_valid_in_the_newer_version(tmp_path, version):
    contract = load_contract(newer(tmp_path / "newer", version))

    validate(contract.published)
    assert contract.faults == ()


def test_answers_as_before(tmp_path):
    before = answers(tmp_path / "before", GARAGE)

    for version in ("3.1", "3.2"):
        spec = newer(tmp_path / f"contract-{version}", version)
        assert answers(tmp_path / version, spec) == before
