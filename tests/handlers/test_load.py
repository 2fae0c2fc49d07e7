"""`relay load`: `handlers/_commands/load.py`, and the files it reads, `handlers/_commands/records.py`."""

import asyncio
import json

import pytest

from handlers._commands.records import read_records
from handlers._store import open_store
from relay import documents
from relay.contract.diagnostics import SetupError
from support.hosting import put
from support.running import ROOT, errors, relay_here

ORGANIZATION = {"_id": "64f0a1b2c3d4e5f6a7b8c000", "name": "Acme"}
USER = {"_id": "64f0a1b2c3d4e5f6a7b8c9d1", "organizationId": ORGANIZATION["_id"], "accessRole": "ADMIN"}
CREDENTIALS = {"organizationId": ORGANIZATION["_id"]}


def load(folder, *names, **variables):
    """Run `relay load` with files of a folder; what it prints has their names only."""
    result = relay_here(ROOT, "load", *(str(folder / name) for name in names), **variables)
    result.stdout, result.stderr = (
        printed.replace(f"{folder}/", "") for printed in (result.stdout, errors(result))
    )
    return result


class TestLoad:
    """`relay load`."""

    def load(self, folder, name, content):
        """Load a file that holds some text, or some JSON."""
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        (folder / name).write_text(text, "utf-8")
        return load(folder, name, RELAY_STORE=f"sqlite:///{folder}/relay.db")

    def numbers(self, folder):
        """The numbers that the service then shows the user; None for a user whom it does not know."""

        async def numbers():
            async with open_store(f"sqlite:///{folder}/relay.db") as store:
                member = await store.member(USER["_id"])
                return member and (await member.voice_ai())[1]

        return asyncio.run(numbers())

    def test_loads_json_and_ndjson(self, tmp_path):
        user = {**USER, "voicePhoneNumbers": [{"provider": "sinch", "phoneNumber": "+1"}]}
        lines = [
            {"organization": ORGANIZATION},
            {"user": user},
            {"credentials": {"organizationId": ORGANIZATION["_id"]}},
        ]

        as_json = self.load(tmp_path, "a.json", {"organizations": [ORGANIZATION], "users": [USER]})
        as_lines = self.load(tmp_path, "b.ndjson", "\n".join(map(json.dumps, lines)) + "\n\n")

        assert as_json.stdout == "a.json: loaded 1 organizations, 1 users, 0 credentials\n"
        assert as_lines.stdout == "b.ndjson: loaded 1 organizations, 1 users, 1 credentials\n"
        assert self.numbers(tmp_path) == [{"provider": "sinch", "phoneNumber": "+1", "userId": USER["_id"]}]

    def test_reports_every_bad_record_with_file_and_line_and_loads_none(self, tmp_path):
        """Which field, which rule; never the value."""
        bad = [
            {"organization": ORGANIZATION},
            {"user": {**USER, "accessRole": "sk_canary"}},
            {"user": {**USER, "pasword": "sk_canary"}},
            {"usr": {}},
        ]

        result = self.load(tmp_path, "a.ndjson", "\n".join(map(json.dumps, bad)) + "\n{broken sk_canary")

        assert result.returncode == 2
        assert result.stdout == ""
        assert [line.partition(": ")[2].partition(": ")[0] for line in result.stderr.splitlines()] == [
            "a.ndjson:4",
            "a.ndjson:5:2",
            "a.ndjson:2",
            "a.ndjson:3",
        ]
        assert "users/accessRole: the value is not one of" in result.stderr
        assert "sk_canary" not in result.stderr
        assert self.numbers(tmp_path) is None

    def test_refuses_a_user_without_an_organization(self, tmp_path):
        result = self.load(tmp_path, "a.ndjson", json.dumps({"user": USER}))

        assert result.returncode == 2
        assert result.stderr.startswith("error: a.ndjson:1: ")

    def test_takes_no_secret_without_a_keyring(self, tmp_path):
        """Nothing of the file is loaded, and it says how to come by a key."""
        credentials = {**CREDENTIALS, "webhookSecret": "sk_canary"}
        records = {"organizations": [ORGANIZATION], "users": [USER], "credentials": [credentials]}

        result = self.load(tmp_path, "a.json", records)

        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == (
            "error: RELAY_KEYRING: missing: a.json has secrets, which are stored encrypted; "
            "create a key with `relay keys new`\n"
        )
        assert self.numbers(tmp_path) is None

    def test_seals_what_it_loads(self, tmp_path):
        """With the keys of a file, and no trace of plain text is left."""
        credentials = {**CREDENTIALS, "webhookSecret": "sk_canary", "sinchEstTrunkId": "shown"}
        records = {"organizations": [ORGANIZATION], "credentials": [credentials]}
        put(tmp_path / "a.json", records)
        (tmp_path / "keyring").write_text(relay_here(ROOT, "keys", "new").stdout, "utf-8")
        (tmp_path / "data").mkdir()
        store = f"sqlite:///{tmp_path}/data/relay.db"
        variables = {"RELAY_STORE": store, "RELAY_KEYRING": str(tmp_path / "keyring")}

        result = load(tmp_path, "a.json", **variables)

        assert result.stdout == "a.json: loaded 1 organizations, 0 users, 1 credentials\n"
        assert relay_here(ROOT, "keys", "status", **variables).returncode == 0
        stored = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir())
        assert (b"shown" in stored, b"sk_canary" in stored) == (True, False)

    def test_goes_on_with_the_next_file(self, tmp_path):
        """All or nothing is per file."""
        (tmp_path / "bad.json").write_text("nope", "utf-8")
        put(tmp_path / "good.json", {"organizations": [ORGANIZATION]})

        store = f"sqlite:///{tmp_path}/relay.db"
        result = load(tmp_path, "gone.json", "bad.json", "good.json", RELAY_STORE=store)

        assert result.returncode == 2
        assert result.stdout == "good.json: loaded 1 organizations, 0 users, 0 credentials\n"
        assert result.stderr.splitlines() == [
            "error: gone.json: cannot be read: No such file or directory",
            "error: bad.json:1:1: not JSON",
        ]


@pytest.fixture
def write(tmp_path):
    """Write a file of some JSON, or of some lines of it."""

    def write(name, *values):
        path = tmp_path / name
        indent = 1 if path.suffix == ".json" else None
        path.write_text("\n".join(json.dumps(value, indent=indent) for value in values), "utf-8")
        return path

    return write


def problems_of(path):
    """The problems of a file, each as `line: message` after the file's name."""
    with pytest.raises(SetupError) as refused:
        read_records(path)
    return [str(problem).removeprefix(f"{path}:").strip() for problem in refused.value.problems]


def test_reads_a_file_for_its_places_once(write, monkeypatch):
    """Once for every mistake would take a big file the time of its size squared."""
    path = write("a.json", {"users": [{**USER, "_id": str(count)} for count in range(10)]})
    reads = []
    read_document = documents.read_document
    monkeypatch.setattr(documents, "read_document", lambda path: reads.append(path) or read_document(path))

    problems = problems_of(path)

    assert [int(problem.partition(":")[0]) for problem in problems] == list(range(4, 54, 5))
    assert reads == [path]


def test_reports_the_first_twenty_problems_and_counts_the_others(write):
    """A wrong field in every record is reported for the first few; thousands would hide the next file's."""
    twenty = write("a.ndjson", *[{"usr": {}}] * 20)
    more = write("b.ndjson", *[{"usr": {}}] * 1020)

    assert len(problems_of(twenty)) == 20
    assert problems_of(more)[18:] == [
        "19: a line must be an object with exactly one of the keys organization, user, credentials",
        "20: a line must be an object with exactly one of the keys organization, user, credentials",
        "… and 1000 more",
    ]


GOOD_LINE = json.dumps({"organization": ORGANIZATION}).encode() + b"\n"
SMILING = json.dumps({"organizations": [{**ORGANIZATION, "name": "\N{GRINNING FACE}"}, 1]}).encode()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", b"", "1:1: not JSON"),
        ("a.json", b'{"users": [\n  {]}', "2:4: not JSON"),
        ("a.json", b'{"organizations": {}}', "'organizations' must be a list"),
        ("a.json", b'{"users": [], "users": []}', "an object contains a duplicate key"),
        ("a.json", b"[]", "the file must be one object with the lists organizations, users, credentials"),
        ("a.json", b'{"people": []}', "unknown list 'people'; the lists are organizations, users, credentials"),
        # The line is looked for as the file is read: behind its byte order mark, and as JSON, which has other escapes than YAML.
        ("a.json", b'\xef\xbb\xbf{"users": [\n1]}', '2: users: the value is not of type "object"'),
        ("a.json", SMILING, '1: organizations: the value is not of type "object"'),
        # To its parser every line is the first; a byte order mark is one at the start of a file only.
        ("a.ndjson", GOOD_LINE + b'{"user": nope}', "2:10: not JSON"),
        ("a.ndjson", GOOD_LINE + b'{"user": 1, "user": 2}', "2: an object contains a duplicate key"),
        ("a.ndjson", GOOD_LINE + b'\xef\xbb\xbf{"user": 1}', "2:1: not JSON"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_with_a_file_and_where(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)

    assert problems_of(tmp_path / name) == [expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a.json", {"organizations": [ORGANIZATION]}),
        ("a.ndjson", {"organization": ORGANIZATION}),
        ("a.NDJSON", {"organization": ORGANIZATION}),
        ("a.JsonL", {"organization": ORGANIZATION}),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_reads_what_other_systems_write(tmp_path, name, value, mark):
    """A byte order mark before the text, capitals in a name: editors and exports there leave both."""
    path = tmp_path / name
    path.write_bytes(mark + json.dumps(value).encode())

    lists = read_records(path)

    assert [record.value for record in lists["organizations"]] == [ORGANIZATION]


def test_refuses_a_record_that_stands_twice_in_a_file(write):
    """The last would win without a word, and the count of what was loaded would be wrong."""
    lines = write(
        "a.ndjson",
        *({"user": USER}, {"organization": ORGANIZATION}, {"credentials": CREDENTIALS}),
        *({"organization": {"_id": ORGANIZATION["_id"]}}, {"user": USER}, {"credentials": CREDENTIALS}),
    )
    lists = write("a.json", {"organizations": [ORGANIZATION, ORGANIZATION]})

    assert problems_of(lines) == [
        "4: organizations/_id: an earlier record of the file has the same value",
        "5: users/_id: an earlier record of the file has the same value",
        "6: credentials/organizationId: an earlier record of the file has the same value",
    ]
    assert problems_of(lists) == ["8: organizations/_id: an earlier record of the file has the same value"]


def test_ids_are_of_their_list(write):
    """A user may have the id of an organization."""
    path = write("a.json", {"organizations": [ORGANIZATION], "users": [{**USER, "_id": ORGANIZATION["_id"]}]})

    assert {kind: len(records) for kind, records in read_records(path).items()} == {
        "organizations": 1,
        "users": 1,
        "credentials": 0,
    }
