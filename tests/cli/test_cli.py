"""The `relay` command, as a process: `scripts/`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time

import httpx
import jwt
import pytest
from click.testing import CliRunner

from relay import __version__
from relay.cli.main import COMMANDS, main
from relay.cli.startup_banner import print_banner
from support.hosting import SECRET, assert_envelope, contract, host, operation, token, write_package
from support.planting import plant
from support.running import ROOT, as_project, environment, relay, serving, serving_demo

ORGANIZATION = {"_id": "64f0a1b2c3d4e5f6a7b8c000", "name": "Acme"}
USER = {"_id": "64f0a1b2c3d4e5f6a7b8c9d1", "organizationId": ORGANIZATION["_id"], "accessRole": "ADMIN"}
CONFIG = "/api/calls/voice-ai/config"


def token_for(user, secret=SECRET):
    """A token of a user."""
    return token({"userId": user}, secret)


HEAVY = {
    "connexion",
    "uvicorn",
    "libcst",
    "schemathesis",
    "datamodel_code_generator",
}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_waits_for_no_library_that_it_does_not_need(tmp_path, name):
    """What a command works with is imported when it runs."""
    arguments = [name] if name else []
    code = (
        "import sys; from relay.cli.main import main\n"
        f"try: main([*{arguments!r}, '--help'])\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout.startswith("Usage: ")
    assert not HEAVY & {*shown.stderr.split()}


@pytest.mark.parametrize("name", ["demo", "load", "keys"])
def test_our_service_adds_commands(tmp_path, name):
    """Inside its project, with their help."""
    shown = relay(as_project(tmp_path), name, "--help")

    assert shown.returncode == 0
    assert shown.stdout.startswith("Usage: ")


def test_says_its_version_from_a_checkout(tmp_path):
    """Installed or not."""
    assert relay(tmp_path, "--version").stdout == f"relay, version {__version__}\n"


def test_every_command_shows_how_it_is_typed():
    """An example says more than a list of options."""
    for name in main.list_commands(None):
        assert f"  relay {name} " in f"{main.get_command(None, name).epilog} "


def test_what_serves_starts_without_what_it_does_not_need():
    """Other commands, the mock and database drivers would delay the first answer."""
    code = (
        "import sys; from relay.cli.main import COMMANDS, main; main.get_command(None, 'serve'); import relay.server.app; "
        "print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = loaded.stdout.split()
    assert "connexion" in loaded
    unneeded = "relay.cli.lint relay.lint relay.mock relay.codegen relay.contract_tests.run pymongo libcst"
    assert not {*unneeded.split()} & {*loaded}


class TestServe:
    """`relay serve`."""

    def test_the_printed_curl_answers_with_a_conforming_body(self, tmp_path):
        """The first thing a newcomer does is paste it."""
        with serving_demo(tmp_path) as service:
            command = shlex.split(service.printed[-1])
            result = subprocess.run([*command, "--silent"], capture_output=True, text=True, check=True)
            docs = next(line for line in service.printed if line.startswith("Docs: ")).removeprefix("Docs: ")
            assert httpx.get(docs).status_code == 200

        body = json.loads(result.stdout)
        assert [number["phoneNumber"] for number in body["phoneNumbers"]] == ["+14165550100", "+14165550102"]
        assert (body["hasApiKey"], body["hasToolSecret"], body["hasEstCredentials"]) == (True, False, True)
        assert "demo-" not in result.stdout

    def test_the_demo_survives_kill_9(self, tmp_path):
        """Same data, and the token printed before is still good."""
        with serving_demo(tmp_path) as service:
            token = relay(tmp_path, "token").stdout.strip()
            headers = {"Authorization": f"Bearer {token}"}
            before = httpx.get(service.url + CONFIG, headers=headers)
            service.process.kill()
            service.process.wait()

        with serving_demo(tmp_path) as service:
            after = httpx.get(service.url + CONFIG, headers=headers)

        assert before.status_code == 200
        assert before.content == after.content

    def test_the_demo_makes_a_keyring_of_its_own(self, tmp_path):
        """Beside its data, for its owner alone; what it loads is sealed with it, and stays so when it starts again."""
        for _ in range(2):
            with serving_demo(tmp_path) as service:
                pass
        folder = tmp_path / "tether-relay"
        variables = {
            "RELAY_STORE": f"sqlite:///{folder}/demo.db",
            "RELAY_KEYRING": str(folder / "demo-keyring"),
        }

        result = relay(tmp_path, "keys", "status", **variables)

        assert (result.returncode, result.stdout) == (
            0,
            "3 secrets under the key demo; it encrypts new secrets\n",
        )
        assert f"Data: {folder}/demo.db, its secrets encrypted with demo-keyring" in service.printed
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}

    def test_the_demo_goes_on_with_data_of_before(self, tmp_path):
        """An older version left it in plain text, and made no keyring."""
        folder = tmp_path / "tether-relay"
        with serving_demo(tmp_path):
            pass
        url = f"sqlite:///{folder}/demo.db"
        plant(url, {ORGANIZATION["_id"]: {"elevenlabsApiKey": "sk_canary", "sinchEstKeyId": "sk_canary"}})
        (folder / "demo-keyring").unlink()

        with serving_demo(tmp_path) as service:
            token = service.printed[-1].partition("Bearer ")[2].partition("'")[0]
            answer = httpx.get(service.url + CONFIG, headers={"Authorization": f"Bearer {token}"})

        assert (answer.json()["hasApiKey"], answer.json()["hasEstCredentials"]) == (True, True)

    def test_the_demo_keeps_to_itself(self, tmp_path):
        """With a store or keyring of one's own it refuses: its users must not end up there."""
        own = {"RELAY_STORE": "sqlite:///mine.db", "RELAY_KEYRING": "mine"}

        result = relay(tmp_path, "demo", **own)

        assert result.returncode == 2
        assert result.stderr == (
            "error: RELAY_STORE, RELAY_KEYRING: the demo has its own storage; "
            "unset it, or use `relay serve`\n"
        )
        assert not (tmp_path / "mine.db").exists()

    def test_refuses_to_start_without_a_key(self, tmp_path):
        """In production every call would be a 401, and nothing would say why."""
        result = relay(as_project(tmp_path), "serve", RELAY_ENVIRONMENT="production")

        assert result.returncode == 2
        assert result.stderr.startswith("error: RELAY_JWT_SECRET: missing: ")
        assert result.stderr.count("\n") == 1
        assert not (tmp_path / ".relay").exists()

    @pytest.mark.parametrize(
        ("store", "told"),
        [
            ("mysql://x", "error: RELAY_STORE: "),
            ("sqlite:////proc/nope/relay.db", "error: RELAY_STORE: "),
            ("mongodb://user:sk_canary@127.0.0.1", "error: RELAY_STORE: "),
        ],
    )
    def test_refuses_to_start_on_a_store_that_cannot_be_opened(self, tmp_path, store, told):
        """Non-zero, a readable line, no password, and no socket was opened."""
        result = relay(as_project(tmp_path), "serve", RELAY_STORE=store, RELAY_JWT_SECRET=SECRET)

        assert result.returncode == 2
        assert told in result.stderr
        assert "Traceback" not in result.stderr
        assert "sk_canary" not in result.stderr
        assert result.stdout == ""

    def test_refuses_to_start_with_a_keyring_that_cannot_be_used(self, tmp_path):
        """It would come out with the first secret that is loaded; every entry is told, and no key."""
        result = relay(as_project(tmp_path), "serve", RELAY_JWT_SECRET=SECRET, RELAY_KEYRING="a:sk_canary0,b")

        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.splitlines() == [
            "error: RELAY_KEYRING: entry 1: its key has 7 bytes; AES-256 needs 32",
            "error: RELAY_KEYRING: entry 2: it is not `id:base64`",
        ]

    def test_lists_every_problem(self, tmp_path):
        """Contract, package and key at once."""
        (tmp_path / "bad.yaml").write_text("openapi: 3.0.3\ninfo: {title: x}\npaths: {}\n", "utf-8")
        given = ["--spec", "bad.yaml", "--handlers", "nope", "--strict"]

        result = relay(tmp_path, "serve", *given, RELAY_JWT_SECRET="short")

        assert result.returncode == 2
        assert result.stderr.splitlines() == [
            "error: bad.yaml:2:1: 'version' is missing",
            "error: RELAY_HANDLERS: there is no package 'nope' here",
            "error: RELAY_JWT_SECRET: it has 5 bytes; HS256 needs 32 or more",
        ]

    def test_says_when_the_port_is_taken(self, tmp_path):
        """One line, non-zero."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            result = relay(tmp_path, "demo", "--port", port)

        assert result.returncode == 2
        assert result.stderr == (
            f"error: RELAY_HOST, RELAY_PORT: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        )

    def test_hosts_a_contract_of_ones_own(self, tmp_path):
        """Any contract, any package, found from the working directory; no key for what needs none."""
        (tmp_path / "api.yaml").write_text(json.dumps(contract({"/a": {"get": operation("show")}})), "utf-8")
        package = write_package(tmp_path, things="async def show():\n    return 'mine'\n")

        with serving(tmp_path, "--spec", "api.yaml", "--handlers", package) as service:
            assert httpx.get(f"{service.url}/a").json() == "mine"

    def test_says_that_collaborators_failed(self, tmp_path):
        """In a line, without the text, which may hold a password."""
        (tmp_path / "api.yaml").write_text(json.dumps(contract({"/a": {"get": operation("show")}})), "utf-8")
        init = """
            from contextlib import asynccontextmanager

            @asynccontextmanager
            async def collaborators(settings):
                raise OSError("sk_canary")
                yield
        """
        package = write_package(tmp_path, init=init, things="async def show(): ...\n")

        result = relay(tmp_path, "serve", "--spec", "api.yaml", "--handlers", package)

        assert result.returncode == 2
        assert result.stderr == (
            f"error: {package}/__init__.py:4:1: collaborators() failed: OSError; RELAY_LOG_LEVEL=debug shows where\n"
        )

    def test_reads_its_settings_from_an_env_file(self, tmp_path):
        """The one of the project."""
        as_project(tmp_path)
        (tmp_path / ".env").write_text(f"RELAY_JWT_SECRET={SECRET}\nRELAY_STORE=sqlite:///here.db\n", "utf-8")

        with serving(tmp_path) as service:
            response = httpx.get(service.url + CONFIG, headers={"Authorization": f"Bearer {token_for('x')}"})

        assert_envelope(response, 401, "UNAUTHENTICATED")
        assert (tmp_path / "here.db").exists()

    def test_starts_though_its_database_is_down(self, tmp_path):
        """It becomes ready by itself; until then it says that it is not, in time."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        url = f"mongodb://127.0.0.1:{port}/relay"
        with serving(as_project(tmp_path), RELAY_STORE=url, RELAY_JWT_SECRET=SECRET) as service:
            started = time.monotonic()
            headers = {"Authorization": f"Bearer {token_for(USER['_id'])}"}
            response = httpx.get(service.url + CONFIG, headers=headers)
            assert time.monotonic() - started < 3
            assert httpx.get(f"{service.url}/livez").status_code == 200
            assert httpx.get(f"{service.url}/readyz").status_code == 503

        assert_envelope(response, 500, "DB_UNAVAILABLE")

    def test_ends_on_sigterm_and_says_nothing_of_a_traceback(self, tmp_path):
        """Whatever runs it waits for that."""
        with serving_demo(tmp_path) as service:
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(10)

        assert "Traceback" not in (tmp_path / "stderr.log").read_text("utf-8")

    def test_speaks_http_as_the_contract_says_it(self, tmp_path):
        """What only a real server shows: no server header, one content length, raw paths."""
        with serving_demo(tmp_path) as service:
            response = httpx.get(f"{service.url}/api%2Fcalls/voice-ai/config")
            malformed = httpx.get(f"{service.url}/%ff")

        assert_envelope(response, 404, "NOT_FOUND")
        assert_envelope(malformed, 400, "MALFORMED_PATH")
        assert "server" not in response.headers


class TestToken:
    """`relay token`."""

    @pytest.mark.parametrize(
        ("claim", "message"),
        [
            ("sub", "'sub' is not NAME=VALUE"),
            ("exp=5", "'exp' is set by --expires"),
            ("iss=5", "error: --claim: a registered claim has the wrong type"),
        ],
    )
    def test_refuses_a_claim(self, tmp_path, claim, message):
        """One line, no traceback."""
        result = relay(as_project(tmp_path), "token", "--claim", claim)

        assert result.returncode == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr

    def test_mints_a_token_that_the_service_accepts(self, tmp_path):
        """For the issuer and audience that are set, and for as long as asked."""
        result = relay(
            as_project(tmp_path), "token", "--claim", f"userId={USER['_id']}", "--expires", "60",
            RELAY_JWT_SECRET=SECRET, RELAY_JWT_ISSUER="me", RELAY_JWT_AUDIENCE="you",
        )  # fmt: skip

        claims = jwt.decode(result.stdout.strip(), SECRET, ["HS256"], issuer="me", audience="you")
        assert claims["userId"] == USER["_id"]
        assert claims["exp"] - claims["iat"] == 60

    def test_mints_a_token_of_the_type_and_the_life_that_the_service_wants(self, tmp_path):
        """Without --expires, for no longer than it allows."""
        variables = {"RELAY_JWT_SECRET": SECRET, "RELAY_JWT_MAX_LIFE": "60", "RELAY_JWT_TYPE": "at+jwt"}
        minted = relay(as_project(tmp_path), "token", **variables).stdout.strip()

        claims = jwt.decode(minted, SECRET, ["HS256"])
        assert claims["exp"] - claims["iat"] == 60
        assert jwt.get_unverified_header(minted)["typ"] == "at+jwt"

    SCOPED = contract(
        {
            "/pets": {
                "get": operation("list_pets", security=[{"oauth": ["read:pets"]}]),
                "post": operation("add_pet", security=[{"oauth": ["write:pets", "read:pets"]}]),
                "put": operation("move_pets", security=[{"key": []}]),
            }
        },
        components={
            "securitySchemes": {
                "oauth": {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "/", "scopes": {}}}},
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            }
        },
    )

    def scoped(self, folder, *arguments):
        """Run the command in a project of this contract."""
        (folder / "api.json").write_text(json.dumps(self.SCOPED), "utf-8")
        (folder / "pyproject.toml").write_text(
            '[tool.relay]\nspec = "api.json"\nhandlers = "none"\n', "utf-8"
        )
        return relay(folder, "token", *arguments, RELAY_JWT_SECRET=SECRET)

    @pytest.mark.parametrize(
        ("arguments", "scope"),
        [
            (["--operation", "list_pets"], "read:pets"),
            (["--operation", "POST /pets"], "read:pets write:pets"),
            (["--operation", "list_pets", "--scope", "admin", "--claim", "scope=own"], "admin own read:pets"),
        ],
    )
    def test_grants_the_scopes_that_operations_ask_for(self, tmp_path, arguments, scope):
        """A developer calls an operation without a search for its scopes; those of the claims are kept."""
        minted = self.scoped(tmp_path, *arguments)

        assert jwt.decode(minted.stdout.strip(), SECRET, ["HS256"])["scope"] == scope

    def test_reads_the_contract_and_the_package_that_are_named(self, tmp_path):
        """As every command does that a developer uses with `relay serve --spec`: no project is needed."""
        (tmp_path / "other.json").write_text(json.dumps(self.SCOPED), "utf-8")
        declared = 'import relay\nclass Settings(relay.Settings):\n    jwt_issuer: str | None = "shop"\n'
        named = ["--spec", "other.json", "--handlers", write_package(tmp_path, init=declared)]

        minted = relay(tmp_path, "token", *named, "--operation", "list_pets", RELAY_JWT_SECRET=SECRET)

        claims = jwt.decode(minted.stdout.strip(), SECRET, ["HS256"])
        assert (claims["scope"], claims["iss"]) == ("read:pets", "shop")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("list_pet", "the contract has no operation 'list_pet'; did you mean list_pets?"),
            ("move_pets", "PUT /pets does not ask for a bearer token alone"),
        ],
    )
    def test_refuses_an_operation_that_takes_no_token(self, tmp_path, name, message):
        """A token would not help its caller."""
        result = self.scoped(tmp_path, "--operation", name)

        assert (result.returncode, result.stderr) == (2, f"error: --operation: {message}\n")

    @pytest.mark.parametrize(
        ("arguments", "variables", "told"),
        [
            ([], {"RELAY_ENVIRONMENT": "production"}, "error: RELAY_JWT_SECRET: missing: "),
            ([], {"RELAY_JWT_SECRET": "short"}, "error: RELAY_JWT_SECRET: it has 5 bytes"),
            (
                ["--identity", "nobody"],
                {"RELAY_JWT_SECRET": SECRET},
                "error: --identity: [tool.relay.contract] has no identity 'nobody'; it has admin, superadmin, ",
            ),
            (
                ["--expires", "61"],
                {"RELAY_JWT_SECRET": SECRET, "RELAY_JWT_MAX_LIFE": "60"},
                "error: --expires: the service rejects tokens valid for more than 60 seconds (RELAY_JWT_MAX_LIFE)",
            ),
        ],
    )
    def test_refuses_to_mint(self, tmp_path, arguments, variables, told):
        """Without a secret in production, for an unknown identity, or for longer than the service allows."""
        result = relay(as_project(tmp_path), "token", *arguments, **variables)

        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith(told)


def test_the_token_of_the_start_has_the_scopes_of_its_operation(tmp_path, monkeypatch, capsys):
    """The printed command is copied as it is, and has to work."""
    monkeypatch.syspath_prepend(str(tmp_path))
    verifiers = "verifiers = {'key': lambda credential: None}\n"
    application = host(tmp_path, TestToken.SCOPED, settings={"missing": ("stub",)}, init=verifiers)

    print_banner(application, 80, claims={"sub": "ada"})

    printed = "".join(capsys.readouterr())
    claims = jwt.decode(printed.partition("Bearer ")[2].partition("'")[0], SECRET, ["HS256"])
    assert (claims["sub"], claims["scope"]) == ("ada", "read:pets")


def test_the_default_command_is_on_the_path_of_the_two_scripts():
    """README's two commands are files that a shell can run."""
    for name in ("scripts/serve", "scripts/test", "scripts/lock", ".ci/venv"):
        file = ROOT / name
        assert file.stat().st_mode & 0o111
        subprocess.run(["sh", "-n", str(file)], check=True)


def test_a_missing_module_is_not_a_traceback(tmp_path):
    """The whole command fails in one line when the package it is to serve is broken."""
    package = write_package(tmp_path, things="import nothing_like_this\n")
    (tmp_path / "api.yaml").write_text(json.dumps(contract({"/a": {"get": operation("show")}})), "utf-8")

    result = relay(tmp_path, "serve", "--spec", "api.yaml", "--handlers", package)

    assert result.returncode == 2
    assert result.stderr == (
        f"error: {package}/things.py:1:1: cannot be imported: ModuleNotFoundError: No module named 'nothing_like_this'\n"
    )


def test_commands_of_a_broken_package_are_not_called_unknown(tmp_path):
    """The error of the package is what has to be repaired."""
    (tmp_path / "spec").mkdir()
    (tmp_path / "spec/openapi.yaml").touch()
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers/__init__.py").write_text("def broken(:\n", "utf-8")

    called, listed = relay(tmp_path, "stock"), relay(tmp_path, "--help")

    assert called.returncode == 2
    assert "No such command 'stock'; the commands of this project cannot be read: " in called.stderr
    assert "SyntaxError" in called.stderr
    assert listed.returncode == 0


class TestWorkingDirectory:
    """One that cannot be used."""

    COMMANDS = (
        "check",
        "lint",
        "drift",
        "serve",
        "init",
        "ci github",
        "keys status",
        "import --check",
        "token",
        "contract",
    )

    @pytest.mark.parametrize("command", COMMANDS)
    def test_says_that_it_was_deleted(self, tmp_path, command):
        """As happens to a shell after a deployment."""
        script = f'cd gone && rmdir ../gone && exec "$PYTHON" -P -m relay {command}'
        (tmp_path / "gone").mkdir()

        result = subprocess.run(
            ["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env=environment(tmp_path, PYTHON=sys.executable),
        )  # fmt: skip

        line = "error: the working directory: cannot be used: No such file or directory; change to another folder\n"
        assert (result.returncode, result.stderr) == (2, line)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    @pytest.mark.parametrize("command", COMMANDS)
    def test_says_that_it_may_not_be_searched(self, tmp_path, monkeypatch, command):
        """A service's user is often another one than who deploys."""
        (tmp_path / "closed").mkdir(mode=0o700)
        monkeypatch.chdir(tmp_path / "closed")
        os.seteuid(65534)
        try:
            result = CliRunner().invoke(main, command.split())
        finally:
            os.seteuid(0)

        line = "error: the working directory: cannot be used: Permission denied; change to another folder\n"
        assert (result.exit_code, result.output) == (2, line)
