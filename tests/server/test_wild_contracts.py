"""Contracts with the faults of real publishers (`tests/specs/wild`) are served at the first try."""

import json

import pytest

from relay.project.settings import Settings
from relay.server.compilation import create
from support.hosting import SECRET, calling
from support.wild import CONTRACTS, send, sendable, to_left_out, violations

pytestmark = pytest.mark.slow

LEFT_OUT = {
    "swagger_2_leftovers": {"post /breads", "put /breads/{name}"},
    "dangling_refs": {"post /trams", "put /trams", "/depots"},
    "old_definitions": {"delete /locks"},
    "remote_refs": {"delete /ships"},
    "same_template": {"get /plots/{key}"},
    "undefined_scheme": {"get /rounds", "put /rounds"},
    "wrong_security": {"get /items", "post /items", "put /items", "patch /items", "delete /items"},
    "empty_sections": {"put /fish", "/stalls"},
    "several_files": {"/scores"},
    "unmatchable_paths": {"get /words/{word", "put /words/{word}}", "get /rhymes/{}"},
}
"""The operations that cannot be served; of all other contracts there are none."""

UNMOCKED = {"contradictory": {"set_stamp"}}
"""The operations that answer 501 because their documented success has no valid value."""


@pytest.fixture(params=CONTRACTS)
def application(request, tmp_path, monkeypatch):
    """A contract as it is, served as a mock outside of any project."""
    monkeypatch.chdir(tmp_path)
    return create(Settings(spec=CONTRACTS[request.param], missing=["mock"], jwt_secret=SECRET))


def kind(application):
    path = application.settings.spec
    return path.parent.name if path.stem == "openapi" else path.stem


@pytest.mark.parametrize("path", CONTRACTS.values(), ids=CONTRACTS)
def test_each_contract_says_what_is_wrong_with_it(path):
    text = path.read_text("utf-8")
    about = (
        json.loads(text)["x-about"] if path.suffix == ".json" else text.partition("\n")[0].removeprefix("# ")
    )
    assert about.endswith(".")
    assert len(text.split("\n")) < 75


def test_only_what_cannot_be_served_is_left_out(application):
    """A fault in one place is no reason to refuse an operation that does not need it."""
    left_out = {f"{one.method} {one.path}".strip() for one in application.left_out}
    assert sorted(left_out) == sorted(LEFT_OUT.get(kind(application), set()))


async def test_every_sound_operation_answers_as_documented(application):
    """A request that the contract allows gets a response that it documents, and no error that was not asked for."""
    operations = {key: one.binding.operation for key, one in application.endpoints.items()}
    requests = sendable(operations, application.contract)
    async with calling(application) as client:
        exchanges = {key: await send(client, request) for key, request in requests.items()}

    unmocked = UNMOCKED.get(kind(application), set())
    assert sorted(operations.keys() - requests.keys()) == []
    assert {key for key, one in exchanges.items() if one.status == 501} == unmocked
    assert violations(application, {key: one for key, one in exchanges.items() if key not in unmocked}) == []


async def test_what_is_left_out_answers_501(application):
    """Not 404: the operation exists, and its publisher has documented it."""
    async with calling(application) as client:
        sent = [await send(client, to_left_out(one, application.contract)) for one in application.left_out]
    shadowed = {"same_template": 1}.get(kind(application), 0)
    assert [one.status for one in sent].count(501) == len(sent) - shadowed
