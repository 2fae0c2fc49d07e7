"""Every way we know in which a token can be wrong, through the service itself (RFC 8725 and beyond)."""

import asyncio
import io
import json
import logging
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers._settings import Settings
from handlers._store import Batch, open_store
from relay import create_app
from relay.server import logs
from support.hosting import SECRET, assert_envelope, calling, request_lines, unchanged_logs
from support.signing import EC, RSA, compact, encoded, jwk, pem, sign

PATH = "/api/calls/voice-ai/config"
CANARY = "sk-canary"
ORGANIZATION, USER, LEAVER = (f"64f0a1b2c3d4e5f6a7b8c9{end}" for end in ("00", "d1", "d3"))
NOW = int(time.time())
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {
    "userId": USER, "iss": "https://id.example", "aud": "relay",
    "iat": NOW - 60, "exp": NOW + 3600, "canary": CANARY,
}  # fmt: skip


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def header(**changes: Any) -> str:
    """A token with these header parameters, and a good signature; None leaves one out."""
    kept = {name: value for name, value in {**HEADER, **changes}.items() if value is not None}
    return compact(as_json(kept), as_json(CLAIMS))


def claims(*without: str, **changes: Any) -> str:
    """A token with these claims in addition or instead, without some, and a good signature."""
    kept = {name: value for name, value in {**CLAIMS, **changes}.items() if name not in without}
    return compact(as_json(HEADER), as_json(kept))


def payload(raw: bytes) -> str:
    return compact(as_json(HEADER), raw)


def spelled(number: str, claim: str = "exp") -> str:
    """A token one of whose times is this very text."""
    return payload(as_json({**CLAIMS, claim: "@"}).replace(b'"@"', number.encode()))


GOOD = claims()
HEAD, BODY, SIGNATURE = GOOD.split(".")
LAST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
STRAY = LAST[LAST.index(SIGNATURE[-1]) + 1]  # the same bytes in another spelling


class Row(NamedTuple):
    """A token, and why it is refused; None lets it in."""

    name: str
    token: str
    reason: str | None


TABLE = [
    Row("good", GOOD, None),
    Row("good, two audiences", claims(aud=["other", "relay"]), None),
    Row("good, no iat", claims("iat"), None),
    Row("good, a time with a fraction", claims(exp=NOW + 3600.5), None),
    Row("good, sub in place of userId", claims("userId", sub=USER), None),
    Row("good, a kid that one key does not need", header(kid="k"), None),
    Row("good, type at+jwt", header(typ="at+jwt"), None),
    Row("good, type in full and in capitals", header(typ="APPLICATION/AT+JWT"), None),
    Row("good, no type", header(typ=None), None),
    Row("good, keys of its own that are not read", header(x5t="x"), None),
    # Form.
    Row("no token", "nonsense", "malformed"),
    Row("two segments", f"{HEAD}.{BODY}", "malformed"),
    Row("four segments", f"{GOOD}.AAAA", "malformed"),
    Row("five segments, as an encrypted token has", f"{GOOD}.AAAA.AAAA", "malformed"),
    Row("no header", f".{BODY}.{SIGNATURE}", "malformed"),
    Row("no payload", f"{HEAD}..{SIGNATURE}", "signature"),
    Row("no signature", f"{HEAD}.{BODY}.", "signature"),
    Row("padding", f"{GOOD}=", "malformed"),
    Row("padding within", f"{HEAD}=.{BODY}.{SIGNATURE}", "malformed"),
    Row("stray bits in the signature", f"{GOOD[:-1]}{STRAY}", "malformed"),
    Row("one character too many", f"{GOOD}A", "signature"),
    Row("a length that no bytes have", f"{GOOD}AA", "malformed"),
    Row("not base64url but base64", GOOD.replace("_", "/").replace("-", "+") + "/+/+", "malformed"),
    Row("a character outside the alphabet", f"{HEAD}.{BODY}.{SIGNATURE[:-4]}~{SIGNATURE[-3:]}", "malformed"),
    Row("a space before a dot", f"{HEAD} .{BODY}.{SIGNATURE}", "malformed"),
    Row("more than 8 KB", claims(padding="x" * 8192), "too-long"),
    # Header.
    Row("header no JSON", compact(b"header", as_json(CLAIMS)), "malformed"),
    Row("header no object", compact(b'["HS256"]', as_json(CLAIMS)), "malformed"),
    Row("header no UTF-8", compact(b'{"alg": "HS256", "x": "\xff"}', as_json(CLAIMS)), "malformed"),
    Row("alg twice", compact(b'{"alg": "none", "alg": "HS256"}', as_json(CLAIMS)), "malformed"),
    Row("no alg", header(alg=None), "malformed"),
    Row("alg no text", header(alg=["HS256"]), "malformed"),
    Row("alg none", f"{encoded(as_json({**HEADER, 'alg': 'none'}))}.{BODY}.", "algorithm"),
    Row("alg nOnE", f"{encoded(as_json({**HEADER, 'alg': 'nOnE'}))}.{BODY}.", "algorithm"),
    Row("alg none with the signature", f"{encoded(as_json({**HEADER, 'alg': 'none'}))}.{BODY}.{SIGNATURE}", "algorithm"),
    Row("alg in lower case", header(alg="hs256"), "algorithm"),
    Row("alg unknown", header(alg="HS1"), "algorithm"),
    Row("alg longer", sign(SECRET * 2, "HS512", **CLAIMS), "algorithm"),
    Row("alg of another family", sign(RSA, "RS256", **CLAIMS), "algorithm"),
    Row("alg of another family, with a key of its own", sign(EC, "ES256", {"jwk": jwk(EC, "ES256")}, **CLAIMS), "algorithm"),
    Row("kid a number", header(kid=7), "malformed"),
    Row("kid null", compact(b'{"alg": "HS256", "kid": null}', as_json(CLAIMS)), "malformed"),
    Row("kid absurdly long", header(kid="k" * 300), "malformed"),
    Row("kid a path, signed with what lies there", compact(as_json({**HEADER, "kid": "/dev/null"}), as_json(CLAIMS), b""), "signature"),
    Row("a critical extension", header(crit=["exp"], exp=NOW), "malformed"),
    Row("nothing that is critical", header(crit=[]), "malformed"),
    Row("a payload that is not encoded", header(b64=False, crit=["b64"]), "malformed"),
    Row("b64 without crit", header(b64=True), "malformed"),
    Row("compressed", header(zip="DEF"), "malformed"),
    Row("encrypted", header(enc="A256GCM"), "malformed"),
    Row("a token in a token", compact(as_json({**HEADER, "cty": "JWT"}), GOOD.encode()), "type"),
    Row("an id token", header(typ="id+jwt"), "type"),
    Row("a logout token", header(typ="logout+jwt"), "type"),
    Row("a security event", header(typ="application/secevent+jwt"), "type"),
    Row("a proof of possession", header(typ="dpop+jwt"), "type"),
    Row("a type that is no text", header(typ=["JWT"]), "type"),
    Row("an empty type", header(typ=""), "type"),
    # Signature.
    Row("the signature of another token", f"{GOOD.rpartition('.')[0]}.{claims(jti='1').rpartition('.')[2]}", "signature"),
    Row("claims of somebody else", f"{HEAD}.{encoded(as_json({**CLAIMS, 'userId': LEAVER}))}.{SIGNATURE}", "signature"),
    Row("header of another token", f"{header(kid='k').partition('.')[0]}.{BODY}.{SIGNATURE}", "signature"),
    Row("half a signature", GOOD[:-22] + "A", "signature"),
    Row("signed with another secret", compact(as_json(HEADER), as_json(CLAIMS), b"x" * 32), "signature"),
    Row("signed with nothing", compact(as_json(HEADER), as_json(CLAIMS), b""), "signature"),
    Row("signed with a public key for a secret", compact(as_json(HEADER), as_json(CLAIMS), pem(RSA).encode()), "signature"),
    # Payload.
    Row("payload no JSON", payload(b"payload"), "malformed"),
    Row("payload no object", payload(b"[]"), "malformed"),
    Row("payload null", payload(b"null"), "malformed"),
    Row("payload no UTF-8", payload(b'{"userId": "\xff"}'), "malformed"),
    Row("payload behind a byte order mark", payload(b"\xef\xbb\xbf" + as_json(CLAIMS)), "malformed"),
    Row("payload nested too deeply", payload(b"[" * 900 + b"]" * 900), "malformed"),
    Row("a claim twice", payload(as_json(CLAIMS)[:-1] + b', "userId": "%s"}' % LEAVER.encode()), "malformed"),
    Row("a claim twice, within another", payload(as_json(CLAIMS)[:-1] + b', "a": {"b": 1, "b": 2}}'), "malformed"),
    # Times.
    Row("expired", claims(exp=NOW - 1), "expired"),
    Row("expired long ago", claims(exp=0), "expired"),
    Row("no exp", claims("exp"), "claims"),
    *[
        Row(f"{name} {kind}", claims(**{name: value}), "claims")
        for name in ("exp", "nbf", "iat")
        for kind, value in (
            ("text", str(NOW + 600)), ("true", True), ("null", None), ("a list", [NOW]), ("negative", -1),
            ("beyond the year 9999", 253402300800),
        )
    ],
    Row("exp infinite", spelled("1e400"), "malformed"),
    Row("exp no number at all", spelled("NaN"), "malformed"),
    Row("exp of a thousand digits", spelled("9" * 1000), "malformed"),
    Row("not valid yet", claims(nbf=NOW + 3000), "not-yet-valid"),
    Row("from the future", claims(iat=NOW + 3000), "not-yet-valid"),
    Row("ends before it begins", claims(nbf=NOW - 10, exp=NOW - 20), "claims"),
    Row("lives for years", claims(exp=4102444800), "lifetime"),
    Row("lives for years, and does not say since when", claims("iat", exp=4102444800), "lifetime"),
    # Names.
    Row("no issuer", claims("iss"), "issuer"),
    Row("another issuer", claims(iss="https://stranger.example"), "issuer"),
    Row("nearly the issuer", claims(iss="https://id.example/"), "issuer"),
    Row("issuer a list", claims(iss=["https://id.example"]), "claims"),
    Row("no audience", claims("aud"), "audience"),
    Row("another audience", claims(aud="other"), "audience"),
    Row("other audiences", claims(aud=["other", "more"]), "audience"),
    Row("audience an empty list", claims(aud=[]), "claims"),
    Row("audience an object", claims(aud={"relay": True}), "claims"),
    Row("a number among the audiences", claims(aud=["relay", 7]), "claims"),
    Row("an empty text among the audiences", claims(aud=["relay", ""]), "claims"),
    *[
        Row(f"{name} {kind}", claims(**{name: value}), "claims")
        for name in ("iss", "aud", "sub", "jti")
        for kind, value in (("empty", ""), ("a number", 7), ("null", None))
    ],
    # Who it names.
    Row("nobody", claims("userId"), "nobody"),
    Row("userId a number", claims(userId=7), "nobody"),
    Row("userId null", claims(userId=None, sub=USER), "nobody"),
    Row("userId a list", claims(userId=[USER]), "nobody"),
    Row("userId a query", claims(userId={"$ne": ""}), "nobody"),
    Row("userId empty", claims(userId=""), "unknown-user"),
    Row("userId no id", claims(userId="admin"), "unknown-user"),
    Row("an unknown user", claims(userId="64f0a1b2c3d4e5f6a7b8cfff"), "unknown-user"),
    Row("a user who may not sign in", claims(userId=LEAVER), "disabled"),
]  # fmt: skip


@asynccontextmanager
async def serving(folder, **given):
    """The service, with a user who may call and one who may not."""
    url = f"sqlite:///{folder}/relay.db"
    user = {"organizationId": ORGANIZATION, "accessRole": "ADMIN"}
    users = [{"_id": USER, **user}, {"_id": LEAVER, **user, "loginDisabled": True}]
    async with open_store(url) as store:
        await store.load(Batch([{"_id": ORGANIZATION, "name": "Acme"}], users))
    own = {"jwt_secret": SECRET, "jwt_issuer": "https://id.example", "jwt_audience": "relay", **given}
    async with calling(create_app(settings=Settings(store=url, **own))) as client:
        yield client


def authorization(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Ask the service, one and the same for all of the table, with a token; return the answer and the log."""
    log = io.StringIO()
    with asyncio.Runner() as runner, unchanged_logs():
        logs.configure("debug", "json", log)
        stack = AsyncExitStack()
        client = runner.run(stack.enter_async_context(serving(tmp_path_factory.mktemp("service"))))

        def ask(token):
            log.truncate(log.seek(0))
            return runner.run(client.get(PATH, headers=authorization(token))), log.getvalue()

        yield ask
        runner.run(stack.aclose())


def assert_refused(response, *texts):
    """Assert that a credential is refused as every other is, and that nothing of it comes back."""
    assert_envelope(response, 401, "UNAUTHENTICATED")
    assert response.json()["error"] == "A valid credential is required"
    assert response.headers["www-authenticate"].endswith('error="invalid_token"')
    assert not any(text in str(response.headers) + response.text for text in texts)


def test_the_table_is_long_and_says_each_thing_once():
    """Two rows of one name, or one token, would be one case."""
    assert len(TABLE) >= 60
    assert len({row.name for row in TABLE}) == len({row.token for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_lets_in_the_good_and_refuses_all_others(ask, caplog, row):
    """For the reason that the log gets, in one line; neither log nor answer repeats anything of the token."""
    caplog.set_level(logging.DEBUG)

    response, log = ask(row.token)

    [line] = request_lines(log)
    if row.reason is None:
        assert response.status_code == 200
    else:
        texts = [CANARY, row.token.rpartition(".")[2] or CANARY]
        assert_refused(response, *texts)
        assert (line["reason"], line["level"]) == (row.reason, "info")
        written = log + "".join(str(vars(record)) for record in caplog.records)
        assert not any(text in written for text in texts)


def test_the_table_has_every_reason():
    """They label a metric: few words, and those that need a key set or no token have tests of their own."""
    assert {row.reason for row in TABLE} == {
        None, "malformed", "too-long", "expired", "not-yet-valid", "signature", "algorithm", "type", "issuer",
        "audience", "claims", "lifetime", "nobody", "unknown-user", "disabled",
    }  # fmt: skip


async def test_looks_at_no_key_that_a_token_brings_along(tmp_path):
    """Nor at the address of one: the sender of a token must not choose which address we ask."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.setblocking(False)
        address = f"http://127.0.0.1:{stranger.getsockname()[1]}/keys"
        brought = [
            {"jku": address},
            {"x5u": address},
            {"jwk": jwk(EC, "ES256", "k")},
            {"x5c": ["AAAA"]},
            {"kid": address},
        ]
        file = tmp_path / "jwks.json"
        file.write_bytes(as_json({"keys": [jwk(RSA, "RS256", "ours")]}))
        for given in (
            {},
            {"jwt_secret": None, "jwt_public_key": pem(RSA)},
            {"jwt_secret": None, "jwt_jwks": str(file)},
        ):
            async with serving(tmp_path, **given) as client:
                for one in brought:
                    token = sign(EC, "ES256", {"kid": "ours", **one}, **CLAIMS)
                    assert_refused(await client.get(PATH, headers=authorization(token)))
        with pytest.raises(BlockingIOError):
            stranger.accept()


def flip(token, where):
    where %= len(token)
    return token[:where] + chr(ord(token[where]) ^ 1) + token[where + 1 :]


def changed_header(change):
    """A token whose header was changed after it was signed."""
    return f"{encoded(as_json({**HEADER, **change}))}.{BODY}.{SIGNATURE}"


def changed_claims(change):
    """A token whose claims were changed after it was signed."""
    return f"{HEAD}.{encoded(as_json({**CLAIMS, **change}))}.{SIGNATURE}"


PLACE = st.integers(0, len(GOOD))
VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.lists(st.text(max_size=3), max_size=2)
)
NAMES = st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "userId", "exp", "aud", "x"])
CHANGE = st.dictionaries(NAMES, VALUE, min_size=1, max_size=3)
MUTATED = st.one_of(
    PLACE.map(lambda place: flip(GOOD, place)),
    PLACE.map(lambda place: GOOD[:place]),
    PLACE.map(lambda place: GOOD[place:]),
    st.builds(lambda place, text: GOOD[:place] + text + GOOD[place:], PLACE, VISIBLE),
    st.builds(lambda one, two: GOOD[: min(one, two)] + GOOD[max(one, two) :], PLACE, PLACE),
    st.permutations([HEAD, BODY, SIGNATURE]).map(".".join),
    st.lists(st.sampled_from([HEAD, BODY, SIGNATURE, ""]), max_size=5).map(".".join),
    CHANGE.map(changed_header),
    CHANGE.map(changed_claims),
)  # fmt: skip


@pytest.mark.slow
@given(MUTATED)
@settings(max_examples=300)
def test_lets_in_nothing_but_the_token_that_was_signed(ask, token):
    """However it is bent, while the good one is remembered: 401, and never anything else."""
    assert ask(GOOD)[0].status_code == 200
    response, _ = ask(token)
    if token != GOOD:
        assert_refused(response)
