"""The service under test, and where it runs: `scripts/relay/contract_tests/service_under_test.py`."""

import os
import socket

import httpx
import pytest

from relay.contract.diagnostics import SetupError
from relay.contract_tests.contract_config import Config
from relay.contract_tests.http_client import check_reachable
from relay.contract_tests.service_start import started
from relay.contract_tests.service_under_test import (
    ContractSettings,
    ServiceUnderTest,
    base_url,
    load_strict_contract,
)
from relay.validation.schemas import SchemaCompiler
from support.compiled import read
from support.hosting import SECRET, contract, operation, put, write_package
from support.running import eventually

BELOW = read(contract({}, servers=[{"url": "https://api.example.com/v1"}]))

SCHEMAS = {"Pet": {"type": "object", "properties": {"id": {}}}, "Dog": {"$ref": "#/components/schemas/Pet"}}
SCHEMES = {"components": {"securitySchemes": {"b": {"type": "http", "scheme": "bearer"}}}}


class TestUrl:
    """`base_url`, `check_reachable`."""

    @pytest.mark.parametrize(
        ("url", "found"),
        [
            ("http://h:1", "http://h:1/v1"),
            ("http://h:1/", "http://h:1/v1"),
            ("https://h/v2/", "https://h/v2"),
            ("http://[::1]:80", "http://[::1]:80/v1"),
        ],
    )
    def test_paths_begin_below_its_own_or_the_servers(self, url, found):
        assert base_url(url, BELOW) == found

    @pytest.mark.parametrize(
        "url", "h:1 localhost:2212 ftp://h http:// http://h?a=1 http://h#a http://[h http://h:x".split()
    )
    def test_has_to_be_one(self, url):
        with pytest.raises(SetupError) as trouble:
            base_url(url, BELOW)

        assert str(trouble.value) == "--url: has to be like http://127.0.0.1:2212"

    def test_holds_no_password(self):
        with pytest.raises(SetupError) as trouble:
            base_url("http://me:canary@h", BELOW)

        assert "takes no user and password" in str(trouble.value)
        assert "canary" not in str(trouble.value)

    def test_something_has_to_answer(self, monkeypatch):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        monkeypatch.setenv("ALL_PROXY", "nonsense://proxy")

        with pytest.raises(SetupError) as trouble:
            check_reachable(f"http://127.0.0.1:{port}")

        assert str(trouble.value) == (
            f"--url: no service answers at http://127.0.0.1:{port} (ConnectError); "
            "start the service, or leave --url out"
        )


class TestStricter:
    """`load_strict_contract`."""

    def load(self, folder, stricter, **components):
        path = folder / "api.json"
        put(path, contract({}, components={"schemas": SCHEMAS, **components}))
        return load_strict_contract(path, Config(stricter=stricter))

    @pytest.mark.parametrize("name", ["Pet", "Dog"])
    def test_keywords_hold_beside_those_of_the_schema(self, tmp_path, name):
        loaded = self.load(tmp_path, {name: {"required": ["id"]}})

        validator = SchemaCompiler(loaded).compile(
            {"$ref": f"#/components/schemas/{name}"}, "response", ("paths",)
        )
        assert validator is not None
        assert validator.accepts({"id": 1})
        assert not validator.accepts({})
        assert not validator.accepts(1)

    @pytest.mark.parametrize("components", [{}, {"schemas": {}}, {"schemas": None}])
    def test_a_schema_that_is_not_there_is_reported(self, tmp_path, components):
        with pytest.raises(SetupError, match="stricter: the contract has no schema 'Pett'"):
            self.load(tmp_path, {"Pett": {}}, **components)

    def test_keywords_have_to_be_a_schemas(self, tmp_path):
        with pytest.raises(SetupError):
            self.load(tmp_path, {"Pet": {"type": "pet"}})


def test_a_subject_does_not_show_its_secrets():
    settings = ContractSettings(jwt_secret=SECRET, jwt_private_key="canary-key")

    shown = repr(ServiceUnderTest("http://h", BELOW, Config(), settings, secrets=("canary-secret",)))

    assert "canary" not in shown
    assert SECRET not in shown


@pytest.fixture
def module(tmp_path):
    """Write a module; return what runs it as a service, with what environment."""

    def module(source):
        (tmp_path / "service_of_ones_own.py").write_text(source, "utf-8")
        return ["service_of_ones_own"], {"PYTHONPATH": str(tmp_path)}

    return module


class TestStarted:
    """`started`."""

    @pytest.mark.slow
    def test_serves_until_left(self, tmp_path):
        """On a port that is free; a folder called as ours are is no hindrance."""
        put(tmp_path / "relay/__init__.py", "raise SystemExit('not this one')")
        put(tmp_path / "api.json", contract({"/a": {"get": operation("show")}}))
        package = write_package(tmp_path, things="def show():\n    return 'mine'\n")
        command = ["relay", "serve", "--port", "0", "--spec", "api.json", "--handlers", package]

        with started(command, {}, tmp_path) as service:
            answer = httpx.get(f"{service.url}/a")

        assert answer.json() == "mine"
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{service.url}/a")

    def test_a_service_may_say_as_much_as_it_likes(self, tmp_path, module):
        """It would hang on a pipe that is not read, and every request with it."""
        command, environment = module(
            "print('serving at http://127.0.0.1:1', flush=True)\n"
            "print('x' * 1_000_000, flush=True)\n"
            "open('done', 'w').close()\n"
            "import time; time.sleep(60)\n"
        )

        with started(command, environment, tmp_path) as service:
            assert eventually((tmp_path / "done").exists)

        assert service.url == "http://127.0.0.1:1"

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("raise SystemExit('error: a: b\\nerror: c: d')", ["a: b", "c: d"]),
            ("raise ValueError('why')", ["ValueError: why"]),
            ("", ["it printed nothing"]),
        ],
    )
    def test_says_why_it_did_not_start(self, tmp_path, module, source, expected):
        with pytest.raises(SetupError) as trouble, started(*module(source), tmp_path):
            pass

        assert str(trouble.value).splitlines() == [f"the service did not start: {line}" for line in expected]

    @pytest.mark.slow
    def test_does_not_wait_for_ever(self, tmp_path, module):
        command, environment = module(
            "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
        )

        with (
            pytest.raises(SetupError, match="it took more than 1 s"),
            started(command, environment, tmp_path, start_seconds=1.0),
        ):
            pass

        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)
