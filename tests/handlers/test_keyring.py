"""Keys and what they seal: `handlers/_store/keyring.py`."""

import base64
import pickle
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handlers._store import rules
from handlers._store.keyring import (
    KEY_ID,
    DecryptionFailed,
    Keyring,
    KeyringMisconfigured,
    new_entry,
    read_keyring,
)
from support import keyrings

ACME, FIELD = "a" * 24, "webhookSecret"
RAW = bytes(range(200, 232))  # in base64 it has both characters that the alphabets differ in, and padding
STANDARD, URL_SAFE = base64.b64encode(RAW).decode(), base64.urlsafe_b64encode(RAW).decode()

secrets = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
places = st.tuples(
    st.text("0123456789abcdef", min_size=24, max_size=24), st.sampled_from(rules.SECRETS) | secrets
)
alike = st.tuples(*[st.integers(0, 8)] * 2, st.text("ab", min_size=2, max_size=8)).map(
    lambda drawn: [(drawn[2][:cut], drawn[2][cut:]) for cut in drawn[:2]]
)
"""Two places that are the same letters, as the organization "ab" with the field "c" and "a" with "bc"."""
key_ids = st.from_regex(KEY_ID, fullmatch=True)


@given(place=places, key_id=key_ids, secret=secrets)
def test_opens_what_it_sealed(place, key_id, secret):
    """Each encryption of a text gives another ciphertext, which decrypts to the text."""
    keyring = Keyring({key_id: RAW})

    first, second = keyring.encrypt(*place, secret), keyring.encrypt(*place, secret)

    assert keyring.decrypt(*place, first) == keyring.decrypt(*place, second) == secret
    assert (first.nonce != second.nonce, first.ciphertext != second.ciphertext) == (True, True)
    assert (first.key_id, len(first.nonce)) == (key_id, 12)


@given(pair=st.tuples(places, places) | alike, secret=secrets)
def test_what_was_moved_never_opens(pair, secret):
    """Neither in another organization nor in another field, whose text may share letters with the first's."""
    place, other = pair
    assume(place != other)
    sealed = keyrings.BOTH.encrypt(*place, secret)

    with pytest.raises(DecryptionFailed):
        keyrings.BOTH.decrypt(*other, sealed)


@given(key_id=key_ids, other=key_ids)
def test_what_got_another_key_id_never_opens(key_id, other):
    """Not even where the same key stands behind both ids."""
    assume(key_id != other)
    sealed = Keyring({key_id: RAW}).encrypt(ACME, FIELD, "canary")

    with pytest.raises(DecryptionFailed):
        Keyring({other: RAW}).decrypt(ACME, FIELD, replace(sealed, key_id=other))


@given(bit=st.integers(min_value=0), part=st.sampled_from(["nonce", "ciphertext"]))
def test_what_was_changed_never_opens(bit, part):
    """Not by a single bit, of the tag or of anything else."""
    sealed = keyrings.BOTH.encrypt(ACME, FIELD, "canary")
    changed = bytearray(getattr(sealed, part))
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8

    with pytest.raises(DecryptionFailed):
        keyrings.BOTH.decrypt(ACME, FIELD, replace(sealed, **{part: bytes(changed)}))


@pytest.mark.parametrize("part", ["nonce", "ciphertext"])
@pytest.mark.parametrize("raw", [b"", b"\0", b"\0" * 500])
def test_what_is_no_ciphertext_never_opens(part, raw):
    """Too short for a tag or too long for a nonce is answered like any other, with no error of a library's."""
    sealed = replace(keyrings.BOTH.encrypt(ACME, FIELD, "canary"), **{part: raw})

    with pytest.raises(DecryptionFailed, match="the key new does not decrypt it"):
        keyrings.BOTH.decrypt(ACME, FIELD, sealed)


def test_the_first_key_seals_and_every_key_opens():
    """That is how a key is changed: the new one goes before the old."""
    old = keyrings.OLD_ONLY.encrypt(ACME, FIELD, "canary")

    assert keyrings.BOTH.decrypt(ACME, FIELD, old) == "canary"
    assert keyrings.BOTH.encrypt(ACME, FIELD, "canary").key_id == keyrings.BOTH.key_ids[0] == "new"
    with pytest.raises(DecryptionFailed, match="RELAY_KEYRING has no key old"):
        keyrings.NEW_ONLY.decrypt(ACME, FIELD, old)


@pytest.mark.parametrize("encoded", [STANDARD, STANDARD.rstrip("="), URL_SAFE, URL_SAFE.rstrip("=")])
def test_takes_either_alphabet(encoded):
    """Tools that make keys differ in it, and in padding."""
    sealed = Keyring({"a": RAW}).encrypt(ACME, FIELD, "canary")

    assert read_keyring(f"a:{encoded}").decrypt(ACME, FIELD, sealed) == "canary"


@pytest.mark.parametrize(
    "text",
    [
        f"{keyrings.NEW},{keyrings.OLD}",
        f" {keyrings.NEW} , {keyrings.OLD},",
        f"{keyrings.NEW}\n{keyrings.OLD}\n",
        f"# keys/of: ours\n{keyrings.NEW}\r\n\n  # the last\n{keyrings.OLD}",
    ],
    ids=["commas", "blanks", "lines", "comments"],
)
@pytest.mark.parametrize("name", ["keyring", "of: this month", None])
def test_reads_entries_and_files_of_them(tmp_path, text, name):
    """A variable holds the keys or says where they are; a folder makes a path of any name."""
    if name:
        (tmp_path / name).write_text(text, "utf-8")

    keyring = read_keyring(f"{tmp_path / name}\n" if name else text)

    assert keyring.key_ids == ("new", "old")


def test_reads_a_file_of_the_working_folder(tmp_path, monkeypatch):
    """Its name alone will do, and a byte order mark that an editor left does no harm."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keyring").write_text(keyrings.OLD, "utf-8-sig")

    assert read_keyring("keyring").key_ids == ("old",)


NEITHER = "it is neither a list of keys, `id:base64` each, nor a readable file of such keys"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["it contains no key; create one with `relay keys new`"]),
        (" ,\n# nothing", ["it contains no key; create one with `relay keys new`"]),
        (STANDARD, [NEITHER]),
        (f"canary/{'x' * 5000}", [NEITHER]),
        ("/canary\0", [NEITHER]),
        ("~canary-nobody/keyring", [NEITHER]),
        ("/", [NEITHER]),
        (f"a: {URL_SAFE}", ["entry 1: it is not `id:base64`", "entry 2: it is not `id:base64`"]),
        (f"{keyrings.OLD} b:not*base64", ["entry 2: it is not `id:base64`"]),
        (f"{keyrings.OLD} b:AAAAA", ["entry 2: it is not `id:base64`"]),
        (f"b:canary,{keyrings.OLD}", ["entry 1: its key has 4 bytes; AES-256 needs 32"]),
        (f"b:{URL_SAFE[:40]}", ["entry 1: its key has 30 bytes; AES-256 needs 32"]),
        (f"b:{URL_SAFE[:40]}{URL_SAFE}", ["entry 1: its key has 62 bytes; AES-256 needs 32"]),
        (f"é:{URL_SAFE} {'x' * 65}:{'1' * 43}",
         [f"entry {n}: its id is not 1 to 64 letters, digits, dots, hyphens and underscores" for n in (1, 2)]),
        (f"{URL_SAFE.rstrip('=')}:2026-11", ["entry 1: its key has 5 bytes; AES-256 needs 32"]),
        (f"a:{URL_SAFE} a:{'1' * 43}", ["entry 2: an earlier entry has the same id"]),
        (f"a:{URL_SAFE} b:{STANDARD}", ["entry 2: an earlier entry has the same key"]),
    ],
)  # fmt: skip
def test_refuses_what_is_no_keyring(text, expected):
    """All problems, by position and rule, without the content of an entry, which may be the key."""
    with pytest.raises(KeyringMisconfigured) as refusal:
        read_keyring(text)

    assert list(refusal.value.problems) == expected
    assert refusal.value.__cause__ is None
    for part in ("canary", STANDARD[:10], URL_SAFE[:10]):
        assert part not in f"{refusal.value!r} {refusal.value}"


def test_refuses_a_file_without_telling_what_is_in_it(tmp_path):
    for content in (b"canary", RAW, b"\xff canary"):
        (tmp_path / "keyring").write_bytes(content)

        with pytest.raises(KeyringMisconfigured) as refusal:
            read_keyring(str(tmp_path / "keyring"))

        assert "canary" not in repr(refusal.value)


def test_shows_no_key():
    """Not in a log, nor in a traceback, nor as a pickle that a process leaves behind."""
    keyring = read_keyring(f"a:{URL_SAFE}")

    shown = f"{keyring!r} {keyring} {keyring._ciphers} {keyring.encrypt(ACME, FIELD, 'canary')!r}"
    assert "Keyring" in shown
    for spelling in (URL_SAFE[:10], STANDARD[:10], RAW.hex()[:10], repr(RAW)[2:12]):
        assert spelling not in shown
    with pytest.raises(TypeError):
        pickle.dumps(keyring)


def test_makes_a_key_that_nobody_has():
    entries = {new_entry("2026-11") for _ in range(20)}

    assert len(entries) == 20
    assert {read_keyring(entry).key_ids for entry in entries} == {("2026-11",)}
