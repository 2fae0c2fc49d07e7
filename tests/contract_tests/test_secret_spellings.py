"""Find secrets in every encoding: `scripts/relay/contract_tests/secret_spellings.py`."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract_tests.secret_spellings import MIN_LENGTH, Spellings

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=MIN_LENGTH, max_size=40)

SPELLINGS = [
    str.encode,
    lambda secret: json.dumps(secret).encode(),
    lambda secret: json.dumps(secret, ensure_ascii=False).encode(),
    lambda secret: quote(secret, safe="").encode(),
    lambda secret: quote(secret).encode(),
    lambda secret: quote_plus(secret).encode(),
    lambda secret: secret.encode().hex().encode(),
    lambda secret: secret.encode().hex().upper().encode(),
]


@given(SECRETS, st.sampled_from(SPELLINGS), st.binary(), st.binary())
def test_finds_every_encoding_at_any_position(secret, spelling, before, after):
    assert Spellings([secret]).are_in(before + spelling(secret) + after)


@given(SECRETS, st.binary(max_size=20), st.binary(max_size=20))
def test_finds_it_at_any_offset_within_base64(secret, before, after):
    """A credential may be encoded together with a prefix such as `user:`."""
    whole = before + secret.encode() + after

    assert Spellings([secret]).are_in(base64.b64encode(whole))
    assert Spellings([secret]).are_in(base64.urlsafe_b64encode(whole))


@given(st.text("abcdefghijklmnopqrstuvwxyz -,.{}:\"'", max_size=500))
def test_random_text_contains_no_secret(text):
    assert not Spellings(["S3cret-Of-Nobody", "0123456789"]).are_in(text.encode())


def test_a_part_of_a_secret_is_not_found():
    secret, part = "S3cret-Of-Nobody", b"S3cret-Of-Nobod"

    for text in (part, part.hex().encode(), base64.b64encode(part)):
        assert not Spellings([secret]).are_in(text)


@pytest.mark.parametrize("short", ["", "a", "passwor"])
def test_short_secrets_are_ignored(short):
    """They occur in other text, and the empty text occurs everywhere."""
    assert not Spellings([short]).are_in(b"a password")


def test_a_secret_may_be_any_bytes():
    raw = b"\xff\xfe-secret-bytes"
    secret = raw.decode(errors="surrogateescape")

    assert Spellings([secret]).are_in(b"it is " + raw)
    assert Spellings([secret]).are_in(base64.b64encode(raw))


def test_the_repr_has_no_secrets():
    assert "S3cret" not in repr(Spellings(["S3cret-Of-Nobody"]))
