"""A project made from a contract: `relay init`, `scripts/relay/init/plan.py`."""

import ast
import configparser
import json
import sys
import tomllib
from pathlib import PurePosixPath

import pytest
from ruff import find_ruff_bin

from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from relay.init.plan import plan
from relay.init.requirement import Requirement
from support.hosting import SECRET, contract, operation, put, query
from support.running import ROOT, SPEC, ended, environment, relay

GARAGE = ROOT / "tests" / "specs" / "garage" / "openapi.yaml"
RELEASE = Requirement(">=0.1.0")
ELSEWHERE = {
    "tests/test_calls.py": "tests/handlers/test_calls.py",  # our tests mirror all our packages
    ".github/workflows/contract.yml": ".github/workflows/ci.yml",  # one workflow has all our jobs
}
"""Files of a new project that our own repository has under another name."""


def made(folder, source=None, requirement=RELEASE):
    found = plan(folder, source and str(source), requirement, lambda path: f"name: {path}\n")
    found.write()
    return found


def command(folder, *arguments, **variables):
    return relay(folder, *arguments, PYTHONPATH=str(ROOT / "scripts"), **variables)


PETS = contract({"/pets": {"get": operation("list_pets")}})


def written(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def seed(tmp_path_factory):
    """A project of our own contract."""
    folder = tmp_path_factory.mktemp("projects") / "seed"
    made(folder, SPEC)
    return folder


@pytest.fixture(scope="module")
def garage(tmp_path_factory):
    """A project of the garage's contract: several files, keys and tokens, every kind of body."""
    folder = tmp_path_factory.mktemp("projects") / "shop"
    made(folder, GARAGE)
    return folder


class TestShape:
    """Our own repository is what the command makes of our contract, plus what people wrote."""

    @pytest.mark.slow
    def test_every_file_is_one_of_ours(self, seed):
        """The two shapes cannot drift apart unnoticed."""
        names = [ELSEWHERE.get(name, name) for name in written(seed)]

        assert [name for name in names if not (ROOT / name).is_file()] == []

    def test_types_are_ours_to_the_byte(self, seed):
        assert written(seed)["handlers/_types.py"] == (ROOT / "handlers" / "_types.py").read_bytes()

    def test_functions_are_ours(self, seed):
        for name in ("calls.py", "_errors.py", "_identity.py"):
            trees = (ast.parse((root / "handlers" / name).read_text("utf-8")).body for root in (ROOT, seed))
            ours, theirs = ({getattr(node, "name", "") for node in tree} for tree in trees)
            assert theirs <= ours | {""}

    def test_checks_are_ours(self, seed):
        ours, theirs = (configparser.ConfigParser() for _ in range(2))
        ours.read(ROOT / "tox.ini", "utf-8")
        theirs.read(seed / "tox.ini", "utf-8")

        assert {*theirs["tox"]["env_list"].split(", ")} < {*ours["tox"]["env_list"].split(", ")}


@pytest.mark.slow
class TestProject:
    """A project of the garage's contract."""

    def test_contract_handlers_and_types_agree(self, garage):
        drift, regenerate = command(garage, "drift"), command(garage, "regenerate", "--check")

        assert drift.stdout == "relay drift: 14 operations, handlers and types agree\n", drift.stderr
        assert (regenerate.returncode, regenerate.stdout) == (0, "relay regenerate: nothing to do\n")

    def test_code_keeps_to_the_projects_own_rules(self, garage, seed):
        for folder in (garage, seed):
            for arguments in (["check"], ["format", "--check"]):
                ruff = [find_ruff_bin(), *arguments, "--no-cache"]
                found = ended(ruff, folder)
                assert found.returncode == 0, found.stdout

    def test_scripts_can_be_run(self, garage):
        for name in ("scripts/serve", "scripts/test", ".ci/venv"):
            script = garage / name
            assert script.stat().st_mode & 0o100
            assert ended(["sh", "-n", script], garage).returncode == 0

    def test_keys_are_settings(self, garage):
        """No credential is in the code: the accepted ones are read from the environment."""
        table = tomllib.loads((garage / "pyproject.toml").read_text("utf-8"))["tool"]["relay"]

        assert table["contract"]["identities"]["developer"] == {
            "claims": {"sub": "developer"},
            "variables": {"storeroomKey": "RELAY_STOREROOM_KEY"},
        }
        assert "storeroom_key: SecretStr | None" in (garage / "handlers" / "_settings.py").read_text("utf-8")

    def test_a_second_run_changes_nothing(self, garage):
        """Not after the first run, nor after a person has gone on."""
        for name in ("handlers/parts.py", "README.md"):
            (garage / name).write_bytes((garage / name).read_bytes() + b"\n\nMINE = 1\n")
        before = written(garage)

        again = made(garage, GARAGE)

        assert (again.files, again.kept) == ({}, [PurePosixPath("README.md")])
        assert written(garage) == before

    def test_production_takes_it(self, garage):
        """Stubs answer 501 there; nothing in the project asks for mocks."""
        secrets = {"RELAY_JWT_SECRET": SECRET, "RELAY_STOREROOM_KEY": SECRET}

        result = command(garage, "check", RELAY_ENVIRONMENT="production", **secrets)

        assert "error" not in result.stdout + result.stderr


@pytest.mark.slow
def test_without_a_contract_there_is_a_small_one(tmp_path):
    found = made(tmp_path / "book-shop")

    result = command(tmp_path / "book-shop", "lint")
    assert result.stdout == "relay lint: nothing found\n"
    assert load_contract(tmp_path / "book-shop" / "spec" / "openapi.yaml").title == "Book Shop API"
    assert found.notes == []


class TestFolderWithCode:
    """A folder that has something already."""

    @pytest.mark.slow
    def test_existing_files_are_kept_and_what_they_lack_is_listed(self, tmp_path):
        own = {
            "pyproject.toml": b'[project]\nname = "mine"\nversion = "1"\n',
            "README.md": b"# Mine\n",
            ".gitignore": b"/build/\n",
            "tests/conftest.py": b"",
        }
        for name, content in own.items():
            put(tmp_path / name, content.decode())

        found = made(tmp_path)

        assert {name: written(tmp_path)[name] for name in own} == own
        assert {str(name) for name in found.kept} == set(own)
        notes = "\n".join(found.notes)
        assert 'add to it:\n    [tool.relay]\n    spec = "spec/openapi.yaml"' in notes
        assert "add to `dependencies` of [project]:\n    'tether-relay>=0.1.0'" in notes
        assert "dev = ['tether-relay[tools]>=0.1.0', 'mypy', 'pytest', 'ruff']" in notes
        assert ".gitignore does not list .venv/, .cache/, .env" in notes
        assert "lacks the fixture `api`" in notes

    @pytest.mark.slow
    def test_its_contract_counts(self, tmp_path):
        """Another one is not laid over it; `relay import` can merge the two."""
        own = put(tmp_path / "spec" / "openapi.yaml", PETS)

        found = made(tmp_path, SPEC)

        assert json.loads(own.read_text("utf-8")) == PETS
        assert "async def list_pets" in (tmp_path / "handlers" / "things.py").read_text("utf-8")
        assert any("is kept, and the project is made for it" in note for note in found.notes)

    def test_handlers_of_its_own_are_not_touched(self, tmp_path):
        """A missing operation is one for `relay regenerate`, which edits."""
        document = contract({"/pets": {"get": operation("list_pets"), "post": operation("add_pet")}})
        put(tmp_path / "spec" / "openapi.yaml", document)
        put(tmp_path / "handlers" / "__init__.py")
        own = "async def list_pets():\n    return []\n"
        things = put(tmp_path / "handlers" / "things.py", own)

        found = made(tmp_path)

        assert things.read_text("utf-8") == own
        assert any("`relay regenerate --diff` shows it" in note for note in found.notes)

    def test_a_package_that_verifies_keys_in_its_own_way_gets_no_settings(self, tmp_path):
        """Nothing that is written imports a name which the package does not have, or invents a variable."""
        schemes = {"door": {"type": "apiKey", "in": "header", "name": "X-Door"}}
        paths = {"/pets": {"get": operation("list_pets", security=[{"door": []}])}}
        put(tmp_path / "handlers" / "__init__.py")
        put(tmp_path / "spec" / "openapi.yaml", contract(paths, components={"securitySchemes": schemes}))

        found = made(tmp_path)

        assert any("verifies door in its own way" in note for note in found.notes)
        files = written(tmp_path)
        assert b"Settings" not in files["tests/conftest.py"]
        assert not [name for name, content in files.items() if b"RELAY_DOOR" in content]

    def test_a_project_of_other_names_keeps_them(self, tmp_path):
        put(tmp_path / "pyproject.toml", '[tool.relay]\nspec = "api.yaml"\nhandlers = "shop.api"\n')
        put(tmp_path / "api.yaml", PETS)

        made(tmp_path)

        names = written(tmp_path)
        assert "shop/api/things.py" in names
        assert not [name for name in names if name.startswith(("spec/", "handlers/"))]
        assert b"COPY shop shop" in names["Dockerfile"]


class TestSecurity:
    """Schemes that a package verifies itself."""

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "scheme",
        [
            {"type": "apiKey", "in": "query", "name": "key"},
            {"type": "apiKey", "in": "cookie", "name": "key"},
            {"type": "http", "scheme": "basic"},
        ],
    )
    def test_its_tests_sign_in(self, tmp_path, scheme):
        """Wherever the scheme has its credential, next to cookies, too: the generated tests pass."""
        cookies = [query(name, location="cookie", required=True) for name in ("a", "b")]
        paths = {"/pets": {"get": operation("list_pets", security=[{"host": []}], parameters=cookies)}}
        components = {"securitySchemes": {"host": scheme}}  # the name of a setting of Relay's own
        folder = tmp_path / "shop"
        made(folder, put(tmp_path / "pets.json", contract(paths, components=components)))

        pytests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
        variables = environment(folder, PYTHONPATH=str(ROOT / "scripts"))
        result = ended(pytests, folder, env=variables)

        assert "1 passed" in result.stdout, result.stdout + result.stderr
        assert b"host_keys: SecretStr" in written(folder)["handlers/_settings.py"]


class TestRefusals:
    """Reasons for which no project is made, and nothing is written."""

    @pytest.mark.parametrize("source", ["contract-root", "contract_root", "variable", None])
    def test_a_contract_that_shares_files(self, tmp_path, monkeypatch, source):
        """They are read as every other command reads them."""
        project = tmp_path / "shop"
        put(project / "shared.json", {"s": {"type": "string"}})
        schemas = {"S": {"$ref": "../shared.json#/s"}}
        put(project / "spec/openapi.yaml", contract({}, components={"schemas": schemas}))
        if source == "variable":
            monkeypatch.setenv("RELAY_CONTRACT_ROOT", str(project))
        table = f'{source} = "."\n' if source in ("contract-root", "contract_root") else ""
        put(project / "pyproject.toml", f"[tool.relay]\n{table}")

        if source:
            assert plan(project, None, RELEASE, str).files
            return
        with pytest.raises(SetupError, match="outside the contract's folder"):
            plan(project, None, RELEASE, str)

    @pytest.mark.parametrize(
        ("folder", "message"),
        [
            ("file", "is a file; name a folder"),
            ("file/inside", "is not a folder"),
            ("linked", r"conftest\.py: leads out of"),
            ("unread", r"pyproject\.toml: cannot be read"),
        ],
    )
    def test_what_is_in_the_way(self, tmp_path, folder, message):
        """It is not replaced; what a link leads to is somebody else's; what a pyproject.toml says is not guessed."""
        put(tmp_path / "file")
        put(tmp_path / "unread" / "pyproject.toml", "[")
        for name in ("theirs", "linked"):
            (tmp_path / name).mkdir()
        (tmp_path / "linked" / "tests").symlink_to(tmp_path / "theirs")

        with pytest.raises(SetupError, match=message):
            plan(tmp_path / folder, None, RELEASE, str)


def test_an_operation_without_a_request_has_no_test(tmp_path):
    parameter = query("q", {"type": "string", "pattern": "^(?!a)b(?<=c)$"}, required=True)
    document = contract({"/pets": {"get": operation("list_pets", parameters=[parameter])}})

    found = made(tmp_path / "shop", put(tmp_path / "pets.yaml", document))

    assert not (tmp_path / "shop" / "tests" / "test_things.py").exists()
    assert any(note.startswith("GET /pets has no test: ") for note in found.notes)


@pytest.mark.slow
@pytest.mark.parametrize("media_type", ["multipart/mixed", "multipart/related", "multipart/form-data"])
def test_tests_send_multipart_with_the_boundary_that_their_header_names(tmp_path, media_type):
    """A part of its name was replaced, and each word `boundary` with it."""
    is_form = media_type == "multipart/form-data"
    field = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    content = {"schema" if is_form else "itemSchema": field}
    body = {"required": True, "content": {media_type: content}}
    document = contract({"/pets": {"post": operation("add_pet", requestBody=body)}}, openapi="3.2.0")

    made(tmp_path / "shop", put(tmp_path / "pets.yaml", document))

    tests = ast.parse((tmp_path / "shop" / "tests" / "test_things.py").read_text())
    calls = (one for one in ast.walk(tests) if isinstance(one, ast.Call))
    (call,) = [one for one in calls if ast.unparse(one.func) == "api.post"]
    sent = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    named, _, boundary = sent["headers"]["Content-Type"].partition("; boundary=")
    assert named == media_type
    assert sent["content"].startswith(f"--{boundary}\r\n".encode())
    assert sent["content"].endswith(f"--{boundary}--\r\n".encode())


@pytest.mark.slow
def test_a_path_of_this_machine_is_noted(tmp_path):
    found = made(tmp_path / "shop", SPEC, Requirement(" @ file:///dist/relay.whl", is_local=True))

    assert found.notes[0].startswith("pyproject.toml asks for file:///dist/relay.whl, a path of this machine")


@pytest.mark.slow
def test_says_what_it_wrote_and_what_is_next(tmp_path):
    """The two commands of README come last; a second run has nothing to write."""
    first, again = (command(tmp_path, "init", "shop", "--spec", str(SPEC)) for _ in range(2))

    lines = first.stdout.splitlines()
    assert first.returncode == 0, first.stderr
    assert lines[0] == "wrote spec/openapi.yaml"
    assert "wrote handlers/calls.py" in lines
    assert lines[-4:] == ["next:", "  cd shop", "  scripts/serve", "  scripts/test"]
    assert again.stdout == "relay init: nothing to write, every file is there\n"


@pytest.mark.slow
def test_writes_nothing_for_what_is_no_contract(tmp_path):
    (tmp_path / "api.yaml").write_text("openapi: 4.0.0\n", "utf-8")

    result = command(tmp_path, "init", "shop", "--spec", "api.yaml")

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: api.yaml:1:1: not an OpenAPI 3.0, 3.1 or 3.2 document")
    assert not (tmp_path / "shop").exists()
