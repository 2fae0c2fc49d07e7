"""Tokens, and the memory of good ones: `scripts/relay/server/tokens.py`; `test_token_table.py` has all that are refused."""

import base64
import gc
import json
import time

import jwt
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import HMACAlgorithm

from handlers._settings import Settings
from handlers._store import Batch, open_store
from relay.server import keys
from relay.server import tokens as remembered
from relay.server.errors import Unauthenticated
from relay.server.keys import Key, SingleKey
from relay.server.tokens import TokenCache, TokenVerifier, fingerprint
from support.hosting import SECRET, assert_envelope, bearer, calling, contract, operation
from support.schemas import FLOATS, json_values
from support.signing import EC, ED, RSA, compact, jwk, pem, refuses, sign, verifier


async def test_never_lets_a_token_choose_its_algorithm():
    """RFC 8725 section 3.1: the classic is HS256 with the public key as its secret."""
    verify = verifier(jwt_public_key=pem(RSA))
    payload = b'{"sub": "u", "exp": %d}' % (time.time() + 60)

    for secret in (pem(RSA), pem(RSA).rstrip()):
        await refuses(verify, compact(b'{"alg": "HS256"}', payload, secret.encode()), "algorithm")
    await refuses(verify, sign(RSA, "PS256"), "algorithm")
    await refuses(verify, sign(RSA, "RS512"), "algorithm")
    await refuses(verify, jwt.encode({"sub": "u", "exp": int(time.time()) + 60}, None, "none"), "algorithm")


async def test_looks_at_a_secret_once(monkeypatch):
    """When the service starts: whether it is a key of another kind costs a third of a verification."""
    verify, token = verifier(jwt_secret=SECRET), sign()
    monkeypatch.setattr(HMACAlgorithm, "prepare_key", None)
    assert (await verify(token))["sub"] == "u"


async def test_allows_clocks_to_differ_by_the_leeway():
    """Either way, and by no more than that."""
    now = int(time.time())
    patient, strict = verifier(jwt_secret=SECRET, jwt_leeway=20), verifier(jwt_secret=SECRET)

    for times, reason in (
        ({"exp": now - 10}, "expired"),
        ({"nbf": now + 15}, "not-yet-valid"),
        ({"iat": now + 15}, "not-yet-valid"),
    ):
        assert await patient(sign(**times))
        await refuses(strict, sign(**times), reason)
    await refuses(patient, sign(exp=now - 25), "expired")
    await refuses(patient, sign(iat=now + 60), "not-yet-valid")


async def test_takes_one_type_only_where_it_is_configured():
    """RFC 8725 section 3.11: then a token that does not say what it is, is something else."""
    verify = verifier(jwt_secret=SECRET, jwt_type="at+jwt")
    for good in ("at+jwt", "application/AT+jwt"):
        assert await verify(sign(headers={"typ": good}))
    for bad in ("JWT", None, "", "application/at", "jwt+at"):
        await refuses(verify, sign(headers={"typ": bad}), "type")


async def test_bounds_how_long_a_token_lives():
    """From `iat`, which a service that mints for ever does not leave out to help it; without one, from now."""
    now = int(time.time())
    verify = verifier(jwt_secret=SECRET, jwt_max_life=600)

    assert await verify(sign(iat=now - 300, exp=now + 300))
    assert await verify(sign(exp=now + 590))
    for times in ({"iat": now - 300, "exp": now + 301}, {"exp": now + 660}, {"exp": 253402300799}):
        await refuses(verify, sign(**times), "lifetime")
    assert await verifier(jwt_secret=SECRET, jwt_max_life=0)(sign(exp=253402300799))


@given(
    st.text(st.characters(), max_size=200)
    | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_refuses_any_text_without_an_accident(text):
    """PyJWT raises more than its own classes; a client sees one thing."""
    verify = verifier(jwt_secret=SECRET)
    for token in (text, f"{text}.{text}.{text}"):
        with pytest.raises(Unauthenticated):
            verify(token).send(None)


KEY = Key(SECRET.encode(), "HS256")
ORGANIZATION, USER = "64f0a1b2c3d4e5f6a7b8c000", "64f0a1b2c3d4e5f6a7b8c9d1"


@pytest.fixture
def verified(monkeypatch):
    """The tokens that were verified, not remembered."""
    seen = []
    verify = TokenVerifier._verify

    def noted(self, token, key):
        seen.append(token)
        return verify(self, token, key)

    monkeypatch.setattr(TokenVerifier, "_verify", noted)
    return seen


async def test_verifies_a_token_once(verified):
    """Who calls a hundred times a minute pays for one signature."""
    verify, token = verifier(jwt_secret=SECRET), sign(scope="a b")
    answers = [await verify(token) for _ in range(5)]
    assert answers == [answers[0]] * 5
    assert answers[0]["scope"] == "a b"
    assert verified == [token]


async def test_remembers_no_token_that_was_refused(verified):
    """Or a stranger could fill the memory."""
    verify, token = verifier(jwt_secret=SECRET), sign("another-secret-of-thirty-two-bytes-or-more")
    for _ in range(3):
        await refuses(verify, token, "signature")
    assert len(verified) == 3


@pytest.mark.parametrize("seconds", [0, 0.05])
async def test_forgets_after_a_while(verified, seconds):
    """However long the token itself is good; at once where it is switched off."""
    verify, token = verifier(jwt_secret=SECRET, jwt_cache_seconds=seconds), sign()
    await verify(token)
    time.sleep(seconds)  # noqa: ASYNC251 -- the clock that nothing can turn back
    await verify(token)
    assert len(verified) == 2


async def test_remembers_no_token_past_its_end():
    """Not for a second, though the leeway counts."""
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        strict, patient = (verifier(jwt_secret=SECRET, jwt_leeway=leeway) for leeway in (0, 10))
        token = sign(exp=1_900_000_020)
        await strict(token)
        await patient(token)

        clock.move_to(1_900_000_020)
        await refuses(strict, token, "expired")
        assert await patient(token)
        clock.move_to(1_900_000_030)
        await refuses(patient, token, "expired")


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_sees_a_clock_that_was_turned_back(claim):
    """A token that was good a moment ago may not be good yet."""
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        verify, token = verifier(jwt_secret=SECRET), sign(exp=1_900_000_600, **{claim: 1_900_000_000})
        await verify(token)
        clock.move_to(1_899_999_990)
        await refuses(verify, token, "not-yet-valid")


@pytest.mark.parametrize(
    ("kid", "reason"), [("e", "unknown-key"), ("r", "algorithm")], ids=["withdrawn", "renamed"]
)
async def test_forgets_the_tokens_of_a_key_that_is_gone(tmp_path, monkeypatch, kid, reason):
    """At once when the set has been read again; a `kid` is a name, no key, and another key may have it now."""
    file, stays = tmp_path / "jwks.json", jwk(ED, "EdDSA", "s")
    file.write_text(json.dumps({"keys": [jwk(RSA, "RS256", "r"), stays]}), "utf-8")
    verify, token = verifier(jwt_jwks=str(file)), sign(RSA, "RS256", {"kid": "r"})
    await verify(token)
    other = sign(ED, "EdDSA", {"kid": "s"})
    await verify(other)

    file.write_text(json.dumps({"keys": [jwk(EC, "ES256", kid), stays]}), "utf-8")
    monkeypatch.setattr(keys, "JWKS_COOLDOWN", 0.0)
    await refuses(verify, sign(EC, "ES256", {"kid": "new"}), "unknown-key")  # has the set read again

    await refuses(verify, token, reason)
    assert await verify(other)


async def test_hands_out_claims_of_ones_own():
    """A change that a handler makes to them is not seen by others."""
    verify, token = verifier(jwt_secret=SECRET), sign(roles=["a"])
    for _ in range(3):
        claims = await verify(token)
        assert claims["roles"] == ["a"]
        claims["roles"].append("admin")
        claims["sub"] = "somebody"


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
JSON = json_values(TEXT, st.integers(-(10**25), 10**25) | FLOATS)


@given(JSON)
def test_answers_from_memory_as_it_did_at_first(value):
    verify = TokenVerifier(SingleKey(*KEY), Settings(jwt_leeway=0, jwt_max_life=0))
    token = sign(own={"value": value})

    answers = []
    for _ in range(2):
        with pytest.raises(StopIteration) as done:
            verify(token).send(None)
        answers.append(done.value.value)

    assert repr(answers[0]) == repr(answers[1])


def test_remembers_no_integer_that_it_would_change():
    """The cache writes integers of 64 bits; a token may have larger ones."""
    memory = TokenCache(60.0, 0.0)
    memory.put(b"mark", {"exp": time.time() + 60, "big": 2**64}, None, KEY)
    assert memory.get(b"mark") is None


def test_forgets_the_oldest_when_it_is_full(monkeypatch):
    """Memory is bounded, however many users sign in."""
    monkeypatch.setattr(remembered, "MAX_CACHED", 3)
    memory = TokenCache(60.0, 0.0)
    for mark in (b"1", b"2", b"3", b"4"):
        memory.put(mark, {"exp": time.time() + 60}, None, KEY)
    assert [memory.get(mark) is not None for mark in (b"1", b"2", b"3", b"4")] == [False, True, True, True]


async def test_keeps_no_token():
    """A dump of this memory is not enough to sign in."""
    verify, token = verifier(jwt_secret=SECRET), sign()
    await verify(token)

    # by `type`: `isinstance` asks a dead weak proxy for its class, which raises ReferenceError
    kept = [thing for thing in gc.get_objects() if type(thing) is TokenCache]

    assert any(memory.get(fingerprint(token)) for memory in kept)
    signature = token.rpartition(".")[2]
    assert not any(signature in repr(vars(memory)) for memory in kept)


async def test_asks_the_store_who_it_is_though_the_token_is_remembered(hosting, tmp_path, verified):
    """Role and disabled state count on the next request, and so they do when the user is let in again."""
    url = f"sqlite:///{tmp_path}/relay.db"
    document = contract(
        {"/role": {"get": operation("show", security=[{"token": []}])}},
        components={"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    )
    ours = """
        from handlers._collaborators import collaborators, Settings
        from handlers._errors import render_error
        from handlers._identity import identify
    """
    things = "async def show(caller):\n    return caller.access_role\n"
    application = hosting(document, kind=Settings, settings={"store": url}, init=ours, things=things)
    headers = bearer({"userId": USER})
    user = {"_id": USER, "organizationId": ORGANIZATION, "accessRole": "ADMIN"}

    async with calling(application) as client, open_store(url) as store:

        async def answer(**changes):
            await store.load(Batch([{"_id": ORGANIZATION, "name": "Acme"}], [{**user, **changes}]))
            return await client.get("/role", headers=headers)

        roles = [(await answer(accessRole=role)).json() for role in ("ADMIN", "SALES_REP")]
        disabled = await answer(loginDisabled=True)
        again = await answer(loginDisabled=False)

    assert [*roles, again.json()] == ["ADMIN", "SALES_REP", "ADMIN"]
    assert_envelope(disabled, 401, "UNAUTHENTICATED")
    assert len(verified) == 1
