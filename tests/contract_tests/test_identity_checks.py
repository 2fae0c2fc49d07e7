"""The identity matrix: correct services have no failures, and each error shows in its own cases."""

from urllib.parse import parse_qs

import jwt
import pytest

from relay.contract.documents import read_document
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import read_config
from relay.contract_tests.credential_matrix import Case, cases
from relay.contract_tests.credentials import Credentials
from relay.contract_tests.identity_checks import MAX_SILENT, check_identities
from relay.contract_tests.results import NotRun, Phase
from relay.contract_tests.sample_requests import model_requests
from relay.contract_tests.service_under_test import (
    ContractSettings,
    ServiceUnderTest,
    base_url,
    load_strict_contract,
)
from relay.contract_tests.session import Session
from support.answering import PreparedResponse, ReceivedRequest, answering
from support.hosting import SECRET, contract, operation, put, write_package
from support.running import ROOT, serving
from support.signing import RSA, pem, private_pem

pytestmark = pytest.mark.slow

KEY, LOGIN = "key-of-the-admin", "admin:password-of-the-admin"
PEOPLE = """
identities:
  admin:
    claims: {userId: admin}
    variables: {key: TEST_KEY, queryKey: TEST_KEY, cookieKey: TEST_KEY, login: TEST_LOGIN,
      prefixKey: TEST_KEY, userOnly: TEST_LOGIN}
  guest:
    claims: {userId: guest}
    refused: [show_admins]
  stranger:
    claims: {userId: stranger}
    signs-in: false
"""

BEARER = {"type": "http", "scheme": "bearer"}
SOUND = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "queryKey": {"type": "apiKey", "in": "query", "name": "key"},
    "cookieKey": {"type": "apiKey", "in": "cookie", "name": "key"},
    "login": {"type": "http", "scheme": "basic"},
    "token": BEARER,
    "scoped": {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {"tokenUrl": "https://id.example", "scopes": {"read": "", "write": ""}}
        },
    },
}
NEEDS = {
    "admins": [{"token": []}],
    "keys": [{"key": []}],
    "query_keys": [{"queryKey": []}],
    "cookie_keys": [{"cookieKey": []}],
    "logins": [{"login": []}],
    "both": [{"token": [], "key": []}],
    "either": [{"token": []}, {"key": []}],
    "wider": [{"key": []}, {"token": [], "key": []}],
    "optional": [{}, {"token": []}],
    "scopes": [{"scoped": ["read", "write"]}],
}

INIT = f"""
    import hmac

    import jwt
    from jwt.utils import base64url_encode

    SECRET, KEY, LOGIN = {SECRET!r}, {KEY!r}, {LOGIN!r}


    def verifying(algorithms=("HS256",), secret=SECRET, require=("exp",), strict=True, **options):
        def verify(token):
            try:
                claims = jwt.decode(
                    token, secret, algorithms=algorithms, options={{"require": list(require), **options}}
                )
            except Exception:
                return None
            return None if strict and type(claims.get("exp", 0)) is not int else claims

        return verify


    def none(token):
        try:
            if jwt.get_unverified_header(token)["alg"].lower() == "none":
                return jwt.decode(token, options={{"verify_signature": False}})
        except Exception:
            return None
        return verifying()(token)


    def kid_file(token):
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            with open(kid, "rb") as file:
                message, _, signature = token.rpartition(".")
                good = base64url_encode(hmac.digest(file.read(), message.encode(), "sha256")).decode()
            return jwt.decode(token, options={{"verify_signature": False}}) if signature == good else None
        except (jwt.PyJWTError, OSError):
            return None
        except KeyError:
            return verifying()(token)


    def own_key(token):
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            return None
        if "jwk" in header:
            return verifying(algorithms=["ES256"], secret=jwt.PyJWK(header["jwk"]).key)(token)
        return verifying()(token)


    def trusting(token):
        claims = verifying()(token)
        return claims and {{"userId": "admin"}}


    def crashing(token):
        return jwt.decode(token, SECRET, algorithms=["HS256"], options={{"require": ["exp"]}})


    verifiers = {{
        "token": verifying(),
        "expired": verifying(verify_exp=False),
        "timeless": verifying(require=()),
        "textual": verifying(strict=False),
        "early": verifying(verify_nbf=False),
        "everyone": verifying(verify_aud=False),
        "longer": verifying(algorithms=("HS256", "HS512")),
        "unsigned": verifying(verify_signature=False, verify_exp=True, verify_nbf=True, verify_aud=True),
        "scoped": verifying(),
        "none": none,
        "kidFile": kid_file,
        "ownKey": own_key,
        "trusting": trusting,
        "crashing": crashing,
        "prefixKey": lambda key: {{"userId": "admin"}} if KEY.startswith(key) else None,
        "userOnly": lambda login: {{"userId": "admin"}} if login.startswith("admin:") else None,
        "login": lambda login: {{"userId": "admin"}} if login == LOGIN else None,
        **dict.fromkeys(
            ["key", "queryKey", "cookieKey"], lambda key: {{"userId": "admin"}} if key == KEY else None
        ),
    }}


    class Nobody(Exception):
        status, code, message = 401, "NOBODY", "Nobody we know"


    async def identify(claims):
        claims = claims.get("token", claims)  # by scheme where several are required
        if claims.get("userId") not in ("admin", "guest"):
            raise Nobody
        return claims["userId"]
"""
UNSOUND = {
    "expired": {"expired token of admin", "token of admin whose exp is negative"},
    "timeless": {"token of admin without exp"},
    "textual": {"token of admin whose exp is text"},
    "early": {"token of admin that is not valid yet"},
    "everyone": {"token of admin meant for somebody else"},
    "longer": {"token of admin signed with HS512"},
    "none": {
        f"token of admin with alg {name}{more}"
        for name in ("none", "NONE", "nOnE")
        for more in ("", " and a signature")
    },
    "kidFile": {"token of admin whose kid is a path"},
    "ownKey": {"token of admin that brings its own key"},
    "trusting": {
        "token of admin without userId",
        *(
            f"token of admin whose userId is {kind}"
            for kind in ("a number", "a list", "an object", "null", "empty")
        ),
        "stranger",
    },
    "prefixKey": {"empty key", "key of admin cut short"},
    "userOnly": {"password of admin cut short"},
}
THINGS = """
    class NotYours(Exception):
        status, code, message = 403, "NOT_YOURS", "Not yours"


    def show(caller=None):
        return caller


    def refuse(caller):
        if caller != "admin":
            raise NotYours
        return caller
"""
ANSWERS = {
    "200": {"description": "ok", "content": {"application/json": {"schema": {}}}},
    "default": {"description": "no", "content": {"application/problem+json": {"schema": {"type": "object"}}}},
}


def document(needs, schemes):
    """A contract with one operation for each kind of security requirement."""
    paths = {
        f"/{name}": {"get": operation(f"show_{name}", responses=ANSWERS, security=security)}
        for name, security in needs.items()
    }
    return contract(paths, components={"securitySchemes": schemes})


def subject(folder, spec, url, people=PEOPLE, **settings):
    """The service under test, with the identities of a configuration."""
    (folder / "people.yaml").write_text(people, "utf-8")
    config = read_config(read_document(folder / "people.yaml"))
    loaded = load_strict_contract(spec, config)
    return ServiceUnderTest(base_url(url, loaded), loaded, config, ContractSettings(**settings))


def unserved(folder, people=PEOPLE, **settings):
    """A subject with all kinds of requirements, whose requests are only planned."""
    put(folder / "spec.json", document(NEEDS, SOUND))
    return subject(folder, folder / "spec.json", "http://127.0.0.1:9", people, **settings)


def check(tested) -> Phase:
    checker = ConformanceChecker(tested.contract, tested.base_path)
    models = model_requests(tested.contract, tested.url, checker, [])
    return check_identities(Session(tested, checker), models)


def planned(tested, operation_id):
    """The cases of one operation, and the reasons why other cases cannot run."""
    one = next(one for one in tested.contract.operations if one.id == operation_id)
    models = model_requests(tested.contract, tested.url, ConformanceChecker(tested.contract, ""), [])
    found = list(cases(one, models[operation_id], tested, Credentials(tested)))
    return [one for one in found if isinstance(one, Case)], [one for one in found if isinstance(one, NotRun)]


def violating_cases(part, rule, operation):
    return {
        failure.exchange.credential
        for failure in part.failures
        if failure.rule == rule and failure.operation == operation
    }


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setenv("TEST_LOGIN", LOGIN)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A service with correct operations, and one for each error in verification; its folder and address."""
    folder = tmp_path_factory.mktemp("own")
    unsound = [*UNSOUND, "unsigned", "crashing"]
    keys = {"prefixKey": SOUND["key"], "userOnly": SOUND["login"]}
    schemes = {**SOUND, **{name: keys.get(name, BEARER) for name in unsound}}
    needs = {**NEEDS, **{name: [{name: []}] for name in unsound}}
    put(folder / "spec.json", document(needs, schemes))
    functions = "".join(f"show_{name} = {'refuse' if name == 'admins' else 'show'}\n" for name in needs)
    package = write_package(folder, init=INIT, things=THINGS)
    things = folder / package / "things.py"
    things.write_text(f"{things.read_text('utf-8')}\n\n{functions}", "utf-8")
    options = ["--spec", "spec.json", "--handlers", package]
    path = f"{folder}:{ROOT}"
    with serving(folder, *options, RELAY_JWT_SECRET=SECRET, PYTHONPATH=path) as service:
        yield folder, service.url


@pytest.fixture(scope="module")
def matrix(own):
    folder, url = own
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", KEY)
        patch.setenv("TEST_LOGIN", LOGIN)
        return check(subject(folder, folder / "spec.json", url, jwt_secret=SECRET))


def careless(asked: ReceivedRequest) -> PreparedResponse | None:
    """A service that accepts tokens in wrong places, or responds incorrectly, depending on its path."""
    path, _, query = asked.path.partition("?")
    if path == "/silent":
        return None
    sent = [value for name, value in asked.lines if name == "Authorization"]
    cookies = asked.headers.get("cookie", "").split("; ")
    statuses = {"/open": 200, "/shut": 401, "/hidden": 404, "/forbidden": 403, "/limited": 429}
    statuses["/visited"] = 200 if "visited=before" in cookies else 401
    if path == "/fronted" and sum(map(len, sent)) > 8192:
        statuses[path] = 431
    elif path == "/fronted" and (len(sent) > 1 or sent == ["Bearer"]):
        statuses[path] = 400
    only = sent if len(sent) == 1 else []
    shown = {
        "/query": [*sent, *parse_qs(query).get("access_token", [])] if len(sent) < 2 else [],
        "/cookie": [*sent, *(one.partition("=")[2] for one in cookies)] if len(sent) < 2 else [],
        "/first": sent[:1],
        "/fronted": sent[:1],
        "/last": sent[-1:],
        "/several": [part for value in only for part in value.split(", ")],
        "/words": [value.rpartition(" ")[2] for value in only],
    }
    is_bare = path in ("/query", "/cookie", "/words")
    is_known = any(is_token(value, is_bare=is_bare) for value in shown.get(path, []))
    status = statuses.get(path, 200 if is_known else 401)
    headers = (("WWW-Authenticate", "Bearer"), ("Set-Cookie", "visited=before"))
    return PreparedResponse(status, {}, f"application/{'json' if status < 400 else 'problem+json'}", headers)


def is_token(value: str, *, is_bare: bool) -> bool:
    """Return True for a valid token, after the word Bearer in its own header."""
    word, _, token = ("Bearer", "", value) if is_bare and " " not in value else value.partition(" ")
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp"]})
    except jwt.PyJWTError:
        return False
    return word == "Bearer" and claims.get("userId") == "admin" and type(claims["exp"]) is int


def check_careless(folder, path) -> Phase:
    """Check one path of the careless service."""
    spec = folder / "careless.json"
    put(spec, document({path: [{"token": []}]}, SOUND))
    people = "identities: {admin: {claims: {userId: admin}}, guest: {claims: {userId: admin}, refused: [show_open]}}"
    with answering(careless) as url:
        return check(subject(folder, spec, url, people, jwt_secret=SECRET))


def test_tokens_of_a_private_key_are_accepted(tmp_path):
    """Tokens signed with the public key as an HMAC secret are refused."""
    spec = tmp_path / "spec.json"
    put(spec, document({"admins": [{"token": []}]}, SOUND))
    init = "async def identify(claims):\n    return claims['userId']\n"
    package = write_package(tmp_path, init=init, things="def show_admins(caller):\n    return caller\n")
    options = ["--spec", str(spec), "--handlers", package]
    path = f"{tmp_path}:{ROOT}"
    with serving(tmp_path, *options, RELAY_JWT_PUBLIC_KEY=pem(RSA), PYTHONPATH=path) as service:
        people = "identities: {admin: {claims: {userId: admin}}}"
        keys = {"jwt_private_key": private_pem(RSA), "jwt_public_key": pem(RSA)}

        part = check(subject(tmp_path, spec, service.url, people, **keys))

    wrong = {failure.exchange.credential for failure in part.failures}
    assert wrong == UNSOUND["trusting"] - {"stranger"}
    seen = {exchange.credential: exchange.status for exchange in part.exchanges}
    assert seen["admin"] == 200
    assert seen["token of admin signed with the public key"] == 401
    assert seen["token of admin signed with the public key without its last newline"] == 401


def test_correct_operations_have_no_failures(matrix):
    """This holds for schemes required alone, together, as alternatives, or not at all."""
    sound = {f"GET /{name}" for name in NEEDS}

    assert [failure for failure in matrix.failures if failure.operation in sound] == []
    assert matrix.not_run == []


@pytest.mark.parametrize("scheme", UNSOUND)
def test_a_lenient_verifier_is_reported_for_what_it_accepts(matrix, scheme):
    """Only that case fails, so the name of the case identifies the error."""
    assert violating_cases(matrix, "credential-accepted", f"GET /{scheme}") == UNSOUND[scheme]
    assert violating_cases(matrix, "wrong-refusal", f"GET /{scheme}") == set()


def test_a_verifier_that_ignores_signatures_is_reported_for_each_forgery(matrix):
    found = violating_cases(matrix, "credential-accepted", "GET /unsigned")

    assert "expired token of admin" not in found
    assert found >= {
        "token of admin signed with another key",
        "token of admin with the claims of somebody else",
        "token of admin with half a signature",
        "token of admin without a signature",
        "token of admin with alg none",
        "token of admin signed by a stranger with RS256",
        "token of admin whose kid is SQL",
        "token of admin whose jku leads elsewhere",
    }


def test_a_verifier_that_crashes_on_malformed_tokens_is_reported(matrix):
    found = violating_cases(matrix, "wrong-refusal", "GET /crashing")
    accepted = violating_cases(matrix, "credential-accepted", "GET /crashing")

    assert {"malformed token", "expired token of admin", "token whose header is no object"} <= found
    assert accepted == {"token of admin whose exp is text"}


def test_a_finding_names_the_accepted_credential(own, matrix):
    found = next(one for one in matrix.failures if one.operation == "GET /expired")

    assert found.message == "GET /expired accepted: expired token of admin; respond with 401"
    assert found.where.file.endswith("spec.json")
    assert found.expected == (401,)


def test_no_credential_is_in_the_output(matrix):
    output = f"{matrix!r} {matrix.failures} {matrix.not_run}"

    assert len(output) > 10_000
    for secret in (SECRET, KEY, LOGIN, "eyJ"):
        assert secret not in output


BOTH_HEADERS = "two Authorization headers with the token of admin"
BARE = "token of admin without the word Bearer"


@pytest.mark.parametrize(
    ("path", "rule", "expected"),
    [
        ("query", "credential-accepted", {"token of admin in the query", BARE}),
        ("cookie", "credential-accepted", {"token of admin in a cookie", BARE}),
        ("first", "credential-accepted", {BOTH_HEADERS, "token of admin and a second Authorization header"}),
        ("last", "credential-accepted", {BOTH_HEADERS, "token of admin in the second Authorization header"}),
        ("several", "credential-accepted", {"two tokens of admin in one header"}),
        ("words", "credential-accepted", {BARE, "token of admin as Basic", "two tokens of admin in one header"}),
        ("shut", "role-refused", {"admin", "guest"}),
        ("forbidden", "role-refused", {"admin", "guest"}),
        ("open", "role-let-in", {"guest"}),
        # A session cookie of one response must not authenticate the next request.
        ("visited", "credential-accepted", set()),
    ],
)  # fmt: skip
def test_a_service_that_accepts_tokens_in_wrong_places_is_reported(tmp_path, path, rule, expected):
    part = check_careless(tmp_path, path)

    assert part.cases > 50
    assert violating_cases(part, rule, f"GET /{path}") == expected


def test_the_refusal_of_a_proxy_is_not_checked_against_the_contract(tmp_path):
    """Too many or too long headers do not reach the service; RFC 6750 allows 400 for malformed requests."""
    part = check_careless(tmp_path, "fronted")

    assert {exchange.status for exchange in part.exchanges} == {200, 400, 401, 431}
    assert {failure.rule for failure in part.failures if failure.exchange.status in (400, 431)} == set()


def test_a_rate_limit_makes_a_case_not_run(tmp_path):
    part = check_careless(tmp_path, "limited")

    assert part.failures == []
    assert "GET /limited: no credential" in {one.case for one in part.not_run}
    assert len(part.not_run) == part.cases


def test_refusals_with_another_status_are_reported(tmp_path):
    """A 404 for an invalid token may come from an unprotected handler."""
    part = check_careless(tmp_path, "hidden")

    assert {"no credential", "expired token of admin"} <= violating_cases(
        part, "wrong-refusal", "GET /hidden"
    )


def test_a_service_that_does_not_respond_is_reported(tmp_path):
    part = check_careless(tmp_path, "silent")

    assert part.exchanges == []
    assert {failure.rule for failure in part.failures} == {"no-answer"}
    assert len(part.failures) == part.cases == MAX_SILENT  # the others would only take time
    assert "the operation does not respond" in {one.reason for one in part.not_run}
    assert part.failures[0].message == "GET /silent sent no response (RemoteProtocolError): no credential"


def test_requirements_are_tested_scheme_by_scheme(tmp_path):
    """Each scheme is omitted if all are required, and used alone if one is enough; without requirements there are no cases."""
    tested = unserved(tmp_path, jwt_secret=SECRET)

    def expected(operation_id):
        return {case.name: case.expected for case in planned(tested, operation_id)[0]}

    both, either, wider = expected("show_both"), expected("show_either"), expected("show_wider")
    optional, scopes = expected("show_optional"), expected("show_scopes")
    assert both["no token, valid key"] == both["no key, valid token"] == both["no credential"] == (401,)
    assert both["wrong key for key, valid token"] == (401,)
    assert either["admin with token"] == either["admin with key"] == ()
    assert not any(", valid" in name for name in either)
    assert wider["no key, valid token"] == (401,)
    assert not any("for token" in name for name in wider)
    assert optional["no credential"] == ()
    assert optional["malformed token"] == (401,)
    assert "token of admin in the query" not in optional
    assert (
        scopes["token of admin without a scope"] == scopes["token of admin without the scope read"] == (403,)
    )
    assert scopes["token of admin with the scope read write"] == ()
    assert scopes["admin"] == (403,)
    assert scopes["stranger"] == (401,)


def test_a_case_without_a_key_says_what_to_set(tmp_path, monkeypatch):
    """It is reported once for each case and scheme; cases that need no key are sent."""
    monkeypatch.delenv("TEST_KEY")
    tested = unserved(tmp_path)

    found, lacking = planned(tested, "show_admins")

    names, reasons = {case.name for case in found}, dict(lacking)
    assert {
        "token of admin with alg none",
        "token of admin signed with another key",
        "malformed token",
    } <= names
    assert reasons["expired token of admin (token)"] == "set RELAY_JWT_SECRET or RELAY_JWT_PRIVATE_KEY"
    assert reasons["guest"] == "set RELAY_JWT_SECRET or RELAY_JWT_PRIVATE_KEY"
    assert dict(planned(tested, "show_keys")[1])["admin"] == "set TEST_KEY"


def test_a_token_of_the_environment_is_tampered_with(tmp_path, monkeypatch):
    token = jwt.encode({"userId": "admin", "exp": 4102444800}, SECRET)
    monkeypatch.setenv("TEST_TOKEN", token)
    tested = unserved(tmp_path, "identities: {admin: {variables: {token: TEST_TOKEN}}}")

    found = {case.name: case.request for case in planned(tested, "show_admins")[0]}

    shown = dict(found["token of admin with the claims of somebody else"].headers)["Authorization"]
    head, _, signature = shown.removeprefix("Bearer ").split(".")
    assert [head, signature] == token.split(".")[::2]
    assert shown != f"Bearer {token}"
    assert {
        "token of admin without a signature",
        "two tokens of admin in one header",
        "admin",
    } <= found.keys()


def test_a_case_can_be_rebuilt_by_its_name(tmp_path):
    """Names are stable and unique, so that a kept failure can be sent again."""
    tested = unserved(tmp_path, jwt_secret=SECRET)

    for name in NEEDS:
        again = [case.name for case in planned(tested, f"show_{name}")[0]]

        assert again
        assert len(again) == len({*again})


def test_a_tampered_token_has_other_claims(tmp_path):
    """If the other identity has no different claims, an identity is invented."""
    people = "identities: {head: {claims: {userId: u, role: head}}, plain: {claims: {userId: u}}}"
    tested = unserved(tmp_path, people, jwt_secret=SECRET)

    found = {case.name: case.request for case in planned(tested, "show_admins")[0]}

    request = found["token of head with the claims of somebody else"]
    token = dict(request.headers)["Authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == "somebody-else"


def test_an_operation_without_a_request_is_reported_as_not_run(tmp_path):
    tested = unserved(tmp_path, jwt_secret=SECRET)

    part = check_identities(Session(tested, ConformanceChecker(tested.contract, "")), {})

    assert part.cases == 0
    assert [one.case for one in part.not_run] == [f"GET /{name}" for name in NEEDS]
