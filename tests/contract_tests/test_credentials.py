"""Credentials of identities: `scripts/relay/contract_tests/credentials.py`."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from relay.contract.diagnostics import SetupError
from relay.contract_tests.contract_config import Config, Identity
from relay.contract_tests.credentials import Credentials, Signer, carrying, public_pem, signed_in, signer
from relay.contract_tests.exchanges import Request
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest
from support.compiled import read
from support.hosting import SECRET, contract, operation, put
from support.signing import EC, ED, RSA, pem, private_pem

KEYS = {"RS256": RSA, "ES256": EC, "EdDSA": ED}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "the key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "login": {"type": "http", "scheme": "basic"},
    "digest": {"type": "http", "scheme": "digest"},
}


def key_set(folder, *algorithms):
    """A file with a JSON Web Key Set; each key is called like its algorithm."""
    keys = [
        {**json.loads(jwt.get_algorithm_by_name(name).to_jwk(KEYS[name].public_key())), "kid": f"the {name}"}
        for name in algorithms
    ]
    put(folder / "keys.json", {"keys": keys})
    return str(folder / "keys.json")


@pytest.fixture
def subject():
    """Make a service under test with some identities; its contract has every kind of scheme."""

    def subject(*identities, **given):
        needs = operation("a", security=[{"token": [], "key": []}, {"login": []}])
        found = read(contract({"/a": {"get": needs}}, components={"securitySchemes": SCHEMES}))
        return ServiceUnderTest("http://x.example", found, Config(identities), ContractSettings(**given))

    return subject


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", KEYS)
def test_a_private_key_signs_what_its_public_key_verifies(algorithm, tmp_path):
    key = KEYS[algorithm]
    (tmp_path / "key.pem").write_text(private_pem(key), "utf-8")

    for given in (private_pem(key), str(tmp_path / "key.pem")):
        found = signer(ContractSettings(jwt_private_key=given, jwt_public_key=pem(key)))

        assert jwt.decode(found.sign({"sub": "u"}), key.public_key(), [algorithm]) == {"sub": "u"}


def test_a_key_of_a_set_is_named_as_the_set_names_it(tmp_path):
    """Of several keys, the service finds the right one by `kid` alone."""
    found = signer(
        ContractSettings(
            jwt_private_key=private_pem(KEYS["ES256"]), jwt_jwks=key_set(tmp_path, "RS256", "ES256")
        )
    )

    assert jwt.get_unverified_header(found.sign({}))["kid"] == "the ES256"


@pytest.mark.slow
def test_a_private_key_that_belongs_to_nothing_is_reported(tmp_path):
    key = private_pem(rsa.generate_private_key(65537, 2048))

    with pytest.raises(SetupError) as by_key:
        signer(ContractSettings(jwt_private_key=key, jwt_public_key=pem(KEYS["RS256"])))
    with pytest.raises(SetupError) as by_set:
        signer(ContractSettings(jwt_private_key=key, jwt_jwks=key_set(tmp_path, "RS256", "ES256")))

    expected = "RELAY_JWT_PRIVATE_KEY: it does not belong to {}; set its counterpart"
    assert str(by_key.value) == expected.format("RELAY_JWT_PUBLIC_KEY")
    assert str(by_set.value) == expected.format("RELAY_JWT_JWKS")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jwt_private_key": "/nowhere"}, "neither a private key in PEM without a password nor a file"),
        ({"jwt_private_key": pem(KEYS["RS256"])}, "neither a private key in PEM without a password"),
        ({"jwt_private_key": private_pem(ec.generate_private_key(ec.SECP384R1()))}, "neither RSA, nor on P-256"),
        ({"jwt_secret": "short"}, "RELAY_JWT_SECRET: it has 5 bytes"),
        ({"jwt_private_key": private_pem(KEYS["RS256"]), "jwt_jwks": "http://127.0.0.1:9/keys"},
         "RELAY_JWT_JWKS: the key set cannot be read"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_reported(given, message):
    with pytest.raises(SetupError, match=message) as raised:
        signer(ContractSettings(**given))

    assert "BEGIN" not in str(raised.value)


def test_nothing_signs_without_a_key():
    assert signer(ContractSettings()) is None
    assert signer(ContractSettings(jwt_public_key=pem(KEYS["RS256"]))) is None


def test_the_public_key_is_known_wherever_it_stands(tmp_path):
    """As it is configured, else as what signs has it; a shared secret has none."""
    expected = pem(KEYS["ES256"])
    (tmp_path / "public.pem").write_text(expected, "utf-8")

    assert public_pem(ContractSettings(jwt_public_key=expected.strip()), None) == expected.strip()
    assert public_pem(ContractSettings(jwt_public_key=str(tmp_path / "public.pem")), None) == expected
    assert public_pem(ContractSettings(jwt_jwks=key_set(tmp_path, "ES256")), None) == expected
    assert public_pem(ContractSettings(), Signer(KEYS["ES256"], "ES256")) == expected
    assert public_pem(ContractSettings(jwt_secret=SECRET), Signer(SECRET.encode(), "HS256")) is None
    assert public_pem(ContractSettings(), None) is None


def test_a_token_says_what_its_identity_says_and_what_the_service_asks_for(subject):
    """Its own claims go before those that are set, and scopes come to those it has; its type and life are those asked for."""
    person = Identity("person", {"sub": "u", "aud": "their own", "scope": "a"})
    asked = {"jwt_issuer": "issuer", "jwt_audience": "audience", "jwt_type": "at+jwt", "jwt_max_life": 60}
    credentials = Credentials(subject(person, jwt_secret=SECRET, **asked))

    claims = credentials.claims(person, ["b"])

    token = credentials.of(person)["token"]
    sent = jwt.decode(token, SECRET, ["HS256"], audience="their own")
    assert claims.items() >= {"sub": "u", "iss": "issuer", "aud": "their own", "scope": "a b"}.items()
    assert (sent["exp"] - sent["iat"], jwt.get_unverified_header(token)["typ"]) == (60, "at+jwt")


def test_the_environment_goes_before_what_could_be_signed(subject, monkeypatch):
    """A variable that is not set gives nothing, and an identity without credentials is not the default."""
    monkeypatch.setenv("TEST_TOKEN", "a-token-of-theirs")
    monkeypatch.delenv("TEST_KEY", raising=False)
    keyless = Identity("keyless", variables={"key": "TEST_KEY"})
    refused = Identity("refused", {"sub": "v"}, signs_in=False)
    person = Identity("person", {"sub": "u"}, {"token": "TEST_TOKEN", "key": "TEST_KEY"})

    credentials = Credentials(subject(keyless, refused, person, jwt_secret=SECRET))

    assert credentials.of(person) == {"token": "a-token-of-theirs"}
    assert credentials.of(keyless) == {}
    assert credentials.default is person


def test_a_request_carries_what_one_requirement_needs(subject):
    tested = subject()
    (wanted,) = tested.contract.operations
    request = Request("GET", "http://x.example/a")

    both = signed_in(request, wanted, tested.contract, {"token": "t", "key": "k", "login": "u:p"})
    login = signed_in(request, wanted, tested.contract, {"key": "k", "login": "u:p"})

    assert both.headers == (("Authorization", "Bearer t"), ("X-Key", "k"))
    assert login.headers == (("Authorization", "Basic dTpw"),)
    assert signed_in(request, wanted, tested.contract, {"key": "k"}) is None


def test_a_request_keeps_its_own_query_and_hides_the_key_in_its_repr():
    """A key of the query is encoded; what is printed of a request holds no credential."""
    carried = Request("GET", "http://x.example/a?b=1")

    for scheme in ("query", "cookie", "digest"):
        carried = carrying(carried, SCHEMES[scheme], "k&y")

    assert carried.url == "http://x.example/a?b=1&the%20key=k%26y"
    assert carried.headers == (("Cookie", "session=k&y"), ("Authorization", "digest k&y"))
    assert repr(carried) == "Request(GET http://x.example/a)"


def test_a_signer_does_not_print_its_key():
    assert SECRET not in repr(Signer(SECRET.encode(), "HS256"))


@pytest.mark.parametrize("value", ["a-token\n", " a-token", "a\ntoken", "a\0token"])
def test_what_no_request_can_carry_is_reported_before_any_is_sent(subject, monkeypatch, value):
    """A line break from a file would look as if the service did not answer; the value is not repeated."""
    monkeypatch.setattr("os.environ", {"CLERK_TOKEN": value})

    with pytest.raises(SetupError) as caught:
        Credentials(subject(Identity("clerk", variables={"token": "CLERK_TOKEN"})))

    assert "CLERK_TOKEN: it begins or ends with a space, or contains a line break" in str(caught.value)
    assert "a-token" not in str(caught.value)


BOTH = {
    "token": {"type": "http", "scheme": "bearer"},
    "oauth": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example"},
    "login": {"type": "http", "scheme": "basic"},
    "raw": {"type": "apiKey", "in": "header", "name": "authorization"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "certificate": {"type": "mutualTLS"},
}


@pytest.mark.parametrize(
    ("names", "headers"),
    [
        (["token", "oauth"], [("Authorization", "Bearer t")]),
        (["token", "key"], [("Authorization", "Bearer t"), ("X-Key", "k")]),
        (["token", "certificate"], [("Authorization", "Bearer t"), ("Client-Cert", "c")]),
        (["login", "raw"], None),
        (["token", "raw"], None),
    ],
)
def test_schemes_share_the_header_authorization_only_with_one_value(names, headers):
    """A second Authorization header is refused, so such a requirement cannot be met or tested."""
    secured = operation("a", security=[{name: [] for name in names}])
    document = contract({"/a": {"get": secured}}, components={"securitySchemes": BOTH}, openapi="3.1.0")
    found = read(document)
    values = {"token": "t", "oauth": "t", "login": "a:b", "raw": "r", "key": "k", "certificate": "c"}

    signed = signed_in(Request("GET", "/a"), found.operations[0], found, values)

    assert (signed and list(signed.headers)) == headers
