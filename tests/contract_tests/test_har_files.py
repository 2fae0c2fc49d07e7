"""Read and write HTTP Archives, and redact them."""

import base64
import json
import time
from datetime import UTC, datetime

import jsonschema_rs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.contract_tests import har_files as traffic
from relay.contract_tests.exchanges import REDACTED, Exchange, Request
from relay.contract_tests.har_files import read_traffic, write_har
from relay.contract_tests.redaction import MAY_NAME, Redactor, names_secret
from support.compiled import read
from support.hosting import contract, operation, put

STARTED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(tuple)
BODIES = st.one_of(st.none(), st.binary(max_size=40), st.text(max_size=20).map(str.encode))
URLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map("http://h/p".__add__)
METHODS, STATUSES = st.sampled_from(["GET", "POST", "QUERY"]), st.integers(200, 203)
ANSWERS = {"headers": HEADERS, "status": STATUSES, "answer": BODIES, "answered": HEADERS}
NUMBER = {"type": "number", "minimum": -1}
TEXT = {"type": "string"}
PAIRS = {"type": "array", "items": {"required": ["name", "value"], "additionalProperties": TEXT}}
MESSAGE = {"httpVersion": TEXT, "cookies": PAIRS, "headers": PAIRS, "headersSize": NUMBER, "bodySize": NUMBER}
REQUEST = {**MESSAGE, "method": TEXT, "url": TEXT, "queryString": PAIRS}
RESPONSE = {**MESSAGE, "status": {}, "statusText": TEXT, "content": {"required": ["size", "mimeType"]}}
TIMINGS = {"required": ["send", "wait", "receive"], "additionalProperties": {"type": "number", "minimum": 0}}


def record(properties, **optional):
    """The schema of an object with these properties, and optional ones."""
    return {"type": "object", "required": [*properties], "properties": properties | optional}


ENTRY = {
    "startedDateTime": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$"},
    "time": {"type": "number", "minimum": 0},
    "request": record(REQUEST, postData={"required": ["mimeType", "text"]}),
    "response": record({**RESPONSE, "redirectURL": TEXT}),
    "cache": {"type": "object"},
    "timings": TIMINGS,
}
LOG = {
    "version": {"const": "1.2"},
    "creator": record({"name": TEXT, "version": TEXT}),
    "entries": {"type": "array", "items": record(ENTRY)},
}
HAR_1_2 = jsonschema_rs.Draft202012Validator(record({"log": record(LOG)}))


def exchange(method="GET", url="http://h/p", body=b"", *, headers=(), status=200, answer=b"", answered=()):
    return Exchange(Request(method, url, headers, body), status, answered, answer, "probes", started=STARTED)


def entry(request=None, response=None, **rest):
    return {
        "startedDateTime": "2026-03-04T05:06:07.000Z",
        "time": 12.5,
        "request": {"method": "GET", "url": "http://h/p", "headers": [], **(request or {})},
        "response": {"status": 200, "headers": [], "content": {"size": 0}, **(response or {})},
        **rest,
    }


def post(data, *headers):
    return entry({"method": "POST", "postData": data, "headers": [*headers]})


@pytest.fixture
def har(tmp_path):
    def write(*entries):
        path = tmp_path / "some.har"
        put(path, {"log": {"version": "1.2", "entries": entries}})
        return path

    return write


class TestReading:
    """`read_traffic`."""

    def test_a_browser_entry_is_an_exchange(self, har):
        """Pseudo headers of HTTP/2 are dropped; Chrome puts two cookies into one value."""
        headers = [{"name": ":authority", "value": "h"}, {"name": "accept", "value": "*/*"}]
        cookies = [{"name": "set-cookie", "value": "a=1\nb=2"}]
        content = {"size": 4, "mimeType": "text/plain", "text": "caf\u00e9"}

        (found,) = read_traffic(
            har(entry({"headers": headers}, {"headers": cookies, "content": content}))
        ).exchanges

        assert found.request == Request("GET", "http://h/p", (("accept", "*/*"),))
        assert found.headers == (("set-cookie", "a=1"), ("set-cookie", "b=2"))
        assert found.body == "caf\u00e9".encode()
        assert (found.part, found.credential, found.seconds) == ("some.har", None, 0.0125)
        assert found.started == STARTED

    def test_a_base64_body_is_decoded_and_not_decompressed(self, har):
        """The header describes the transfer; HAR contains the decompressed body."""
        content = {"size": 3, "encoding": "base64", "text": base64.b64encode(b"\x00\xffa").decode()}
        headers = [{"name": "Content-Encoding", "value": "br"}, {"name": "Content-Length", "value": "99"}]

        (found,) = read_traffic(har(entry(None, {"content": content, "headers": headers}))).exchanges

        assert found.body == b"\x00\xffa"

    @pytest.mark.parametrize(
        ("data", "body"),
        [
            ({"mimeType": "application/json", "text": '{"a":1}'}, b'{"a":1}'),
            ({"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "\u00e9"}]}, b"a+b=%C3%A9"),
            ({"mimeType": "application/octet-stream", "text": "AP8=", "encoding": "base64"}, b"\x00\xff"),
            ({"mimeType": "multipart/form-data; boundary=x", "params": [{"name": "a", "value": "1"}]}, None),
            ({"mimeType": "", "text": ""}, b""),
        ],
        ids=["text", "fields", "base64", "parts", "nothing"],
    )  # fmt: skip
    def test_a_request_body_is_read_as_far_as_it_is_recorded(self, har, data, body):
        """The boundary of multipart parts is not recorded, so that body is None."""
        (found,) = read_traffic(har(post(data))).exchanges

        assert found.request.body == body
        assert found.request.headers == ((("Content-Type", data["mimeType"]),) if body else ())

    @pytest.mark.parametrize(
        ("request_", "response", "body"),
        [
            ({}, {"content": {"size": 120}}, None),
            ({}, {"content": {"size": -1}}, None),
            ({}, {"content": {"size": 120, "text": ""}}, None),
            ({}, {"content": {}, "headers": [{"name": "Content-Length", "value": "7"}]}, None),
            ({}, {"content": {"size": 0}, "bodySize": 58}, None),
            ({}, {"content": {"size": 0}}, b""),
            ({}, {"content": {"size": -1}, "headers": [{"name": "content-length", "value": "0"}]}, b""),
            ({}, {"status": 204, "content": {"size": -1}}, b""),
            # A browser writes the body of its cache.
            ({}, {"status": 304, "content": {"size": 1, "text": "1"}}, b""),
            ({"method": "HEAD"}, {"headers": [{"name": "Content-Length", "value": "7"}]}, b""),
        ],
    )
    def test_a_body_that_was_not_recorded_is_not_empty(self, har, request_, response, body):
        """An empty response could violate a contract; a missing recording does not."""
        (found,) = read_traffic(har(entry(request_, response))).exchanges

        assert found.body == body

    @pytest.mark.parametrize(
        ("request_", "response", "url", "sent", "received"),
        [
            ({"method": "PUT", "headers": [{"name": "Content-Length", "value": "5000"}]}, {}, "", None, b""),
            # The replacement text could violate the pattern of a password.
            ({}, {"content": {"size": 40, "text": '{"password": "[redacted]"}'}}, "", b"", None),
            ({"queryString": [{"name": "q", "value": one} for one in ("a b", "&")]}, {}, "?q=a%20b&q=%26", b"", b""),
        ],
        ids=["an upload that the browser omitted", "a redacted body", "a query in its own field"],
    )  # fmt: skip
    def test_what_is_incomplete_is_completed_or_counts_as_not_recorded(
        self, har, *, request_, response, url, sent, received
    ):
        (found,) = read_traffic(har(entry(request_, response))).exchanges

        assert found.request.url == f"http://h/p{url}"
        assert (found.request.body, found.body) == (sent, received)

    def test_requests_without_a_response_are_counted(self, har):
        """A page that was closed while it loaded is not the service's fault."""
        left = entry(None, {"status": 0})
        blocked = {**entry(), "response": None}

        found = read_traffic(har(left, blocked, entry(), entry({"url": "wss://h/p"})))

        assert (len(found.exchanges), found.unanswered) == (1, 2)

    def test_a_byte_order_mark_is_accepted(self, tmp_path):
        path = tmp_path / "marked.har"
        path.write_bytes(b"\xef\xbb\xbf" + orjson.dumps({"log": {"entries": [entry()]}}))

        assert len(read_traffic(path).exchanges) == 1

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b'{"log": {\n"entries": [}', ":2:13: is not JSON: Expecting value; the file may be truncated"),
            (b"\xff\xfe{", ": is not JSON in UTF-8"),
            (b"[" * 100_000, ": is not JSON in UTF-8"),
            (b"[1]", ": is not a HAR: the list `log.entries` is missing; export the traffic as HAR 1.2"),
            (b'{"log": {"entries": {}}}', ": is not a HAR: the list `log.entries` is missing; export the traffic as HAR 1.2"),
            (b'{"log": {"entries": [{}]}}', ": entry 1: it has no request"),
            (b'{"log": {"entries": [{"request": {"method": "GET"}}]}}', ": entry 1: its request has no url"),
            (orjson.dumps({"log": {"entries": [entry(), entry(None, {"status": "ok"})]}}), ": entry 2: its status is not a number"),
            (orjson.dumps({"log": {"entries": [entry({"headers": [{"name": 1}]})]}}),
             ": entry 1: it is not a valid entry of HAR 1.2"),
            (orjson.dumps({"log": {"entries": [post({"text": "=", "encoding": "base64"})]}}),
             ": entry 1: it marks a body as base64 that is not"),
        ],
    )  # fmt: skip
    def test_an_invalid_archive_is_reported_with_its_location(self, tmp_path, monkeypatch, content, expected):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "bad.har").write_bytes(content)

        with pytest.raises(SetupError) as caught:
            read_traffic(tmp_path / "bad.har")

        assert str(caught.value) == f"bad.har{expected}"

    def test_a_file_that_is_too_large_or_missing_is_refused(self, har, monkeypatch):
        monkeypatch.setattr(traffic, "MAX_BYTES", 100)

        with pytest.raises(SetupError, match="more than the limit of 0 MiB; record less in one file"):
            read_traffic(har(entry()))
        with pytest.raises(SetupError, match=r"no\.har: cannot be read: No such file"):
            read_traffic(har().with_name("no.har"))


class TestWriting:
    """`write_har`."""

    @pytest.mark.slow
    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.builds(exchange, METHODS, URLS, BODIES, **ANSWERS), max_size=3))
    def test_a_written_file_reads_back_the_same(self, tmp_path, written):
        """Any bytes, repeated headers and unusual addresses survive, and other tools can read the file."""
        path = tmp_path / "probes"

        write_har(written, path)
        found = read_traffic(path).exchanges

        assert list(HAR_1_2.iter_errors(json.loads(path.read_bytes()))) == []
        assert found == written

    def test_cookies_and_redirects_have_their_own_fields(self, tmp_path):
        answered = (("Set-Cookie", "sid=1; Path=/; HttpOnly"), ("Location", "/there"))

        write_har(
            [exchange(headers=(("Cookie", "a=1; b=2"),), answered=answered, status=303)], tmp_path / "a"
        )

        (written,) = json.loads((tmp_path / "a").read_bytes())["log"]["entries"]
        assert written["request"]["cookies"] == [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
        assert written["response"]["cookies"] == [{"name": "sid", "value": "1"}]
        assert written["response"]["redirectURL"] == "/there"
        assert written["response"]["statusText"] == "See Other"


SECRET_SHAPES = {
    "schemas": {
        "Login": {"properties": {"password": {"type": "string", "format": "password"}}},
        "Pin": {"type": "string", "writeOnly": True},
        "Card": {"properties": {"pin": {"allOf": [{"$ref": "#/components/schemas/Pin"}]}, "name": {}}},
    },
    "securitySchemes": {
        "inHeader": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "inQuery": {"type": "apiKey", "in": "query", "name": "key"},
        "inCookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "certificate": {"type": "mutualTLS"},
    },
}
KNOWN = "correct-horse+battery/staple"


class TestRedacting:
    """`Redactor`."""

    @pytest.fixture
    def redactor(self):
        return Redactor(
            read(contract({"/p": {"get": operation("p")}}, components=SECRET_SHAPES, openapi="3.1.0")),
            [KNOWN],
        )

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("Authorization", "Bearer abc.def", "Bearer [redacted]"),
            ("authorization", "abc def", "[redacted]"),
            ("Proxy-Authorization", "Basic YTpi", "Basic [redacted]"),
            ("X-KEY", "abc", "[redacted]"),
            ("Client-Cert", ":abc:", "[redacted]"),
            ("Cookie", "sid=abc; lone; theme=dark", "sid=[redacted]; [redacted]; theme=[redacted]"),
            ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=[redacted]; Path=/; HttpOnly"),
            ("Referer", "https://u:p@h/?a=1&access_token=x#k", "https://h/?a=1&access_token=[redacted]#k"),
            ("Location", "/cb#access_token=abc&state=1", "/cb#access_token=[redacted]&state=1"),
            ("Accept", "text/html;q=0.9", "text/html;q=0.9"),
            ("X-Api-Key", "abc", "[redacted]"),
            ("X-Auth-Token", "Bearer abc", "Bearer [redacted]"),
            ("Referer", "/a?api_key=abc&page_token=3", "/a?api_key=[redacted]&page_token=3"),
        ],
    )  # fmt: skip
    def test_credentials_in_headers_are_redacted(self, redactor, name, value, expected):
        """The scheme and the name of a cookie stay, as they are not secret."""
        found = redactor.redact(exchange(headers=((name, value),), answered=((name, value),)))

        assert found.request.headers == found.headers == ((name, expected),)

    def test_secrets_that_a_condition_marks_are_redacted(self):
        """A schema of OpenAPI 3.1 may describe a value on a condition, and items by their place."""
        secret = {"type": "string", "writeOnly": True}
        pin = {"if": {"minLength": 1}, "then": secret}
        schemas = {"A": {"properties": {"pin": pin, "pair": {"prefixItems": [secret]}}}}
        whole = read({**contract({}, components={"schemas": schemas}), "openapi": "3.1.0"})

        sent = b'{"pin": "a", "pair": ["b"], "c": 1}'

        found = Redactor(whole, []).redact(
            exchange(body=sent, headers=(("Content-Type", "application/json"),))
        )

        assert orjson.loads(found.request.body) == {"pin": "[redacted]", "pair": "[redacted]", "c": 1}

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ("h/p?k=1&key=abc&%6bey=abc&x", "h/p?k=1&key=[redacted]&%6bey=[redacted]&x"),
            ("h/p?access_token=abc&api_key=abc", "h/p?access_token=[redacted]&api_key=[redacted]"),
            ("h/p?pass%77ord=abc&next_token=1", "h/p?pass%77ord=[redacted]&next_token=1"),
            ("user:word@h:80/p?access_token=1", "h:80/p?access_token=[redacted]"),
        ],
    )
    def test_credentials_in_addresses_are_redacted(self, redactor, asked, expected):
        assert redactor.redact(exchange(url=f"http://{asked}")).request.url == f"http://{expected}"

    @pytest.mark.parametrize(
        ("kind", "body", "expected"),
        [
            ("application/json", b'{"a": [{"password": {"x": 1}}]}', b'{"a": [{"password": "[redacted]"}]}'),
            ("application/json", rb'{"p\u0069n": "1234"}', b'{"pin": "[redacted]"}'),
            ("application/json", b'{"pin": "1234", "pin": "[redacted]"}', b'{"pin": "[redacted]"}'),
            ("application/json", b'{"password": "half', b"[redacted]"),
            ("application/x-ndjson", b'{"password": "x"}\n{"password": "y"}', b"[redacted]"),
            ("text/json", b'{"password": "half', b"[redacted]"),
            ("text/plain", b' [{"password": "half', b"[redacted]"),
            ("application/x-ndjson", b'{"a": 1}\n{"a": 2}', b'{"a": 1}\n{"a": 2}'),
            ("application/json", b'{"pin": "1", "a": -1e400}', b'{"pin": "[redacted]", "a": "-1e400"}'),
            ("application/json", b'{ "name" : "50 %" }', b'{ "name" : "50 %" }'),
            ("", b'{"pin": 1}', b'{"pin": "[redacted]"}'),
            ("application/x-www-form-urlencoded", b"a=1&p%69n=12&u[pin]=3", b"a=1&p%69n=[redacted]&u[pin]=[redacted]"),
            ("multipart/form-data; boundary=x", b'--x\r\nname="pin"\r\n\r\n12', b"[redacted]"),
            ("text/html", b"<label>password</label>", b"<label>password</label>"),
            ("application/json", b'{"clientSecret": "abc"}', b'{"clientSecret": "[redacted]"}'),
            ("application/json", b'{"a": {"api-key": ["abc", 7]}}', b'{"a": {"api-key": ["[redacted]", "[redacted]"]}}'),
            ("application/json", b'{"hasApiKey": true, "secret": null}', b'{"hasApiKey": true, "secret": null}'),
            ("application/json", b'{"credentials": {"user": "ann"}}', b'{"credentials": {"user": "ann"}}'),
            ("application/json", b'{"nextPageToken": "b"}', b'{"nextPageToken": "b"}'),
            ("application/x-www-form-urlencoded", b"new_password=a&user=b", b"new_password=[redacted]&user=b"),
            ("multipart/form-data; boundary=x", b'--x\r\nname="apiKey"\r\n\r\n12', b"[redacted]"),
            ("multipart/form-data; boundary=x", b'--x\r\nname="a"\r\n\r\nkey', b'--x\r\nname="a"\r\n\r\nkey'),
        ],
    )  # fmt: skip
    def test_properties_that_the_contract_marks_as_secret_are_redacted(self, redactor, kind, body, expected):
        """This holds anywhere in requests and responses; a body that cannot be parsed is redacted as a whole."""
        headers = (("Content-Type", kind),) if kind else ()

        found = redactor.redact(exchange("POST", body=body, headers=headers, answer=body, answered=headers))

        assert found.request.body == found.body == expected

    @pytest.mark.parametrize(
        ("coded", "inner"),
        [
            (KNOWN, KNOWN),
            (KNOWN.encode().hex(), KNOWN.encode().hex()),
            (base64.b64encode(KNOWN.encode()).decode(), base64.b64encode(KNOWN.encode()).decode()[:-4]),
        ],
        ids=["plain", "hexadecimal", "base64"],
    )
    def test_a_known_secret_is_redacted_in_every_place(self, redactor, coded, inner):
        raw = coded.encode()

        found = redactor.redact(exchange(body=raw, answer=raw, answered=(("X", coded),)))

        for redacted in (found.request.body.decode(), found.body.decode(), found.headers[0][1]):
            assert REDACTED in redacted
            assert inner not in redacted

    @pytest.mark.parametrize(
        ("name", "value", "echoed"),
        [
            ("Authorization", "Bearer a-token-of-today", "a-token-of-today"),
            ("Authorization", "a-token-of-today", "a-token-of-today"),
            ("Authorization", f"Basic {base64.b64encode(b'me:a-password').decode()}", "a-password"),
            ("Authorization", "Basic no base64", "no base64"),
            ("X-Key", "a-key-of-mine", "a-key-of-mine"),
            ("Cookie", "a=b; sid=a-key-of-mine", "a-key-of-mine"),
        ],
    )
    def test_a_credential_that_a_response_repeats_is_redacted(self, redactor, name, value, echoed):
        """A service may echo the caller's credential, and other people read the report."""
        answer = json.dumps({"you": echoed}).encode()

        found = redactor.redact(
            exchange(headers=((name, value),), answer=answer, answered=(("X-You", echoed),))
        )

        in_query = redactor.redact(exchange(url="http://h/p?key=a-key%20of-mine", answer=b"a-key of-mine"))
        assert found.body == b'{"you": "[redacted]"}'
        assert found.headers == (("X-You", "[redacted]"),)
        assert in_query.body == b"[redacted]"

    @pytest.mark.parametrize(
        ("names", "are_secret"),
        [
            (
                """password passwd userPassword new-password pwd db_pwd passphrase secret clientSecret webhook_secret
        credentials apiKey api_key X-API-Key x.api.key accessKey AWS_ACCESS_KEY_ID privateKey signing-key
        accessToken access_token id_token refreshToken userToken accesstoken auth-token X-Auth-Token token X-Amz-Security-Token
        csrftoken jwt otp auth sid sessionId session_id Authorization signature X-Hub-Signature-256
        client_assertion accessTokens refresh_tokens JWTToken SMSToken jwt_id jwts JWTs sshKey SSHKey secretKeys
        clientsecrets""",
                True,
            ),
            (
                """key keys name user tokens maxTokens token_count tokenType nextPageToken page_token continuationToken passenger
        author authored inside side id session pass code state keyboard monkey pwdless
        secretary Secretaries secretariat valid_tokens inputTokens TOKENS authority""",
                False,
            ),
        ],
    )
    def test_the_names_of_secrets_are_known_and_others_are_kept(self, names, are_secret):
        assert [name for name in names.split() if names_secret(name) is not are_secret] == []

    @given(
        st.sampled_from("API SSH JWT SMS user".split()),
        st.lists(st.sampled_from("Key Token Tokens Jwt Secret Secretary Id Max Page".split()), max_size=3),
    )
    def test_it_does_not_matter_how_the_words_of_a_name_are_joined(self, first, others):
        """Also after an abbreviation in capitals; `MAY_NAME` finds every name of a secret."""
        words = [first, *others]
        joined = ["".join(words), *(sign.join(words) for sign in "_-."), "_".join(words).lower()]

        (is_secret,) = {names_secret(name) for name in joined}

        assert not is_secret or all(MAY_NAME.search(name.encode()) for name in joined)

    @pytest.mark.slow
    def test_redacts_thousands_of_exchanges_quickly(self, redactor):
        """Each takes less than a millisecond with a body of 10 KB, so that it does not slow down a run."""
        body = orjson.dumps([{"name": "x" * 80, "pin": "1234"}] * 100)
        one = exchange(
            "POST", "http://h/p?key=1", body, headers=(("Authorization", "Bearer a"),), answer=body
        )
        started = time.process_time()

        for _ in range(500):
            redactor.redact(one)

        assert time.process_time() - started < 1.5
