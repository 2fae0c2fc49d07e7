"""What a team says about its contract tests: `scripts/relay/contract_tests/contract_config.py`."""

from __future__ import annotations

import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests.contract_config import FILE, Identity, read_config


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a file that holds some text."""
    monkeypatch.chdir(tmp_path)

    def read(text):
        path = tmp_path / FILE
        path.write_text(text, "utf-8")
        return read_config(path)

    return read


def test_reads_who_calls_and_what_is_promised(read):
    """All that can be said, with a default for all that is not."""
    config = read("""\
identities:
  admin: {claims: {sub: a}, refused: [closeShop]}
  robot: {variables: {apiKey: ROBOT_KEY}}
  stranger: {signs-in: false}
stricter:
  Pet: {additionalProperties: false}
secrets: [DATABASE_PASSWORD]
waivers:
  - {operation: showPet, status: '404', reason: no pet is ever lost}
  - {status: 5XX, media-type: text/html, reason: the proxy's page}
""")

    assert config.identities == (
        Identity("admin", claims={"sub": "a"}, refused=frozenset(["closeShop"])),
        Identity("robot", variables={"apiKey": "ROBOT_KEY"}),
        Identity("stranger", signs_in=False),
    )
    assert config.stricter == {"Pet": {"additionalProperties": False}}
    assert config.secrets == ("DATABASE_PASSWORD",)
    first, second = config.waivers
    assert (first.operation, first.status, first.media_type) == ("showPet", "404", None)
    assert (second.operation, second.status, second.media_type) == (None, "5XX", "text/html")


def test_a_waiver_knows_where_it_stands(read):
    """Who is told that it is not needed can go there."""
    config = read("waivers:\n  - {status: '404', reason: a}\n  - {status: '405', reason: b}\n")

    assert [str(waiver.place) for waiver in config.waivers] == [f"{FILE}:2:5", f"{FILE}:3:5"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("waivers: [{status: '404'}]", "1:11: waivers[0] has no reason; say why"),
        ("waivers: [{reason: a}]", "1:11: waivers[0] has no status; say which answer need not be seen"),
        (
            "waivers:\n- {status: '1', reason: ' '}",
            "2:17: waivers[0].reason is empty; fill it in, or take it out",
        ),
        (
            "waivers: [{status: 404, reason: a}]",
            "1:12: waivers[0].status has to be text; put it in quotes",
        ),
        ("secrets: KEY", "1:1: secrets has to be a list"),
        ("secrets: ['A', '']", "1:16: secrets[1] is empty; fill it in, or take it out"),
        ("identities: {a: {signs-in: yes}}", "1:18: identities.a.signs-in has to be true or false"),
        ("identities:\n  a:", "2:3: identities.a has to be a mapping of names to values"),
        ("- a", "1:1: the file has to be a mapping of names to values"),
        (
            "identities: {a: {clams: {}}}",
            "1:14: identities.a has no use for 'clams'; see that it is spelled right and stands where it belongs",
        ),
    ],
)
def test_says_what_is_wrong_where_and_what_to_do(read, text, told):
    """In words of whoever writes the file, not of a schema."""
    with pytest.raises(SetupError) as trouble:
        read(text)

    assert str(trouble.value) == f"{FILE}:{told}"


def test_tells_everything_at_once(read):
    """One run is enough to mend it."""
    with pytest.raises(SetupError) as trouble:
        read("waivers: [{}]\nsecrets: 1\nwhatever: 2\n")

    assert len(trouble.value.problems) == 4
