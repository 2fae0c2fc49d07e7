"""Keys, and what is signed with them: tokens that are good, and tokens made to be refused."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from relay.project.settings import Settings
from relay.server.errors import Unauthenticated
from relay.server.tokens import TokenVerifier, token_verifier

from .answering import PreparedResponse, ReceivedRequest, answering
from .hosting import SECRET

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    """A key's public half in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: Any) -> str:
    """A private key in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def jwk(key: Any, algorithm: str, kid: Any = None, **rest: Any) -> dict[str, Any]:
    """A key's public half as a JSON Web Key."""
    found = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
    return {**found, **({} if kid is None else {"kid": kid}), **rest}


def sign(
    key: Any = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A token that is good for an hour, unless the claims say otherwise; None removes one."""
    claims = {"sub": "u", "exp": int(time.time()) + 3600, **claims}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers)


def encoded(raw: bytes) -> str:
    """Bytes in base64url, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def compact(header: bytes, payload: bytes, key: bytes = SECRET.encode(), algorithm: str = "HS256") -> str:
    """A token of this very header and payload, with a good signature."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(jwt.get_algorithm_by_name(algorithm).sign(signed.encode(), key))}"


def verifier(**settings: Any) -> TokenVerifier:
    """Return the verifier of tokens of a service with these settings."""
    return token_verifier(Settings(**settings))


async def refuses(verify: TokenVerifier, token: str, reason: str | None = None) -> None:
    """Assert that a token is refused, for this reason if one is given."""
    with pytest.raises(Unauthenticated) as refusal:
        await verify(token)
    assert reason in (None, refusal.value.reason)


class KeyServer:
    """An address that serves a key set, or fails without one, and counts how often it is asked."""

    def __init__(self, *keys: Any) -> None:
        self.document: Any = {"keys": [*keys]}
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.url = ""

    def answer(self, _request: ReceivedRequest) -> PreparedResponse:
        """Answer with the document, once that is allowed."""
        self.asked += 1
        self.may_answer.wait(20)
        return PreparedResponse(200 if self.document else 500, self.document)


@contextmanager
def serving_keys(*keys: Any) -> Iterator[KeyServer]:
    """Serve a key set until left."""
    server = KeyServer(*keys)
    with answering(server.answer) as url:
        server.url = f"{url}/jwks"
        yield server
        server.may_answer.set()
