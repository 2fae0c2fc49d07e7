"""`handlers/calls.py`, from its handler to the wire."""

import pytest

from handlers._identity import Caller
from handlers._store import Batch, VoiceAiSettings, open_store
from handlers.calls import get_calls_voice_ai_config
from support import keyrings
from support.faults import CONFIG, client_of
from support.hosting import assert_envelope, bearer
from support.planting import ACME, GLOBEX, sinch, user

REP, GONE, STRANGER = (f"64f0a1b2c3d4e5f6a7b8c9d{number}" for number in (1, 2, 3))
NUMBER = sinch("+14165550100")


def acme(numbers, **credentials):
    """Return an organization whose representative has some numbers, and another organization."""
    users = [
        user(REP, fullName="Rui", voicePhoneNumbers=numbers),
        user(GONE, accessRole="ADMIN", loginDisabled=True),
        user(STRANGER, GLOBEX, accessRole="SUPERADMIN"),
    ]
    own = [{"organizationId": ACME, **credentials}] if credentials else []
    return Batch([{"_id": ACME}, {"_id": GLOBEX}], users, own)


async def config(url, batch, user_id=REP):
    """Load a batch and ask the service for the configuration, as some user."""
    async with open_store(url, keyrings.OLD_ONLY) as store:
        await store.load(batch)
    async with client_of(url) as client:
        return await client.get(CONFIG, headers=bearer({"userId": user_id}))


async def test_shows_settings_and_numbers(new_url):
    """The whole answer, in the contract's order, unset fields of numbers left out."""
    secrets = {
        "aiVoiceProvider": "elevenlabs",
        "elevenlabsApiKey": "sk_canary_1",
        "sinchEstKeyId": "sk_canary_2",
        "sinchEstKeySecret": "sk_canary_3",
        "sinchEstProjectId": "project",
        "sinchEstTrunkId": "trunk",
    }
    numbers = [{**NUMBER, "aiEnabled": False, "label": None}, {"provider": "twilio", "phoneNumber": "+1"}]

    response = await config(new_url(), acme(numbers, **secrets))

    assert response.status_code == 200
    assert response.text == (
        '{"aiVoiceProvider":"elevenlabs","hasApiKey":true,"hasToolSecret":false,"hasEstCredentials":true,'
        '"sinchEstProjectId":"project","sinchEstTrunkId":"trunk","sinchEstTrunkDomain":null,'
        '"phoneNumbers":[{"provider":"sinch","phoneNumber":"+14165550100","aiEnabled":false,'
        f'"userName":"Rui","userId":"{REP}"}}]}}'
    )


async def test_shows_nothing_of_another_organization(new_url):
    """The organization is the user's; one without credentials has nulls, falses and an empty list."""
    response = await config(new_url(), acme([NUMBER], elevenlabsApiKey="k"), STRANGER)

    texts = ["aiVoiceProvider", "sinchEstProjectId", "sinchEstTrunkId", "sinchEstTrunkDomain"]
    flags = ["hasApiKey", "hasToolSecret", "hasEstCredentials"]
    assert response.json() == dict.fromkeys(texts) | dict.fromkeys(flags, False) | {"phoneNumbers": []}


@pytest.mark.slow
@pytest.mark.parametrize(
    "user_id", [GONE, "64f0a1b2c3d4e5f6a7b8cfff", "admin", "", None, 7, ["x"], REP.upper()]
)
async def test_lets_nobody_in_whom_the_store_does_not_know(new_url, user_id):
    """Unknown, disabled, and what is no id: one and the same 401."""
    response = await config(new_url(), acme([]), user_id)

    assert assert_envelope(response, 401, "UNAUTHENTICATED")["error"] == "A valid credential is required"
    assert response.headers["www-authenticate"].endswith('error="invalid_token"')


@pytest.mark.slow
async def test_takes_the_subject_for_want_of_a_user_id(new_url):
    """`userId` is Tether's claim, `sub` everybody's."""
    url = new_url()
    await config(url, acme([]))
    async with client_of(url) as client:
        assert (await client.get(CONFIG, headers=bearer({"sub": REP}))).status_code == 200
        both = await client.get(CONFIG, headers=bearer({"sub": REP, "userId": GONE}))

    assert_envelope(both, 401, "UNAUTHENTICATED")


async def test_sees_a_disabled_user_on_the_next_request(new_url):
    """Identity is read on every request; no token outlives it."""
    url = new_url()
    await config(url, acme([]))
    async with client_of(url) as client, open_store(url) as store:
        before = await client.get(CONFIG, headers=bearer({"userId": REP}))
        await store.load(Batch(users=[user(REP, loginDisabled=True)]))
        after = await client.get(CONFIG, headers=bearer({"userId": REP}))

    assert (before.status_code, after.status_code) == (200, 401)


@pytest.mark.slow
async def test_never_answers_with_false_flags_when_the_database_fails(tmp_path):
    """500 with a stable code: nothing about the set-up may be concluded."""
    url = f"sqlite:///{tmp_path}/relay.db"
    await config(url, acme([], elevenlabsApiKey="k"))
    async with client_of(url) as client:
        (tmp_path / "relay.db").write_bytes(b"garbage" * 1000)
        for file in tmp_path.glob("relay.db-*"):
            file.unlink()
        response = await client.get(CONFIG, headers=bearer({"userId": REP}))
        refused = await client.get(CONFIG, headers={"Authorization": "Bearer x.y.z"})

    assert assert_envelope(response, 500, "DB_UNAVAILABLE")["error"] == "The database is not available"
    assert_envelope(refused, 401, "UNAUTHENTICATED")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "NOT_FOUND"),
        ("POST", CONFIG, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/%ff", 400, "MALFORMED_PATH"),
        ("GET", CONFIG, 401, "UNAUTHENTICATED"),
    ],
)
async def test_puts_every_failure_into_the_contracts_envelope(tmp_path, method, path, status, code):
    async with client_of(f"sqlite:///{tmp_path}/relay.db") as client:
        assert_envelope(await client.request(method, path), status, code)


async def test_the_handler_passes_numbers_on_as_they_are():
    """Not copied: ten thousand of them cost nothing here."""
    numbers = (NUMBER,)

    async def voice_ai():
        return VoiceAiSettings("elevenlabs", True, False, True, "p", "t", "d"), numbers

    view = await get_calls_voice_ai_config(caller=Caller(REP, ACME, "SALES_REP", voice_ai))

    assert view["phoneNumbers"] is numbers
