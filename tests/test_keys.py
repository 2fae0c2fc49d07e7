"""Keys and key sets: `handlers/_host/keys.py`, and the key settings."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from handlers._host import keys
from handlers._host.problems import SetupError
from hosting import SECRET
from signing import EC, ED, RSA, jwk, pem, refuses, sign, verifier

WEAK = rsa.generate_private_key(65537, 1024)  # noqa: S505 -- to be refused


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")], ids=["RS256", "ES256", "EdDSA"]
)
async def test_verifies_with_a_public_key(key, algorithm, tmp_path):
    """Given in PEM, or as the path of a file; the algorithm follows from the key."""
    file = tmp_path / "key.pem"
    file.write_text(pem(key), "utf-8")

    for setting in (pem(key), str(file)):
        assert (await verifier(jwt_public_key=setting)(sign(key, algorithm)))["sub"] == "u"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"jwt_secret": "short"}, "RELAY_JWT_SECRET: it has 5 bytes; HS256 needs 32 or more"),
        ({"jwt_secret": pem(RSA)}, "RELAY_JWT_SECRET: it is a PEM key; a public key goes into"),
        ({"jwt_public_key": "/nowhere.pem"}, "RELAY_JWT_PUBLIC_KEY: it is neither a key in PEM nor a file"),
        ({"jwt_public_key": "-----BEGIN x"}, "RELAY_JWT_PUBLIC_KEY: it is not a public key in PEM"),
        (
            {"jwt_jwks": "/nowhere.json"},
            "RELAY_JWT_JWKS: it is neither an https:// address nor a file that can be read",
        ),
        (
            {"jwt_jwks": '{"keys":[{"kty":"oct","k":"sk_canary"}]}'},
            "RELAY_JWT_JWKS: it is neither an https:// address nor a file that can be read",
        ),
        ({"jwt_jwks": "https://[bad"}, "RELAY_JWT_JWKS: it is not an address"),
        (
            {"jwt_jwks": "http://id.example/jwks"},
            "RELAY_JWT_JWKS: a key set's address has to begin with https://",
        ),
        (
            {"jwt_secret": SECRET, "jwt_jwks": "/x"},
            "RELAY_JWT_SECRET and RELAY_JWT_JWKS: tokens are verified with one family of keys; keep one of them",
        ),
    ],
)
def test_refuses_to_start_with_a_key_that_cannot_be_used(settings, told):
    """What is wrong with it, never what it is."""
    with pytest.raises(SetupError) as raised:
        verifier(**settings)

    (problem,) = raised.value.problems
    assert str(problem).startswith(told)
    assert "sk_canary" not in str(problem)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (WEAK, "an RSA key of 1024 bits; 2048 or more are needed"),
        (ec.generate_private_key(ec.SECP384R1()), "neither RSA, nor on the curve P-256, nor Ed25519"),
    ],
)
def test_refuses_weak_and_foreign_public_keys(key, told):
    """RFC 7518 section 3.3 for RSA."""
    with pytest.raises(SetupError, match=told):
        verifier(jwt_public_key=pem(key))


def test_refuses_a_private_key():
    """A service that verifies does not need it, and must not hold it."""
    private = ED.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(SetupError, match="it is a private key; the service only needs the public one"):
        verifier(jwt_public_key=private)


async def test_chooses_the_key_of_a_set_by_its_id(tmp_path):
    """Each key with its own algorithm only."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [jwk(RSA, "RS256", "r"), jwk(EC, "ES256", "e")]}), "utf-8")
    verify = verifier(jwt_jwks=str(file))

    assert await verify(sign(RSA, "RS256", {"kid": "r"}))
    assert await verify(sign(EC, "ES256", {"kid": "e"}))
    await refuses(verify, sign(EC, "ES256", {"kid": "r"}))
    await refuses(verify, sign(RSA, "RS256"))
    await refuses(verify, sign(RSA, "RS256", {"kid": "unknown"}))


@pytest.mark.parametrize(
    "content", ["[]", "{}", "nope", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}']
)
def test_refuses_a_key_set_without_a_usable_key(tmp_path, content):
    """A shared secret in a public document is no key."""
    file = tmp_path / "jwks.json"
    file.write_text(content, "utf-8")

    with pytest.raises(SetupError, match=r"RELAY_JWT_JWKS: it (is not a JSON Web Key Set|holds no)"):
        verifier(jwt_jwks=str(file))


class KeyServer:
    """An address that serves a key set, or fails, and counts how often it is asked."""

    def __init__(self):
        self.document = {"keys": []}
        self.redirect = None
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                body = json.dumps(outer.document).encode()
                if self.path.endswith("/redirected"):
                    self.send_response(302)
                    self.send_header("Location", outer.redirect)
                else:
                    self.send_response(200 if outer.document else 500)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"


@pytest.fixture
def key_server():
    """A key server on this machine."""
    server = KeyServer()
    yield server
    server.server.shutdown()
    server.server.server_close()


async def test_reads_a_key_set_again_when_a_token_names_a_new_key(key_server, monkeypatch):
    """Keys rotate; but however many unknown keys tokens name, the address is not asked more often."""
    key_server.document = {"keys": [jwk(RSA, "RS256", "r")]}
    verify = verifier(jwt_jwks=key_server.url)
    assert await verify(sign(RSA, "RS256", {"kid": "r"}))
    key_server.document = {"keys": [jwk(EC, "ES256", "e")]}

    for _ in range(5):
        await refuses(verify, sign(EC, "ES256", {"kid": "e"}))
    assert key_server.asked == 1

    monkeypatch.setattr(keys, "JWKS_COOLDOWN", 0.0)
    assert await verify(sign(EC, "ES256", {"kid": "e"}))
    assert key_server.asked == 2


async def test_never_follows_a_redirect_to_other_keys(key_server):
    """An https address must not become another one by its own word."""
    key_server.document = {"keys": [jwk(RSA, "RS256", "r")]}
    key_server.redirect = key_server.url

    with pytest.raises(keys.KeysUnavailable):
        await verifier(jwt_jwks=f"{key_server.url}/redirected")(sign(RSA, "RS256", {"kid": "r"}))


async def test_blames_nobody_when_the_key_set_is_not_http():
    """Whatever answers there, it is no fault of the caller's."""

    async def babble(_reader, writer):
        writer.write(b"hello\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(keys.KeysUnavailable):
            await verifier(jwt_jwks=f"http://127.0.0.1:{port}/")(sign(RSA, "RS256", {"kid": "r"}))


async def test_keeps_the_last_key_set_while_its_address_fails(key_server, monkeypatch):
    """An outage there must not sign everybody out here."""
    key_server.document = {"keys": [jwk(RSA, "RS256", "r")]}
    verify = verifier(jwt_jwks=key_server.url)
    assert await verify(sign(RSA, "RS256", {"kid": "r"}))
    key_server.document = {}
    monkeypatch.setattr(keys, "JWKS_COOLDOWN", 0.0)
    monkeypatch.setattr(keys, "JWKS_LIFE", 0.0)

    assert await verify(sign(RSA, "RS256", {"kid": "r"}))


async def test_blames_nobody_while_there_are_no_keys_at_all(key_server):
    """A good token cannot be told from a bad one: 500, not 401."""
    key_server.document = {}

    with pytest.raises(keys.KeysUnavailable):
        await verifier(jwt_jwks=key_server.url)(sign(RSA, "RS256", {"kid": "r"}))
