"""Keys and key sets: `scripts/relay/server/keys.py`, and the key settings."""

import asyncio
import json
import sys

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from relay.contract.diagnostics import SetupError
from relay.server import keys
from support.hosting import SECRET
from support.running import ROOT, ended, eventually_async
from support.signing import EC, ED, RSA, encoded, jwk, pem, refuses, serving_keys, sign, verifier

PRIVATE_PEM = ED.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 -- to be refused


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")], ids=["RS256", "ES256", "EdDSA"]
)
async def test_verifies_with_a_public_key(key, algorithm, tmp_path):
    file = tmp_path / "key.pem"
    file.write_text(pem(key), "utf-8")
    for setting in (pem(key), str(file)):
        assert (await verifier(jwt_public_key=setting)(sign(key, algorithm)))["sub"] == "u"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("secret", "short", "it has 5 bytes; HS256 needs 32 or more"),
        ("secret", pem(RSA), "it is a PEM key; set a public key in"),
        ("secret", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI a@b", "it is a key of another kind; set a public key in"),
        ("public_key", "/nowhere.pem", "it is neither a key in PEM format nor a readable file"),
        ("public_key", "-----BEGIN x", "it is not a public key in PEM format"),
        ("public_key", pem(WEAK), "its RSA key has 1024 bits; it needs 2048 or more"),
        ("public_key", pem(ec.generate_private_key(ec.SECP384R1())), "it is not an RSA, P-256 or Ed25519 key"),
        ("public_key", PRIVATE_PEM, "it is a private key; set the public one"),
        ("jwks", "/nowhere.json", "it is neither an https:// URL nor a readable file"),
        ("jwks", '{"keys":[{"kty":"oct","k":"sk_canary"}]}', "it is neither an https:// URL nor a readable file"),
        ("jwks", "https://[bad", "it is not a valid URL"),
        ("jwks", "http://id.example/jwks", "the URL of a key set must begin with https://"),
        ("jwks", "https://id.example:99999", "it is not a valid URL"),
        ("jwks", "https://me:sk_canary@id.example/jwks", "the URL of a key set needs a host, and must not have a user or password"),
        ("jwks", "https:///jwks", "the URL of a key set needs a host"),
    ],
)  # fmt: skip
def test_refuses_to_start_with_a_key_that_cannot_be_used(name, value, expected):
    """The message says what is wrong with it (RFC 7518 section 3.3 for RSA), and never quotes it."""
    with pytest.raises(SetupError) as raised:
        verifier(**{f"jwt_{name}": value})
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"RELAY_JWT_{name.upper()}: {expected}")
    assert "sk_canary" not in str(problem)


def test_refuses_two_kinds_of_keys():
    """It would be unclear which one verifies."""
    expected = (
        "RELAY_JWT_SECRET and RELAY_JWT_JWKS: only one kind of key can verify tokens; set only one of them"
    )
    with pytest.raises(SetupError, match=expected):
        verifier(jwt_secret=SECRET, jwt_jwks="/x")


def key_set(folder, *entries):
    file = folder / "jwks.json"
    file.write_text(json.dumps({"keys": entries}), "utf-8")
    return str(file)


async def test_chooses_the_key_of_a_set_by_its_id(tmp_path):
    """Each key with its own algorithm only."""
    verify = verifier(jwt_jwks=key_set(tmp_path, jwk(RSA, "RS256", "r"), jwk(EC, "ES256", "e")))

    assert await verify(sign(RSA, "RS256", {"kid": "r"}))
    assert await verify(sign(EC, "ES256", {"kid": "e"}))
    await refuses(verify, sign(EC, "ES256", {"kid": "r"}))
    await refuses(verify, sign(RSA, "RS256"))
    assert await verifier(jwt_jwks=key_set(tmp_path, jwk(RSA, "RS256", "r")))(
        sign(RSA, "RS256")
    )  # its only key
    await refuses(verify, sign(RSA, "RS256", {"kid": "unknown"}))


@pytest.mark.parametrize(
    "content", ["[]", "{}", "nope", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}']
)
def test_refuses_a_key_set_without_a_usable_key(tmp_path, content):
    """A shared secret in a public document is no key."""
    file = tmp_path / "jwks.json"
    file.write_text(content, "utf-8")
    with pytest.raises(SetupError, match=r"RELAY_JWT_JWKS: it (is not a JSON Web Key Set|contains no)"):
        verifier(jwt_jwks=str(file))


PRIVATE = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(RSA))


@pytest.mark.parametrize(
    ("entry", "token"),
    [
        ({"kty": "oct", "kid": "k", "k": encoded(SECRET.encode())}, sign(headers={"kid": "k"})),
        ({**PRIVATE, "kid": "k"}, sign(RSA, "RS256", {"kid": "k"})),
        (jwk(RSA, "RS256", "k", use="enc"), sign(RSA, "RS256", {"kid": "k"})),
        (jwk(RSA, "RS256", "k", key_ops=["encrypt"]), sign(RSA, "RS256", {"kid": "k"})),
        (jwk(RSA, "RS256", "k", key_ops="verify"), sign(RSA, "RS256", {"kid": "k"})),
        (jwk(RSA, "RS256", "k", alg="RS512"), sign(RSA, "RS256", {"kid": "k"})),
        (jwk(RSA, "RS256", "k", alg="PS256"), sign(RSA, "PS256", {"kid": "k"})),
        (jwk(RSA, "RS256", "k", alg=["RS256"]), sign(RSA, "RS256", {"kid": "k"})),
        (jwk(WEAK, "RS256", "k"), sign(RSA, "RS256", {"kid": "k"})),
        (jwk(RSA, "RS256", ["k"]), sign(RSA, "RS256", {"kid": "k"})),
        (jwk(RSA, "RS256", 7), sign(RSA, "RS256", {"kid": "7"})),
        ({**jwk(RSA, "RS256", "k"), "n": 7}, sign(RSA, "RS256", {"kid": "k"})),
        ("k", sign(RSA, "RS256", {"kid": "k"})),
    ],
    ids=[
        "shared", "private", "encrypts", "other-operation", "no-operations", "longer-hash", "other-padding",
        "algorithms", "weak", "kid-list", "kid-number", "broken", "text",
    ],
)  # fmt: skip
async def test_uses_no_key_of_a_set_that_is_meant_for_something_else(tmp_path, entry, token):
    """Nor one that is no secret any more; the others are used all the same."""
    verify = verifier(jwt_jwks=key_set(tmp_path, entry, jwk(ED, "EdDSA", "good")))
    assert await verify(sign(ED, "EdDSA", {"kid": "good"}))
    await refuses(verify, token, "unknown-key")


async def test_uses_no_two_keys_of_one_name(tmp_path, caplog):
    """It is not known which one is meant; the same key twice is one key."""
    twice = [jwk(RSA, "RS256", "r"), jwk(RSA, "RS256", "r")]
    verify = verifier(jwt_jwks=key_set(tmp_path, *twice, jwk(EC, "ES256", "x"), jwk(ED, "EdDSA", "x")))
    assert await verify(sign(RSA, "RS256", {"kid": "r"}))
    await refuses(verify, sign(EC, "ES256", {"kid": "x"}), "unknown-key")
    await refuses(verify, sign(ED, "EdDSA", {"kid": "x"}), "unknown-key")
    assert "several keys of the same kid" in caplog.text


@pytest.fixture
def key_server():
    with serving_keys(jwk(RSA, "RS256", "r")) as server:
        yield server


@pytest.fixture
async def rotating(key_server, monkeypatch):
    verify = verifier(jwt_jwks=key_server.url, jwt_cache_seconds=0)
    assert await verify(OLD)
    monkeypatch.setattr(keys, "JWKS_COOLDOWN", 0.0)
    return verify


OTHER = {"keys": [jwk(EC, "ES256", "e")]}
OLD, NEW = sign(RSA, "RS256", {"kid": "r"}), sign(EC, "ES256", {"kid": "e"})


async def test_reads_a_key_set_again_when_a_token_names_a_new_key(key_server, monkeypatch):
    """Keys rotate; but however many unknown keys tokens name, the address is not asked more often."""
    verify = verifier(jwt_jwks=key_server.url)
    assert await verify(OLD)
    key_server.document = OTHER

    for _ in range(5):
        await refuses(verify, NEW, "unknown-key")
    assert key_server.asked == 1

    monkeypatch.setattr(keys, "JWKS_COOLDOWN", 0.0)
    assert await verify(NEW)
    assert key_server.asked == 2


async def test_asks_once_for_all_who_wait(rotating, key_server):
    """A crowd with a new key is one question, and so is one with unknown keys."""
    key_server.may_answer.clear()
    key_server.document = OTHER
    crowd = [asyncio.create_task(rotating(NEW)) for _ in range(20)]
    await eventually_async(lambda: key_server.asked == 2)

    key_server.may_answer.set()

    assert len(await asyncio.gather(*crowd)) == 20
    assert key_server.asked == 2


async def test_uses_the_known_keys_while_it_reads(rotating, key_server, monkeypatch):
    """An old set is read again behind the back of those who ask, remembered tokens or not."""
    monkeypatch.setattr(keys, "JWKS_LIFE", 0.0)
    key_server.may_answer.clear()
    assert await asyncio.wait_for(rotating(OLD), 10)
    await eventually_async(lambda: key_server.asked == 2)
    assert await asyncio.wait_for(rotating(OLD), 10)
    assert key_server.asked == 2


async def test_reads_an_old_set_again_though_the_token_is_remembered(key_server, monkeypatch):
    """A key that was withdrawn must not live on in those who call without a pause."""
    verify = verifier(jwt_jwks=key_server.url, jwt_cache_seconds=300)
    assert await verify(OLD)
    key_server.document = OTHER
    monkeypatch.setattr(keys, "JWKS_COOLDOWN", 0.0)
    monkeypatch.setattr(keys, "JWKS_LIFE", 0.0)

    assert await verify(OLD)
    await eventually_async(lambda: key_server.asked >= 2)
    monkeypatch.setattr(keys, "JWKS_LIFE", 300.0)
    assert await verify(NEW)

    await refuses(verify, OLD, "unknown-key")


async def test_a_request_that_gives_up_takes_the_keys_from_no_other(rotating, key_server):
    """The reading belongs to all who wait."""
    key_server.may_answer.clear()
    key_server.document = OTHER
    impatient, patient = (asyncio.create_task(rotating(NEW)) for _ in range(2))
    await eventually_async(lambda: key_server.asked == 2)

    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    key_server.may_answer.set()

    assert await patient


@pytest.mark.slow
async def test_waits_for_a_hanging_address_no_longer_than_it_must(rotating, key_server, monkeypatch):
    """A caller that names an unknown key is refused then; the loop and all other callers go on."""
    monkeypatch.setattr(keys, "JWKS_WAIT", 0.1)
    key_server.may_answer.clear()

    waiting = asyncio.create_task(refuses(rotating, NEW, "unknown-key"))
    for _ in range(5):
        assert await rotating(OLD)
    await asyncio.wait_for(waiting, 10)

    assert key_server.asked <= 2


async def test_only_so_many_wait_for_a_hanging_address(rotating, key_server, monkeypatch):
    """Made-up keys must not hold every place that a service has for requests."""
    monkeypatch.setattr(keys, "JWKS_WAITING", 2)
    key_server.may_answer.clear()

    waiting = [asyncio.create_task(refuses(rotating, NEW, "unknown-key")) for _ in range(2)]
    await eventually_async(lambda: key_server.asked == 2)
    await asyncio.wait_for(refuses(rotating, NEW, "unknown-key"), keys.JWKS_WAIT / 2)

    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    key_server.may_answer.set()


async def test_a_key_set_that_is_not_http_is_no_fault_of_a_caller():
    """It is not the caller's fault, no matter what answers there."""

    async def babble(_reader, writer):
        writer.write(b"hello\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(keys.KeysUnavailable):
            await verifier(jwt_jwks=f"http://127.0.0.1:{port}/")(OLD)


async def test_keeps_the_last_key_set_while_its_address_fails(rotating, key_server, monkeypatch, caplog):
    """An outage there must not sign everybody out here; the log reports it, without the address."""
    key_server.document = {}
    monkeypatch.setattr(keys, "JWKS_LIFE", 0.0)

    assert await rotating(OLD)
    await eventually_async(lambda: caplog.records)

    assert await rotating(OLD)
    assert caplog.records[0].getMessage() == "the key set cannot be read; the last keys are used"
    assert caplog.records[0].cause == "HTTPError"
    assert key_server.url not in caplog.text


async def test_keeps_no_key_set_for_ever(rotating, key_server, monkeypatch, caplog):
    """A key that leaked is withdrawn; an attacker who cuts us off must not keep it alive."""
    key_server.document = {}
    monkeypatch.setattr(keys, "JWKS_LIFE", 0.0)
    monkeypatch.setattr(keys, "JWKS_STALE", 0.0)
    with pytest.raises(keys.KeysUnavailable):
        await rotating(OLD)
    assert "there are no keys to verify tokens with" in caplog.text


async def test_having_no_keys_at_all_is_no_fault_of_a_caller(key_server):
    """Valid tokens cannot be distinguished from invalid ones: 500, not 401."""
    key_server.document = {}
    with pytest.raises(keys.KeysUnavailable):
        await verifier(jwt_jwks=key_server.url)(OLD)


@pytest.mark.slow
def test_a_reading_does_not_keep_the_process_from_ending(key_server):
    """An operator who stops the service does not wait for another server."""
    key_server.may_answer.clear()
    program = f"""if True:
        import asyncio
        from relay.server import fetching, keys
        fetching.FETCH_SECONDS, keys.JWKS_WAIT = 300, 0.1
        try:
            asyncio.run(keys.KeySet({key_server.url!r}).key_for("k"))
        except keys.KeysUnavailable:
            print("ended")
    """

    done = ended([sys.executable, "-c", program], ROOT)

    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
