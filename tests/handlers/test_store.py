"""Features of every store; each test runs against SQLite and against MongoDB."""

import subprocess
import sys
from collections import defaultdict
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers._commands.records import SCHEMAS
from handlers._store import Batch, RecordRefused, StoreMisconfigured, User, VoiceAiSettings, open_store, rules
from handlers._store.keyring import DecryptionFailed, KeyringMissing, read_keyring
from handlers._types import CallsVoiceAiOrgPhoneNumber
from support import keyrings
from support.planting import ACME, ALEX, BO, GLOBEX, acme, plant, sinch, user

NOBODY = "0" * 24
NOTHING_SET = VoiceAiSettings(None, False, False, False, None, None, None)


EST = dict.fromkeys(rules.EST_CREDENTIALS, "set")


@pytest.mark.parametrize(("stored", "is_disabled"), [({"loginDisabled": True}, True), ({}, False)])
async def test_finds_a_user(store, stored, is_disabled):
    await store.load(acme(user(accessRole="ADMIN", fullName="Alex", **stored)))

    assert await store.user(ALEX) == User(ALEX, ACME, "ADMIN", login_disabled=is_disabled)


@pytest.mark.parametrize("role", [None, "", "OWNER", "admin"])
async def test_does_not_guess_a_role(store, role):
    """A user whose role is none of the four is not found: access cannot be decided."""
    await store.load(acme(user(accessRole=role)))

    assert await store.user(ALEX) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "user_id", [BO, NOBODY, "", "1" * 23, "1" * 25, "A" * 24, "1" * 23 + "\n", "é" * 24, "\0", "\ud800", "{}"]
)
async def test_finds_nobody_by_another_id(store, user_id):
    """An id that is not stored, cannot be one, or is of a user without a role, leads to no member."""
    await store.load(acme(user(), user(NOBODY, accessRole="OWNER")))

    assert await store.user(user_id) is None
    assert await store.member(user_id) is None


async def test_finds_a_member(store):
    """A user, with what their organization shows, whether or not both were read at the same time."""
    await store.load(
        acme(
            user(), user(BO, fullName="Bo", voicePhoneNumbers=[sinch("+1", label=None)]), aiVoiceProvider="x"
        )
    )

    found, read = await store.member(ALEX)

    assert found == await store.user(ALEX)
    assert await read() == await store.voice_ai(ACME)
    assert await store.voice_ai(ACME) == (
        VoiceAiSettings("x", False, False, False, None, None, None),
        [sinch("+1", userName="Bo", userId=BO)],
    )


async def test_a_member_is_read_anew_each_time(store):
    """A login that is disabled is known with the next read, and so is all that the organization shows."""
    await store.load(acme(user()))
    assert (await store.member(ALEX)).user.login_disabled is False

    await store.load(
        acme(user(loginDisabled=True, voicePhoneNumbers=[sinch("+1")]), elevenlabsToolSecret="canary")
    )

    found, read = await store.member(ALEX)
    assert found.login_disabled is True
    assert await read() == (
        VoiceAiSettings(None, False, True, False, None, None, None),
        [sinch("+1", userId=ALEX)],
    )


@pytest.mark.slow
@pytest.mark.parametrize("count", [99, 100, 101, 2_100])
async def test_a_member_has_all_numbers_of_a_large_organization(store, count):
    """However many come with the user, and in portions of a thousand, none is missing, twice there, or out of order."""
    users = [user(f"{i:024x}", voicePhoneNumbers=[sinch(f"+{i}"), sinch("+0")]) for i in range(count)]
    await store.load(acme(*users, aiVoiceProvider="x"))

    _, read = await store.member(f"{count - 1:024x}")

    assert await read() == await store.voice_ai(ACME)
    assert [number["phoneNumber"] for number in (await read())[1]][::2] == [f"+{i}" for i in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("organization_id", [ACME, NOBODY, "", "A" * 24, "'; --"])
async def test_an_organization_without_credentials_has_nothing_set(store, organization_id):
    await store.load(Batch([{"_id": ACME}]))

    assert await store.voice_ai(organization_id) == (NOTHING_SET, [])


async def test_shows_no_other_fields(store):
    """Stored documents may hold more than the contract shows; numbers, which need no credentials, are sent as they are."""
    number = sinch("+1", userName="forged", userId=BO, secret="canary")
    owner = user(email="canary@example.com", voicePhoneNumbers=[number], notes="canary")
    await store.load(Batch([{"_id": ACME}], [owner]))

    answer = await store.voice_ai(ACME)

    assert answer == (NOTHING_SET, [sinch("+1", userId=ALEX)])


@pytest.mark.parametrize("missing", rules.EST_CREDENTIALS)
async def test_est_needs_all_four_credentials(store, missing):
    await store.load(acme(**{**EST, missing: None}))

    settings, _ = await store.voice_ai(ACME)

    assert settings.has_est_credentials is False


@pytest.mark.slow
async def test_blank_counts_as_absent(store):
    """Databases and Python trim differently by nature; here they agree, character by character."""
    for blank in [None, "", "\t\r\n", rules.BLANK, *rules.BLANK]:
        await store.load(
            acme(**dict.fromkeys([rules.API_KEY, rules.TOOL_SECRET, *rules.IDENTIFIERS, *EST], blank))
        )

        assert (await store.voice_ai(ACME))[0] == NOTHING_SET, blank


async def test_knows_organizations_of_earlier_batches(store):
    """Users and credentials may follow their organization."""
    await store.load(Batch([{"_id": ACME, "name": "Acme"}]))

    await store.load(Batch(users=[user()], credentials=[{"organizationId": ACME, "aiVoiceProvider": "x"}]))

    assert await store.user(ALEX)
    assert (await store.voice_ai(ACME))[0].ai_voice_provider == "x"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "record_id", "batch"),
    [
        ("users", BO, acme(user(), user(BO, GLOBEX))),
        ("credentials", GLOBEX, Batch([{"_id": ACME}], [user()], [{"organizationId": GLOBEX}])),
        ("users", BO, acme(user(), user(BO, fullName="nul\0"))),
        ("users", BO, acme(user(), user(BO, voicePhoneNumbers=[sinch("+1", label="\ud800")]))),
        ("credentials", ACME, acme(user(), **{"a.b": "path"})),
        ("credentials", ACME, acme(user(), **{"$set": "operator"})),
        ("credentials", ACME, acme(user(), webhookSecret={"v": 1})),
        ("users", "A" * 24, acme(user(), user("A" * 24))),
        ("users", BO, acme(user(), user(BO, "acme"))),
    ],
    ids="stray-user stray-credentials nul surrogate path operator document id organization-id".split(),
)
async def test_loads_all_or_nothing(store, kind, record_id, batch):
    with pytest.raises(RecordRefused) as refusal:
        await store.load(batch)

    assert (refusal.value.kind, refusal.value.id) == (kind, record_id)
    assert str(refusal.value) == f"{kind} {record_id}: {refusal.value.reason}"
    assert await store.user(ALEX) is None


def secrets(**others: str) -> dict[str, str]:
    """Every secret that an organization can have, each another text."""
    return {name: f"canary of {name}" for name in rules.SECRETS} | others


async def found_in(store) -> dict[tuple[str, str], Any]:
    """Return the secrets of a store, by organization and field."""
    return {(secret.organization_id, secret.name): secret.value async for secret in store.secrets()}


async def opened_from(store, keyring=keyrings.BOTH) -> dict[tuple[str, str], str]:
    """The secrets of a store, opened; each has to be sealed."""
    return {place: keyring.decrypt(*place, value) for place, value in (await found_in(store)).items()}


async def test_seals_what_is_secret(store):
    """All of the credentials but the identifiers that are shown: those stay legible."""
    await store.load(acme(**secrets(sinchEstProjectId="project", aiVoiceProvider="elevenlabs")))

    assert await opened_from(store) == {(ACME, name): f"canary of {name}" for name in rules.SECRETS}
    settings, _ = await store.voice_ai(ACME)
    assert (settings.ai_voice_provider, settings.sinch_est_project_id) == ("elevenlabs", "project")
    assert {*rules.SECRETS} | {*rules.IDENTIFIERS} == {
        *SCHEMAS["credentials"]["properties"].keys() - {"organizationId"}
    }


async def test_takes_no_secret_without_a_keyring(new_url):
    async with open_store(new_url()) as store:
        with pytest.raises(KeyringMissing):
            await store.load(acme(user(), webhookSecret="canary"))

        assert await store.user(ALEX) is None


@pytest.mark.parametrize("blank", [None, "", " \ufeff"])
async def test_what_is_blank_is_no_secret(new_url, blank):
    """It needs no key, is never sealed, and counts as absent as ever."""
    async with open_store(new_url()) as store:
        await store.load(acme(**dict.fromkeys(rules.SECRETS, blank)))

        assert await found_in(store) == {}
        assert (await store.voice_ai(ACME))[0] == NOTHING_SET


async def test_reads_without_a_keyring(new_url):
    """The service knows that a secret is set without being able to open it."""
    url = new_url()
    async with open_store(url, keyrings.OLD_ONLY) as store:
        await store.load(acme(**EST, elevenlabsToolSecret="canary"))

    async with open_store(url) as store:
        assert (await store.voice_ai(ACME))[0] == VoiceAiSettings(None, False, True, True, "set", "set", None)


async def test_seals_with_the_first_key(new_url):
    """A secret that is loaded again gets the new key, the others stay as they were; both open."""
    url = new_url()
    async with open_store(url, keyrings.OLD_ONLY) as store:
        await store.load(acme(**secrets()))
    async with open_store(url, keyrings.BOTH) as store:
        await store.load(acme(webhookSecret="canary anew", sinchEstKeyId=None))

        sealed, opened = await found_in(store), await opened_from(store)

    assert sealed[ACME, "webhookSecret"].key_id == "new"
    assert sealed[ACME, "sinchEstKeySecret"].key_id == "old"
    assert opened[ACME, "webhookSecret"] == "canary anew"
    assert (ACME, "sinchEstKeyId") not in opened


async def test_plain_text_of_before_counts_as_configured(new_url):
    """A database that was filled without keys goes on working, and its secrets are found as what they are."""
    url = new_url()
    async with open_store(url) as store:
        plant(url, {ACME: {**EST, "webhookSecret": "canary"}})

        assert (await store.voice_ai(ACME))[0].has_est_credentials
        assert await found_in(store) == {
            (ACME, "webhookSecret"): "canary",
            (ACME, "sinchEstKeyId"): "set",
            (ACME, "sinchEstKeySecret"): "set",
        }


@pytest.mark.slow
@pytest.mark.parametrize(
    "stored",
    [
        7,
        True,
        [],
        {},
        {"v": 2, "kid": "old", "n": "AAAA", "ct": "AAAA"},
        {"v": 1, "kid": "two\nlines", "n": "AAAA", "ct": "AAAA"},
        {"v": 1, "kid": None, "n": "AAAA", "ct": "AAAA"},
        {"v": 1, "kid": "old", "n": 7, "ct": "AAAA"},
        {"v": 1, "kid": "old", "n": "*", "ct": "*"},
        "\0",
    ],
)
async def test_finds_what_it_cannot_read(new_url, stored):
    """A value that a newer version sealed, or that is no sealed value, is reported and does not stop the others."""
    url = new_url()
    async with open_store(url, keyrings.OLD_ONLY) as store:
        await store.load(acme(elevenlabsApiKey="canary"))
        plant(url, {ACME: {"webhookSecret": stored}})

        assert (await found_in(store))[ACME, "webhookSecret"] is None
        [line] = await store.check()
        assert line.startswith(f"1 secret unreadable, such as webhookSecret of {ACME}: ")


async def test_goes_through_all_organizations(store):
    ids = [f"{number:024x}" for number in range(450)]
    records = [{"organizationId": one, "webhookSecret": "canary", "sinchEstKeyId": "k"} for one in ids]
    await store.load(Batch([{"_id": one} for one in ids], [], records))

    met = [(secret.organization_id, secret.name) async for secret in store.secrets()]

    assert sorted(met) == [(one, name) for one in ids for name in ("sinchEstKeyId", "webhookSecret")]


async def test_replaces_only_what_is_still_as_it_was_read(new_url):
    """A value that was loaded meanwhile is never overwritten by an older one, and not counted."""
    url = new_url()
    async with open_store(url, keyrings.BOTH) as store:
        await store.load(acme(**secrets()))
        plant(url, {ACME: {"sinchEstKeyId": "plain", "sinchEstKeySecret": "plain"}})
        read = [secret async for secret in store.secrets()]
        await store.load(acme(elevenlabsApiKey="later", elevenlabsToolSecret=None, sinchEstKeyId="later"))

        replaced = await store.replace_secrets(
            [(one, keyrings.BOTH.encrypt(ACME, one.name, "replaced")) for one in read]
        )

        assert replaced == 2
        assert {name: secret for (_, name), secret in (await opened_from(store)).items()} == {
            "elevenlabsApiKey": "later",
            "sinchEstKeyId": "later",
            "webhookSecret": "replaced",
            "sinchEstKeySecret": "replaced",
        }


async def test_a_secret_that_was_moved_does_not_open(new_url):
    """Somebody who may write to the database but has no key cannot give one organization the secret of another."""
    url = new_url()
    async with open_store(url, keyrings.BOTH) as store:
        await store.load(acme(**secrets()))
        sealed = await found_in(store)
        plant(url, {GLOBEX: {"webhookSecret": sealed[ACME, "webhookSecret"]}})
        plant(url, {ACME: {"sinchEstKeyId": sealed[ACME, "sinchEstKeySecret"]}})

        moved = await found_in(store)

    for place in ((GLOBEX, "webhookSecret"), (ACME, "sinchEstKeyId")):
        with pytest.raises(DecryptionFailed):
            keyrings.BOTH.decrypt(*place, moved[place])


async def test_finds_nothing_to_repair_in_a_store_of_its_own(store):
    """Indexes, modes and keys are as they should be, from the moment that it is open."""
    assert await store.check() == []

    await store.load(acme(**secrets()))

    assert await store.check() == []


ANOTHER_OR_MOVED = (
    "moved there, or encrypted by another key of this id; rotate with that key instead, or load again"
)


async def test_reports_what_to_repair_about_secrets(new_url):
    """Plain ones, those whose key is not there, and a key that is not the one they were sealed with."""
    url = new_url()
    async with open_store(url, keyrings.OLD_ONLY) as store:
        await store.load(acme(sinchEstKeyId="canary", sinchEstKeySecret="canary"))
        plant(url, {GLOBEX: {"webhookSecret": "canary"}})
    another = read_keyring(keyrings.NEW.replace("new:", "old:"))

    for keyring, problems in [
        (None, []),
        (keyrings.BOTH, []),
        (keyrings.NEW_ONLY, ["2 secrets under the key old, which is not in RELAY_KEYRING; add it"]),
        (
            another,
            [f"2 secrets not decrypted by the key old, such as sinchEstKeyId of {ACME}: {ANOTHER_OR_MOVED}"],
        ),
    ]:
        async with open_store(url, keyring) as store:
            assert await store.check() == ["1 secret in plain text; run `relay keys encrypt`", *problems]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
blanks = st.text(st.sampled_from(rules.BLANK), max_size=3)
optional_texts = st.none() | blanks | texts
flags = st.none() | st.booleans()
organization_ids = st.sampled_from([ACME, GLOBEX, "c" * 24])
number_records = st.fixed_dictionaries(
    {"provider": st.sampled_from(["sinch", "twilio", "textgrid"])},
    optional=dict.fromkeys(["phoneNumber", "aiAgentId", "elevenlabsPhoneNumberId", "label"], optional_texts)
    | dict.fromkeys(["isDefault", "isInboundEnabled", "aiEnabled"], flags)
    | {"extra": texts},
)
numbers_or_none = st.none() | st.lists(number_records, max_size=3)
user_records = st.fixed_dictionaries(
    {"_id": st.integers(0, 5).map("{:024x}".format), "organizationId": organization_ids},
    optional={"fullName": optional_texts, "voicePhoneNumbers": numbers_or_none},
)
credentials = ["elevenlabsApiKey", "elevenlabsToolSecret", "sinchEstTrunkDomain", "aiVoiceProvider", *EST]
credentials_records = st.fixed_dictionaries(
    {"organizationId": organization_ids}, optional=dict.fromkeys(credentials, optional_texts)
)
batches = st.builds(
    Batch,
    st.just([{"_id": ACME}, {"_id": GLOBEX}, {"_id": "c" * 24}]),
    st.lists(user_records, max_size=5),
    st.lists(credentials_records, max_size=4),
)


class Model:
    """The store as plain dicts, with which the databases are compared."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = defaultdict(dict)
        self.credentials: dict[str, dict[str, Any]] = defaultdict(dict)

    def load(self, batch: Batch) -> None:
        """Merge field by field."""
        for record in batch.users:
            self.users[record["_id"]] |= record
        for record in batch.credentials:
            self.credentials[record["organizationId"]] |= record

    def voice_ai(self, organization_id: str) -> tuple[VoiceAiSettings, list[dict[str, Any]]]:
        """Read the settings and the Sinch numbers."""
        stored = self.credentials[organization_id]
        texts = {name: value for name, value in stored.items() if value and value.strip(rules.BLANK)}
        return VoiceAiSettings(
            texts.get("aiVoiceProvider"),
            "elevenlabsApiKey" in texts,
            "elevenlabsToolSecret" in texts,
            texts.keys() >= EST.keys(),
            texts.get("sinchEstProjectId"),
            texts.get("sinchEstTrunkId"),
            texts.get("sinchEstTrunkDomain"),
        ), [
            {
                name: value
                for name in CallsVoiceAiOrgPhoneNumber.__annotations__
                if (value := {**number, "userName": owner.get("fullName"), "userId": user_id}.get(name))
                is not None
            }
            for user_id, owner in sorted(self.users.items())
            if owner["organizationId"] == organization_id
            for number in owner.get("voicePhoneNumbers") or []
            if number["provider"] == "sinch"
        ]


@pytest.mark.slow
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=st.lists(batches, max_size=3))
async def test_answers_as_the_model_does(new_url, loads):
    """Both databases return the same bytes for all data, in any number of batches."""
    model = Model()
    async with open_store(new_url(), keyrings.OLD_ONLY) as store:
        for batch in loads:
            model.load(batch)
            await store.load(batch)

        for organization_id in (ACME, GLOBEX, "c" * 24):
            expected_settings, expected = model.voice_ai(organization_id)
            found_settings, numbers = await store.voice_ai(organization_id)
            assert found_settings == expected_settings
            assert orjson.dumps(numbers) == orjson.dumps(expected)
        if '"$' in str(orjson.dumps(loads, default=vars)):
            return  # in an array, MongoDB's stand-in takes such texts for expressions
        for user_id, record in model.users.items():
            await store.load(Batch(users=[{**record, "accessRole": "ADMIN"}]))
            member = await store.member(user_id)
            assert orjson.dumps(await member.voice_ai()) == orjson.dumps(
                model.voice_ai(record["organizationId"])
            )


def test_reads_the_fields_of_the_contract():
    names = [*rules.NUMBER_FIELDS, "userName", "userId"]

    assert names == list(CallsVoiceAiOrgPhoneNumber.__annotations__)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay.db",
        "postgres://relay:hunter2@host/relay",
        "mongodb://relay:hunter2@host",
        "mongodb://relay:hunter2@host/",
        "mongodb+srv://relay:hunter2@host/?retryWrites=true",
        "sqlite://relay:hunter2@host/relay.db",
        "sqlite:relay.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///relay.db?password=hunter2",
    ],
)
def test_refuses_a_url_at_once(url):
    """A URL that names no database fails before anything is opened, in one line that repeats none of it."""
    with pytest.raises(StoreMisconfigured) as refusal:
        open_store(url)

    assert "\n" not in str(refusal.value)
    assert "hunter2" not in repr(refusal.value)


@pytest.mark.slow
def test_loads_only_the_driver_that_the_url_asks_for():
    """A driver takes longer to import than the rest of the service takes to start."""
    program = (
        "import sys; from handlers._store import open_store; "
        "early = {'sqlite3', 'pymongo'} & sys.modules.keys(); open_store('sqlite:///relay.db'); "
        "print(early, 'pymongo' in sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.split() == ["set()", "False"]
