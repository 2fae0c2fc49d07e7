"""The `relay` command: `scripts/relay/cli/`."""

import json
import os
import shlex
import socket
import subprocess
import sys
from fnmatch import fnmatchcase

import httpx
import jwt
import pytest

from relay import __version__
from relay.cli.main import COMMANDS, main
from relay.cli.startup_banner import print_banner
from support.hosting import SECRET, assert_envelope, contract, host, operation, put, token, write_package
from support.planting import plant
from support.running import ROOT, as_project, ended, environment, relay, serving_demo

ORGANIZATION = {"_id": "64f0a1b2c3d4e5f6a7b8c000", "name": "Acme"}
USER = {"_id": "64f0a1b2c3d4e5f6a7b8c9d1", "organizationId": ORGANIZATION["_id"], "accessRole": "ADMIN"}
CONFIG = "/api/calls/voice-ai/config"


def token_for(user, secret=SECRET):
    return token({"userId": user}, secret)


HEAVY = {"connexion", "uvicorn", "libcst", "schemathesis", "datamodel_code_generator"}


def python(code, folder=ROOT):
    done = ended([sys.executable, "-c", code], folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.slow
def test_help_waits_for_no_library_that_it_does_not_need(tmp_path):
    """The libraries of a command are imported when it runs."""
    code = (
        "import sys; from relay.cli.main import COMMANDS, main\n"
        "for name in ([], *([name] for name in COMMANDS)):\n"
        "    main([*name, '--help'], standalone_mode=False)\n"
        f"    print(*name, *{HEAVY} & {{*sys.modules}}, file=sys.stderr)"
    )

    shown, loaded = python(code, tmp_path)

    assert shown.count("Usage: ") == len(COMMANDS) + 1
    assert loaded.splitlines() == ["", *COMMANDS]


@pytest.mark.parametrize("name", ["demo", "load", "keys"])
def test_our_service_adds_commands(run_ours, name):
    shown = run_ours(name, "--help")

    assert (shown.exit_code, shown.stdout.startswith("Usage: ")) == (0, True)


@pytest.mark.slow
def test_says_its_version_from_a_checkout(tmp_path):
    assert relay(tmp_path, "--version").stdout == f"relay, version {__version__}\n"


def test_every_command_shows_how_it_is_typed():
    """An example says more than a list of options."""
    for name in main.list_commands(None):
        assert f"  relay {name} " in f"{main.get_command(None, name).epilog} "


@pytest.mark.slow
def test_what_serves_starts_without_what_it_does_not_need():
    """Other commands, the mock and database drivers would delay the first answer."""
    code = (
        "import sys; from relay.cli.main import COMMANDS, main; main.get_command(None, 'serve'); import relay.server.app; "
        "print(*sys.modules)"
    )
    loaded = python(code)[0].split()
    assert "connexion" in loaded
    unneeded = "relay.cli.lint relay.lint relay.mock relay.codegen relay.contract_tests.run pymongo libcst"
    assert not {*unneeded.split()} & {*loaded}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with serving_demo(tmp_path_factory.mktemp("demo")) as service:
        yield service


def only_show(folder, **modules):
    """Write a contract of one operation and a package, and return the options that name them."""
    put(folder / "api.yaml", contract({"/a": {"get": operation("show")}}))
    return "--spec", "api.yaml", "--handlers", write_package(folder, **modules)


@pytest.mark.slow
class TestServe:
    """`relay serve`."""

    def test_the_printed_curl_answers_with_a_conforming_body(self, demo):
        """The first thing a newcomer does is paste it."""
        command = shlex.split(demo.printed[-1])
        result = subprocess.run([*command, "--silent"], capture_output=True, text=True, check=True)
        docs = next(line for line in demo.printed if line.startswith("Docs: ")).removeprefix("Docs: ")

        assert httpx.get(docs).status_code == 200
        body = json.loads(result.stdout)
        assert [number["phoneNumber"] for number in body["phoneNumbers"]] == ["+14165550100", "+14165550102"]
        assert (body["hasApiKey"], body["hasToolSecret"], body["hasEstCredentials"]) == (True, False, True)
        assert "demo-" not in result.stdout

    def test_speaks_http_as_the_contract_says_it(self, demo):
        """Only a real server shows these: no server header, one content length, raw paths."""
        response = httpx.get(f"{demo.url}/api%2Fcalls/voice-ai/config")
        malformed = httpx.get(f"{demo.url}/%ff")

        assert_envelope(response, 404, "NOT_FOUND")
        assert_envelope(malformed, 400, "MALFORMED_PATH")
        assert "server" not in response.headers

    def test_the_demo_makes_a_keyring_of_its_own(self, tmp_path):
        """Next to its data, for its owner alone; what it loads is sealed with it, and stays so when it starts again."""
        for _ in range(2):
            with serving_demo(tmp_path) as service:
                pass
        folder = tmp_path / "tether-relay"
        variables = {
            "RELAY_STORE": f"sqlite:///{folder}/demo.db",
            "RELAY_KEYRING": str(folder / "demo-keyring"),
        }

        result = relay(tmp_path, "keys", "status", **variables)

        expected = "3 secrets under the key demo; it encrypts new secrets\n"
        assert (result.returncode, result.stdout) == (0, expected)
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
            answer = httpx.get(service.url + CONFIG, headers={"Authorization": f"Bearer {service.token}"})

        assert (answer.json()["hasApiKey"], answer.json()["hasEstCredentials"]) == (True, True)

    def test_the_demo_keeps_to_itself(self, run_ours, tmp_path):
        """With a store or keyring of one's own it refuses: its users must not end up there."""
        result = run_ours("demo", RELAY_STORE="sqlite:///mine.db", RELAY_KEYRING="mine")

        expected = "error: RELAY_STORE, RELAY_KEYRING: the demo has its own storage; unset it, or use `relay serve`\n"
        assert (result.exit_code, result.stderr) == (2, expected)
        assert not (tmp_path / "mine.db").exists()

    @pytest.mark.parametrize(
        ("variables", "expected"),
        [
            ({"RELAY_STORE": "sqlite:////proc/nope/relay.db", "RELAY_JWT_SECRET": SECRET}, ["error: RELAY_STORE: *"]),
            (
                {"RELAY_KEYRING": "a:sk_canary0,b", "RELAY_JWT_SECRET": SECRET},
                [
                    "error: RELAY_KEYRING: entry 1: its key has 7 bytes; AES-256 needs 32",
                    "error: RELAY_KEYRING: entry 2: it is not `id:base64`",
                ],
            ),
            ({"RELAY_ENVIRONMENT": "production"}, ["error: RELAY_JWT_SECRET: missing: *"]),
        ],
        ids=["store", "keyring", "no key in production"],
    )  # fmt: skip
    def test_refuses_to_start(self, tmp_path, variables, expected):
        """Non-zero, readable lines, no key, and no socket was opened; test_leaks.py has the other ways to be wrong."""
        result = relay(as_project(tmp_path), "serve", **variables)

        assert (result.returncode, result.stdout) == (2, "")
        lines = zip(result.stderr.splitlines(), expected, strict=True)
        assert all(fnmatchcase(*one) for one in lines), result.stderr
        assert not (tmp_path / ".relay").exists()

    def test_lists_every_problem(self, run, tmp_path):
        (tmp_path / "bad.yaml").write_text("openapi: 3.0.3\ninfo: {title: x}\npaths: {}\n", "utf-8")
        given = ["--spec", "bad.yaml", "--handlers", "nope", "--strict"]

        result = run("serve", *given, RELAY_JWT_SECRET="short")

        assert result.exit_code == 2
        assert result.stderr.splitlines() == [
            "error: bad.yaml:2:1: 'version' is missing",
            "error: RELAY_HANDLERS: there is no package 'nope' here",
            "error: RELAY_JWT_SECRET: it has 5 bytes; HS256 needs 32 or more",
        ]

    def test_a_missing_module_is_not_a_traceback(self, run, tmp_path):
        given = only_show(tmp_path, things="import nothing_like_this\n")

        result = run("serve", *given)

        expected = "cannot be imported: ModuleNotFoundError: No module named 'nothing_like_this'"
        assert (result.exit_code, result.stderr) == (2, f"error: {given[-1]}/things.py:1:1: {expected}\n")

    def test_says_when_the_port_is_taken(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            result = relay(tmp_path, "demo", "--port", port)

        assert result.returncode == 2
        assert result.stderr == (
            f"error: RELAY_HOST, RELAY_PORT: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        )

    def test_says_that_collaborators_failed(self, tmp_path):
        """In a line, without the text, which may hold a password."""
        init = """
            from contextlib import asynccontextmanager

            @asynccontextmanager
            async def collaborators(settings):
                raise OSError("sk_canary")
                yield
        """
        given = only_show(tmp_path, init=init, things="async def show(): ...\n")

        result = relay(tmp_path, "serve", *given)

        expected = "collaborators() failed: OSError; RELAY_LOG_LEVEL=debug shows where"
        assert (result.returncode, result.stderr) == (2, f"error: {given[-1]}/__init__.py:4:1: {expected}\n")


PETS = {
    "get": operation("list_pets", security=[{"oauth": ["read:pets"]}]),
    "post": operation("add_pet", security=[{"oauth": ["write:pets", "read:pets"]}]),
    "put": operation("move_pets", security=[{"key": []}]),
}
SCHEMES = {
    "oauth": {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "/", "scopes": {}}}},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
}
SCOPED = contract({"/pets": PETS}, components={"securitySchemes": SCHEMES})


class TestToken:
    """`relay token`."""

    def test_mints_a_token_that_the_service_accepts(self, run_ours):
        """For the issuer, audience, type and life that are set, and for as long as asked."""
        variables = {"RELAY_JWT_SECRET": SECRET, "RELAY_JWT_ISSUER": "me", "RELAY_JWT_AUDIENCE": "you"}
        limits = {"RELAY_JWT_MAX_LIFE": "60", "RELAY_JWT_TYPE": "at+jwt"}
        asked = run_ours("token", "--claim", f"userId={USER['_id']}", "--expires", "30", **variables)
        usual = run_ours("token", **variables, **limits)

        claims, others = (
            jwt.decode(one.stdout.strip(), SECRET, ["HS256"], issuer="me", audience="you")
            for one in (asked, usual)
        )
        assert claims["userId"] == USER["_id"]
        assert (claims["exp"] - claims["iat"], others["exp"] - others["iat"]) == (30, 60)
        assert jwt.get_unverified_header(usual.stdout.strip())["typ"] == "at+jwt"

    @pytest.fixture
    def scoped(self, run, tmp_path):
        put(tmp_path / "api.json", SCOPED)
        put(tmp_path / "pyproject.toml", '[tool.relay]\nspec = "api.json"\nhandlers = "none"\n')
        return lambda *arguments: run("token", *arguments, RELAY_JWT_SECRET=SECRET)

    @pytest.mark.parametrize(
        ("arguments", "scope"),
        [
            (["--operation", "list_pets"], "read:pets"),
            (["--operation", "POST /pets"], "read:pets write:pets"),
            (["--operation", "list_pets", "--scope", "admin", "--claim", "scope=own"], "admin own read:pets"),
        ],
    )
    def test_grants_the_scopes_that_operations_ask_for(self, scoped, arguments, scope):
        """A developer calls an operation without a search for its scopes; those of the claims are kept."""
        assert jwt.decode(scoped(*arguments).stdout.strip(), SECRET, ["HS256"])["scope"] == scope

    def test_reads_the_contract_and_the_package_that_are_named(self, run, tmp_path):
        """As every command does that a developer uses with `relay serve --spec`: no project is needed."""
        put(tmp_path / "other.json", SCOPED)
        declared = 'import relay\nclass Settings(relay.Settings):\n    jwt_issuer: str | None = "shop"\n'
        named = ["--spec", "other.json", "--handlers", write_package(tmp_path, init=declared)]

        minted = run("token", *named, "--operation", "list_pets", RELAY_JWT_SECRET=SECRET)

        claims = jwt.decode(minted.stdout.strip(), SECRET, ["HS256"])
        assert (claims["scope"], claims["iss"]) == ("read:pets", "shop")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("list_pet", "the contract has no operation 'list_pet'; did you mean list_pets?"),
            ("move_pets", "PUT /pets does not ask for a bearer token alone"),
        ],
    )
    def test_refuses_an_operation_that_takes_no_token(self, scoped, name, message):
        """A token would not help its caller."""
        result = scoped("--operation", name)

        assert (result.exit_code, result.stderr) == (2, f"error: --operation: {message}\n")

    @pytest.mark.parametrize(
        ("arguments", "variables", "expected"),
        [
            ([], {"RELAY_ENVIRONMENT": "production"}, "error: RELAY_JWT_SECRET: missing: "),
            ([], {"RELAY_JWT_SECRET": "short"}, "error: RELAY_JWT_SECRET: it has 5 bytes"),
            (["--claim", "sub"], {}, "'sub' is not NAME=VALUE"),
            (["--claim", "exp=5"], {}, "'exp' is set by --expires"),
            (["--claim", "iss=5"], {}, "error: --claim: a registered claim has the wrong type"),
            (["--identity", "nobody"], {"RELAY_JWT_SECRET": SECRET},
             "error: --identity: [tool.relay.contract] has no identity 'nobody'; it has admin, superadmin, "),
            (["--expires", "61"], {"RELAY_JWT_SECRET": SECRET, "RELAY_JWT_MAX_LIFE": "60"},
             "error: --expires: the service rejects tokens valid for more than 60 seconds (RELAY_JWT_MAX_LIFE)"),
        ],
    )  # fmt: skip
    def test_refuses_to_mint(self, run_ours, arguments, variables, expected):
        """Without a secret in production, with a wrong claim or identity, or for longer than the service allows."""
        result = run_ours("token", *arguments, **variables)

        assert (result.exit_code, result.stdout) == (2, "")
        assert expected in result.stderr


def test_the_token_of_the_start_has_the_scopes_of_its_operation(tmp_path, monkeypatch, capsys):
    """The printed command is copied as it is, and has to work."""
    monkeypatch.syspath_prepend(str(tmp_path))
    verifiers = "verifiers = {'key': lambda credential: None}\n"
    application = host(tmp_path, SCOPED, settings={"missing": ("stub",)}, init=verifiers)

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


def test_commands_of_a_broken_package_are_not_called_unknown(run, tmp_path):
    """The error of the package is what has to be repaired."""
    package = write_package(tmp_path, init="def broken(:\n")
    (tmp_path / "pyproject.toml").write_text(f"[tool.relay]\nhandlers = '{package}'\n", "utf-8")

    called, listed = run("stock"), run("--help")

    assert called.exit_code == 2
    assert "No such command 'stock'; the commands of this project cannot be read: " in called.stderr
    assert "SyntaxError" in called.stderr
    assert listed.exit_code == 0


@pytest.mark.slow
class TestWorkingDirectory:
    """One that cannot be used."""

    LINE = "error: the working directory: cannot be used: {}; change to another folder\n"

    @pytest.fixture(params=["No such file or directory", "Permission denied"])
    def reason(self, request, run, tmp_path, monkeypatch):
        """Be in a folder that was deleted, as happens to a shell after a deployment, or in another user's."""
        (tmp_path / "folder").mkdir(mode=0o700)
        monkeypatch.chdir(tmp_path / "folder")
        if request.param.startswith("No"):
            (tmp_path / "folder").rmdir()
        elif os.geteuid() == 0:
            os.seteuid(65534)
        else:
            pytest.skip("only root can give a folder away")
        yield request.param
        os.seteuid(os.getuid())

    @pytest.mark.parametrize(
        "command", "check lint drift serve init ci,github keys,status import,--check token contract".split()
    )
    def test_says_what_is_wrong(self, run, reason, command):
        result = run(*command.split(","))

        assert (result.exit_code, result.output) == (2, self.LINE.format(reason))

    def test_starts_python_there(self, tmp_path):
        script = 'cd gone && rmdir ../gone && exec "$PYTHON" -P -m relay serve'
        (tmp_path / "gone").mkdir()

        variables = environment(tmp_path, PYTHON=sys.executable)
        result = ended(["/bin/sh", "-c", script], tmp_path, env=variables)

        assert (result.returncode, result.stderr) == (2, self.LINE.format("No such file or directory"))


def test_an_unknown_command_is_answered_with_the_nearest_one(run):
    called = run("lnt")

    assert (called.exit_code, "No such command 'lnt'. Did you mean 'lint'?" in called.stderr) == (2, True)
