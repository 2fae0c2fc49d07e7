"""Features of the MongoDB store alone: its documents, its faults, its indexes.

Without RELAY_TEST_MONGODB_URI these run against a stand-in that speaks the protocol: a test double.
"""

import asyncio
import logging
from datetime import UTC, datetime
from functools import partial

import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from handlers._store import (
    Batch,
    RecordRefused,
    StoreMisconfigured,
    User,
    mongo,
    mongo_client,
    mongo_writes,
    open_store,
    rules,
)
from support import faults, faulty, keyrings
from support.planting import ACME, ALEX, BO, GLOBEX, acme, user
from support.running import eventually_async

# Nothing listens there: the port belongs to a service of the past.
DOWN = "mongodb://relay:hunter2@127.0.0.1:1/relay"


@pytest.fixture
def url(new_mongodb_url):
    return new_mongodb_url()


@pytest.fixture
async def database(url):
    async with AsyncMongoClient(url) as client:
        yield client.get_default_database()


@pytest.fixture
async def store(url):
    async with open_store(url, keyrings.OLD_ONLY) as store:
        yield store


@pytest.mark.mongo
async def test_writes_documents_as_production_has_them(store, database):
    """Ids are ObjectIds; what is null is not there; credentials are one document per organization."""
    await store.load(acme(user(fullName="Alex", email=None), aiVoiceProvider="elevenlabs"))

    owner = {"organizationId": ObjectId(ACME)}
    alex = {"_id": ObjectId(ALEX), **owner, "accessRole": "SALES_REP", "fullName": "Alex"}
    assert await database["organizations"].find().to_list() == [{"_id": ObjectId(ACME)}]
    assert await database["users"].find().to_list() == [alex]
    credentials = await database["organizationcredentials"].find({}, {"_id": 0}).to_list()
    assert credentials == [{**owner, "aiVoiceProvider": "elevenlabs"}]


@pytest.mark.mongo
async def test_reads_documents_as_production_writes_them(store, database):
    """Documents that others wrote hold more types than JSON has; what leaves is text, booleans and dicts."""
    agent = ObjectId()
    number = {"_id": ObjectId(), "provider": "sinch", "aiAgentId": agent, "createdAt": datetime.now(UTC)}
    ids = {"_id": ObjectId(ALEX), "organizationId": ObjectId(ACME)}
    fields = {"accessRole": "SUPERADMIN", "voicePhoneNumbers": [number, {"provider": "twilio"}, number]}
    await database["users"].insert_one({**ids, **fields, "createdAt": datetime.now(UTC)})

    _, numbers = await store.voice_ai(ACME)

    assert numbers == [{"provider": "sinch", "aiAgentId": str(agent), "userId": ALEX}] * 2
    assert {type(value) for number in numbers for value in number.values()} == {str}
    assert await store.user(ALEX) == User(ALEX, ACME, "SUPERADMIN", login_disabled=False)
    assert (await (await store.member(ALEX)).voice_ai())[1] == numbers


@pytest.mark.mongo
async def test_an_id_as_text_is_no_id(store, database):
    """A document whose organization is text belongs to no organization: a string never equals an ObjectId."""
    await database["users"].insert_one(
        {"organizationId": ACME, "voicePhoneNumbers": [{"provider": "sinch"}], "accessRole": "ADMIN"}
    )

    assert (await store.voice_ai(ACME))[1] == []


@pytest.mark.mongo
async def test_a_member_of_an_organization_as_text_sees_what_the_id_has(store, database):
    """A user's record may have the organization's id as text; records without an organization stay invisible."""
    await store.load(acme(aiVoiceProvider="right"))
    text = {"organizationId": ACME, "accessRole": "ADMIN", "voicePhoneNumbers": [{"provider": "sinch"}]}
    await database["users"].insert_one({"_id": ObjectId(ALEX), **text})
    await database["organizationcredentials"].insert_one({"organizationId": ACME, "aiVoiceProvider": "wrong"})

    user, read = await store.member(ALEX)
    settings, numbers = await read()

    assert (user.organization_id, settings.ai_voice_provider, numbers) == (ACME, "right", [])


@pytest.mark.mongo
async def test_no_secret_leaves_the_database(url):
    """Which secrets are set is computed by the server: none of its words holds one."""
    async with open_store(url, keyrings.OLD_ONLY) as store:
        await store.load(acme(user(), aiVoiceProvider="x", **dict.fromkeys(rules.SECRETS, "canary")))

    async with faulty.line_to(url) as line, open_store(line.url) as store:
        settings, _ = await store.voice_ai(ACME)
        joined, _ = await (await store.member(ALEX)).voice_ai()

    assert settings == joined
    assert settings.has_api_key
    assert b"aiVoiceProvider" in line.heard
    assert b"canary" not in line.heard
    assert b"kid" not in line.heard


@pytest.mark.mongo
async def test_no_secret_reaches_the_database(url):
    """They are sealed before the driver has them: nothing that is said to the server holds one."""
    async with faulty.line_to(url) as line, open_store(line.url, keyrings.OLD_ONLY) as store:
        await store.load(acme(**dict.fromkeys(rules.SECRETS, "canary")))

    assert line.said.count(b"kid") == len(rules.SECRETS)
    assert b"canary" not in line.said + line.heard


@pytest.mark.mongo
async def test_seals_into_binary_data(store, database):
    """Version, key, nonce and ciphertext, as others have to find them."""
    await store.load(acme(webhookSecret="canary"))

    stored = await database["organizationcredentials"].find_one()

    sealed = stored["webhookSecret"]
    assert list(sealed) == ["v", "kid", "n", "ct"]
    assert (sealed["v"], sealed["kid"], type(sealed["n"]), len(sealed["n"])) == (1, "old", bytes, 12)
    assert (type(sealed["ct"]), len(sealed["ct"])) == (bytes, len("canary") + 16)


@pytest.mark.mongo
async def test_reports_a_record_without_an_organization(store, database):
    """One whose organization is no ObjectId cannot be sealed for it; it is reported."""
    record = {"_id": "x", "organizationId": ACME, "webhookSecret": "canary"}
    await database["organizationcredentials"].insert_one(record)

    [secret] = [secret async for secret in store.secrets()]

    assert (secret.organization_id, secret.value) == ("the record 'x'", None)
    assert any(line.startswith("1 secret unreadable") for line in await store.check())


@pytest.mark.mongo
async def test_a_check_waits_for_the_indexes(url, monkeypatch):
    """The opening has only begun to create them; they are missing when they are not there in time."""
    ensure_indexes = mongo_client.ensure_indexes

    async def ensure_slowly(database, ending):
        await asyncio.sleep(0.3)
        await ensure_indexes(database, ending)

    monkeypatch.setattr(mongo_client, "ensure_indexes", ensure_slowly)
    async with open_store(url) as store:
        assert await store.check() == []


@pytest.mark.slow
async def test_a_check_needs_the_database():
    """It says nothing rather than that all is well."""
    async with open_store(DOWN) as store:
        await faults.unavailable_in_time(store.check())


@pytest.mark.mongo
async def test_reports_that_a_batch_stays_in_part_without_its_documents(store, database, monkeypatch, caplog):
    """The driver's text of a failure may quote stored values."""
    await database["users"].create_index("email", unique=True)

    async def fail(_step):
        raise PyMongoError("canary")

    monkeypatch.setattr(mongo_writes._Step, "put_back", fail)
    with pytest.raises(RecordRefused):
        await store.load(acme(user(email="canary"), user(BO, email="canary")))

    [record] = [record for record in caplog.records if "in part" in record.getMessage()]
    assert record.getMessage() == "A batch stays loaded in part (PyMongoError); load it again"
    assert "canary" not in caplog.text


@pytest.mark.mongo
async def test_looks_without_making_anything(url, database):
    """`relay check` is for an operator who has not decided yet."""
    async with open_store(url, read_only=True) as store:
        await store.ready()
        await asyncio.sleep(0.2)  # indexes are made meanwhile

    assert await database.list_collection_names() == []


@pytest.mark.mongo
async def test_goes_on_without_an_index(url, database, caplog):
    """Duplicates in the way of a unique index are logged in one line, and stop nothing; a check names the index."""
    await database["organizationcredentials"].insert_many(
        [{"organizationId": ObjectId(ACME)} for _ in range(2)]
    )

    async with open_store(url, keyrings.OLD_ONLY) as store:
        await eventually_async(lambda: "refuses the index ['organizationId']" in caplog.text)
        await store.ready()
        found = await store.check()

    assert found == [
        "MongoDB has no unique index of organizationcredentials on organizationId; `relay serve` creates it, or logs why it cannot"
    ]
    [record] = caplog.records
    assert (record.name, record.levelno) == ("relay.store", logging.ERROR)
    assert "\n" not in record.getMessage()


@pytest.mark.mongo
async def test_puts_back_what_was_when_a_write_is_refused(store, database):
    """Without transactions a load is undone: changed documents are as before, new ones are gone."""
    await database["users"].create_index("email", unique=True)
    await store.load(Batch([{"_id": ACME, "name": "Acme"}], [user(email="alex@example.com")]))
    collections = [database[name] for name in ("organizations", "users", "organizationcredentials")]
    before = [await collection.find().to_list() for collection in collections]

    users = [user(fullName="Alex"), user(BO, email="alex@example.com")]
    credentials = [{"organizationId": ACME, "aiVoiceProvider": "elevenlabs"}]
    with pytest.raises(RecordRefused) as refusal:
        await store.load(Batch([{"_id": ACME, "name": "Renamed"}, {"_id": GLOBEX}], users, credentials))

    assert (refusal.value.kind, refusal.value.id) == ("users", BO)
    assert "alex@example.com" not in str(refusal.value)
    assert [await collection.find().to_list() for collection in collections] == before


@pytest.mark.mongo
async def test_puts_nothing_back_over_what_was_sealed_meanwhile(store, database, monkeypatch, caplog):
    """A load that fails would bring the plain secret back that `relay keys seal` has just done away with."""
    credentials = database["organizationcredentials"]
    await store.load(acme(webhookSecret="other"))
    await credentials.update_one({}, {"$set": {"elevenlabsApiKey": "canary"}})
    remembering = mongo_writes._Step.put_back

    async def seal_first(step):
        async for one in store.secrets():
            if isinstance(one.value, str):
                sealed = keyrings.OLD_ONLY.encrypt(one.organization_id, one.name, one.value)
                await store.replace_secrets([(one, sealed)])
        return await remembering(step)

    monkeypatch.setattr(mongo_writes._Step, "put_back", seal_first)
    await credentials.create_index("aiVoiceProvider", unique=True)
    batch = [{"organizationId": one, "sinchEstProjectId": f"of {one}"} for one in (ACME, GLOBEX)]
    with pytest.raises(RecordRefused):
        await store.load(Batch([{"_id": GLOBEX}], [], batch))

    stored = await credentials.find().to_list()
    assert len(stored) == 1
    assert "canary" not in str(stored)
    [record] = [record for record in caplog.records if "in part" in record.getMessage()]
    assert record.getMessage() == "A batch stays loaded in part (1 changed meanwhile); load it again"


@pytest.mark.slow
async def test_a_database_that_is_down_does_not_stop_the_start(caplog):
    """Each question is answered in time: the first after one attempt, the others at once."""
    async with open_store(DOWN) as store:
        await asyncio.gather(*(faults.unavailable_in_time(store.voice_ai(ACME)) for _ in range(100)))
        reads = (store.user(ALEX), store.member(ALEX), store.voice_ai(ACME))
        for asking in (*reads, store.ready(), store.load(Batch([{"_id": ACME}]))):
            await faults.unavailable_in_time(asking, seconds=0.1)

        await eventually_async(lambda: caplog.records)

    assert [record.name for record in caplog.records] == ["relay.store"]
    assert "hunter2" not in caplog.text


@pytest.mark.slow
async def test_a_server_that_says_nothing_is_answered_for_in_time():
    """A host that takes connections and never speaks costs no more than one that is not there.

    Twenty stores, because one in a few closes just when the driver gives up, which must not keep it open.
    """

    async def ask(url):
        async with open_store(url) as store:
            await faults.unavailable_in_time(store.user(ALEX))

    async with faulty.mute() as (url, _), asyncio.timeout(10):
        await asyncio.gather(*(ask(url) for _ in range(20)))


@pytest.mark.mongo
async def test_becomes_ready_by_itself(url, database):
    """A database that comes up later is found, and gets its indexes, without a new start.

    Numbers are found by organization in the order of ids; an organization has its credentials once.
    """
    async with faulty.line_to(url) as line:
        await line.cut()
        async with open_store(line.url) as store:
            await faults.unavailable_in_time(store.ready())

            await line.restore()

            await eventually_async(partial(faults.is_ready, store))

            async def has_indexes():
                users = await database["users"].index_information()
                credentials = await database["organizationcredentials"].index_information()
                is_unique = credentials.get("organizationId_1", {}).get("unique")
                return "organizationId_1__id_1" in users and is_unique

            await eventually_async(has_indexes)


@pytest.mark.mongo
async def test_a_large_organization_takes_few_round_trips(url):
    """Thousands of users come in portions of a thousand, not of a hundred."""
    users = [user(f"{i:024x}", voicePhoneNumbers=[{"provider": "sinch"}]) for i in range(5_000)]
    async with open_store(url) as store:
        await store.load(Batch([{"_id": ACME}], users))

    async with faulty.line_to(url) as line, open_store(line.url) as store:
        _, numbers = await store.voice_ai(ACME)

    assert len(numbers) == 5_000
    assert line.heard.count(b"nextBatch") < 10


async def test_leaves_nothing_behind():
    """When the store is closed, its background work is over and its client is closed; neither shows its password."""
    async with open_store(DOWN) as store:
        assert isinstance(store, mongo.MongoStore)
        assert "hunter2" not in f"{store!r} {vars(store)}"

    assert asyncio.all_tasks() == {asyncio.current_task()}
    await faults.unavailable_in_time(store.ready())


async def test_a_reason_is_the_class_of_the_first_cause():
    """The driver wraps what failed, and its text may quote a password."""
    failure = PyMongoError("hunter2")
    failure.__cause__ = ConnectionRefusedError("hunter2")
    async with mongo_client.create_client(DOWN) as client:
        assert mongo_client._reason(client, failure) == "ConnectionRefusedError"


@pytest.mark.parametrize(
    ("url", "waits"), [("mongodb://host/relay", 2.0), ("mongodb://host/relay?timeoutms=700", 0.7)]
)
async def test_the_url_may_set_the_limits(url, waits):
    """Our limits of time are defaults: an operator's URL is the last word."""
    async with mongo_client.create_client(url) as client:
        assert client.options.timeout == waits
        assert client.options.pool_options.max_pool_size == 50


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://relay:hunter2@host:hunter2/relay",
        "mongodb://relay:hunter2/hunter2@host/relay",
        "mongodb://relay:hunter2%zz@host/relay",
        "mongodb://relay:hunter2@host:99999/relay",
        "mongodb://relay:hunter2@/relay",
        "mongodb://relay:hunter2@host/re$lay",
        "mongodb://relay:hunter2@host/relay?hunter2=1",
        "mongodb://relay:hunter2@host/relay?timeoutMS=hunter2",
        "mongodb://relay:hunter2@host/relay?tls=true&tlsCAFile=/hunter2",
        "mongodb+srv://relay:hunter2@host1,host2/relay",
    ],
)
async def test_refuses_a_url_that_it_cannot_use(url):
    """A bad URL stops the start with one line that holds no part of it; nor does what is chained to it."""
    with pytest.raises(StoreMisconfigured) as refusal:
        async with open_store(url, keyrings.OLD_ONLY):
            pass

    assert "\n" not in str(refusal.value)
    assert "hunter2" not in repr(refusal.value)
    assert refusal.value.__suppress_context__
