"""Tokens: `scripts/relay/server/tokens.py`; what is refused, one by one, is in `test_token_table.py`."""

from __future__ import annotations

import base64
import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import HMACAlgorithm

from relay.server.errors import Unauthenticated
from support.hosting import SECRET
from support.signing import RSA, compact, pem, refuses, sign, verifier


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
