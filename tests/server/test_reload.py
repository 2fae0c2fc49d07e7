"""`relay serve --reload`: `scripts/relay/server/reloading.py` and `scripts/relay/cli/reload.py`."""

import json
import shutil
import signal
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from relay.cli.reload import SLOW, Sources
from relay.contract.diagnostics import SetupError
from relay.project.settings import Settings
from relay.server.compilation import create
from relay.server.reloading import fresh_imports
from support.hosting import SECRET, contract, operation, put
from support.running import ROOT, as_project, eventually, relay, serving, serving_demo

pytestmark = pytest.mark.slow

A = contract({"/a": {"get": operation("show")}})
B = contract({"/a": {"get": operation("show")}, "/b": {"get": operation("more")}})
LIFE = """
from contextlib import asynccontextmanager
from pathlib import Path

@asynccontextmanager
async def collaborators(settings):
    yield {"book": "VERSION"}
    with Path("closed.txt").open("a") as file:
        file.write("VERSION ")
"""


def show(answer, more=""):
    """A module whose `show` answers; edits of the same length are seen, too."""
    return f"async def show():\n    return {answer!r}\n{more}"


@pytest.fixture
def write(tmp_path):
    """Write a file of the service below the working directory."""
    return lambda name, content: put(tmp_path / name, content)


@pytest.fixture
def edited(tmp_path, write):
    """Serve `api.json` with the package `shop`, and yield its address while it is edited."""

    @contextmanager
    def edited(*arguments, **variables):
        options = ["--spec", "api.json", "--handlers", "shop", "--reload", *arguments]
        with serving(tmp_path, *options, **variables) as service:
            yield service

    write("api.json", A)
    write("shop/__init__.py", "")
    write("shop/things.py", show("one"))
    return edited


def answer(service, path="/a"):
    return httpx.get(service.url + path).json()


def reported(service):
    """The problems of the last edit that /readyz reports."""
    ready = httpx.get(f"{service.url}/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    return [f"{one['where']}: {one['message']}" for one in ready.json().get("reload", [])]


@pytest.mark.parametrize("module", ["shelf.py", "shelf/__init__.py", "shelf/__init__.py shelf/things.py"])
def test_an_edit_of_a_function_that_the_contract_names_goes_live(tmp_path, write, module):
    *others, file = module.split()
    dotted = "shelf.things.show" if others else "shelf.show"
    for other in others:
        write(other, "")
    write("api.json", contract({"/a": {"get": operation(dotted)}}))
    write(file, show("one"))
    path = str(ROOT / "scripts")  # our own package is not that of this service

    with serving(tmp_path, "--spec", "api.json", "--reload", PYTHONPATH=path) as service:
        assert answer(service) == "one"
        write(file, show("two"))
        eventually(lambda: answer(service) == "two")
        write(file, "this is not Python")
        eventually(lambda: reported(service))
        assert answer(service) == "two"
        write(file, show("six"))
        eventually(lambda: answer(service) == "six")


def test_an_edit_of_contract_and_functions_goes_live(edited, write, tmp_path):
    with edited(RELAY_CONTRACT_ROOT="..") as service:
        write("shop/things.py", show("two"))
        eventually(lambda: answer(service) == "two")

        write("shop/things.py", show("two", "\nfrom .parts import more\n"))
        write("shop/parts.py", "async def more():\n    return 'more'\n")
        write("api.json", B)
        eventually(lambda: httpx.get(f"{service.url}/b").status_code == 200)

        ok = {"description": "ok", "content": {"application/json": {"schema": {"$ref": "../far/a.yaml#/A"}}}}
        write("../far/a.yaml", "A: {type: string}\n")
        write("api.json", contract({"/a": {"get": operation("show", responses={"200": ok})}}))
        eventually(lambda: httpx.get(f"{service.url}/b").status_code == 404)
        write("../far/new.yaml", "A: {type: integer}\n")
        (tmp_path / "../far/new.yaml").rename(tmp_path / "../far/a.yaml")
        eventually(lambda: httpx.get(f"{service.url}/a").status_code == 500)

        (tmp_path / "shop/parts.py").unlink()
        eventually(lambda: reported(service))
        service.process.terminate()
        printed = service.process.stdout.read().splitlines()

    banner, lines = printed[:3], printed[3:]
    assert "No module named 'shop.parts'" in (tmp_path / "stderr.log").read_text("utf-8")
    assert banner == [f"Docs: {service.url}/docs", "Try:", f"  curl {service.url}/a"]
    assert len(lines) >= 3
    assert all("reloaded in 0." in line for line in lines)
    assert lines[-1].endswith(" s: 1 operation")


RAISED = {
    "asyncio.CancelledError": "CancelledError",
    "BaseException('x')": "BaseException: x",
    **{name: name for name in ("GeneratorExit", "KeyboardInterrupt", "StopIteration")},
}
FAILING = {
    "0 / 0": "ZeroDivisionError",
    "import asyncio; raise asyncio.CancelledError": "CancelledError",
    **{f"raise {name}": name for name in ("GeneratorExit", "KeyboardInterrupt", "SystemExit")},
}
MODULE, PACKAGE = "shop/things.py", "shop/__init__.py"
BAD_EDITS = [
    ("api.json", '{"openapi": "3.0.3",\n "info": 1,', "api.json:2:12: is not JSON: "),
    ("api.json", json.dumps(A | {"info": {"title": "Test"}}), "api.json:1:"),
    (MODULE, "async def show(:\n", "shop/things.py:1:16: cannot be imported: SyntaxError"),
    (MODULE, "import sys\n\nsys.exit()\n", "shop/things.py:3:1: cannot be imported: SystemExit"),
    *(
        (MODULE, f"import asyncio\n\nraise {raised}\n", f"shop/things.py:3:1: cannot be imported: {name}")
        for raised, name in RAISED.items()
    ),
    (MODULE, "async def show(more): ...\n", "shop/things.py:1:1: GET /a does not send 'more', and no"),
    *((PACKAGE, LIFE.replace("yield", f"{failing}; yield"), f"collaborators() failed: {name}") for failing, name in FAILING.items()),
]  # fmt: skip


def test_a_bad_edit_changes_nothing_but_the_reports(edited, write, tmp_path):
    """The last good version serves; the terminal and /readyz say what is wrong and where, until it is corrected."""
    with edited() as service:
        for file, content, problem in BAD_EDITS:
            before = (tmp_path / file).read_text("utf-8")
            write(file, content)
            eventually(lambda: reported(service))

            problems = reported(service)
            assert answer(service) == "one"
            assert any(problem in one for one in problems), problems
            errors = (tmp_path / "stderr.log").read_text("utf-8")
            assert "".join(f"error: {one}\n" for one in problems) in errors

            write(file, before)
            eventually(lambda: not reported(service))

    assert errors.count("error: ") == len(BAD_EDITS)
    assert errors.count("not reloaded; the last working version keeps serving\n") == len(BAD_EDITS)
    assert "Traceback" not in errors


def test_reports_that_building_takes_long(edited, write, tmp_path):
    slow = f"import time\n\ntime.sleep({SLOW + 1})\n\n"
    with edited() as service:
        write("shop/things.py", slow + show("late"))
        eventually(lambda: reported(service))
        assert answer(service) == "one"
        (problem,) = reported(service)

        eventually(lambda: answer(service) == "late")
        assert reported(service) == []

    assert problem.startswith("--reload: still building after 3 s, ")
    warnings = [line for line in (tmp_path / "stderr.log").read_text("utf-8").splitlines() if line[:1] != "{"]
    assert warnings == [f"warning: {problem}"]


def test_an_unforeseen_exception_ends_no_watching(edited, write, tmp_path):
    with edited() as service:
        write("shop/things.py", "def __getattr__(name):\n    raise GeneratorExit\n")
        eventually(lambda: reported(service))
        assert reported(service) == ["--reload: GeneratorExit, see the log"]

        write("shop/things.py", show("corrected"))
        eventually(lambda: answer(service) == "corrected")

    assert "shop/things.py" in (tmp_path / "stderr.log").read_text("utf-8")


def test_clients_see_no_error_while_it_is_reloaded(edited, write):
    seen = []
    failed = []
    done = threading.Event()

    def ask(url):
        with httpx.Client() as client:
            while not done.is_set():
                try:
                    seen.append(client.get(f"{url}/a").raise_for_status().json())
                except httpx.HTTPError as exc:
                    failed.append(exc)

    with edited() as service:
        clients = [threading.Thread(target=ask, args=[service.url]) for _ in range(2)]
        for client in clients:
            client.start()
        for number in range(10):
            write("shop/things.py", show(number))
            eventually(lambda number=number: seen[-1:] == [number])
        done.set()
        for client in clients:
            client.join()

    assert failed == []
    assert list(dict.fromkeys(seen)) == ["one", *range(10)]


def test_a_request_ends_on_the_version_it_began_on(edited, write, tmp_path):
    """The objects that this version opened are closed then, not before."""
    slow = "import asyncio\n\nasync def show(book):\n    await asyncio.sleep(3)\n    return book\n"
    quick = "\nasync def more(book):\n    return book\n"
    write("api.json", B)
    write("shop/__init__.py", LIFE.replace("VERSION", "old"))
    write("shop/things.py", slow + quick)
    closed = tmp_path / "closed.txt"
    with edited() as service:
        answers = []
        request = threading.Thread(target=lambda: answers.append(answer(service)))
        request.start()
        time.sleep(0.3)
        write("shop/__init__.py", LIFE.replace("VERSION", "new"))
        eventually(lambda: answer(service, "/b") == "new")
        assert request.is_alive()
        assert not closed.exists()
        request.join()
        eventually(lambda: closed.exists() and closed.read_text("utf-8") == "old ")

    assert answers == ["old"]
    assert closed.read_text("utf-8") == "old new "


def test_functions_may_come_into_being(edited, write, tmp_path):
    (tmp_path / "shop/things.py").unlink()
    write("api.json", B)
    with edited("--missing", "mock") as service:
        assert service.process.stdout.readline() == "2 of 2 operations are mocked: GET /a, GET /b\n"
        write("shop/things.py", show("mine"))
        eventually(lambda: answer(service) == "mine")
        assert httpx.get(f"{service.url}/b").headers["x-mock"] == "true"
        service.process.terminate()
        assert service.process.stdout.read().endswith("2 operations\n1 of 2 operations is mocked: GET /b\n")


def test_a_package_that_vanishes_goes_on_serving(edited, write, tmp_path):
    """Its verifiers, too: a switch of branches is not to let any credential in."""
    key = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    write("api.json", contract({"/a": {"get": operation("show", security=[{"key": []}])}}, components=key))
    write("shop/__init__.py", "async def verify(key):\n    return None\n\nverifiers = {'key': verify}\n")
    with edited("--missing", "mock") as service:
        (tmp_path / "shop").rename(tmp_path / "shop2")
        eventually(lambda: reported(service))

        assert reported(service) == ["RELAY_HANDLERS: there is no package 'shop' here"]
        assert httpx.get(f"{service.url}/a", headers={"X-Key": "any"}).status_code == 401


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_ends_at_once_while_it_is_building(edited, write, tmp_path, sent):
    """Its supervisor waits for that, and an import may never return."""
    endless = "from pathlib import Path\n\nPath('b').touch()\nwhile True:\n    pass\n"
    with edited() as service:
        write("shop/things.py", endless)
        eventually((tmp_path / "b").exists)
        started = time.monotonic()
        service.process.send_signal(sent)
        service.process.wait(10)

    assert time.monotonic() - started < 5
    assert (tmp_path / "stderr.log").read_text("utf-8") == ""


def test_our_own_service_is_reloaded_as_any_other(tmp_path):
    for folder in ("handlers", "spec"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "handlers/calls.py"
    with serving_demo(tmp_path, "--reload") as service:
        config = f"{service.url}/api/calls/voice-ai/config"

        def provider():
            response = httpx.get(config, headers={"Authorization": f"Bearer {service.token}"})
            return response.raise_for_status().json()["aiVoiceProvider"]

        assert provider() == "elevenlabs"
        source = module.read_text("utf-8")
        module.write_text(source.replace("settings.ai_voice_provider", "'sinch-elevenlabs'"), "utf-8")
        eventually(lambda: provider() != "elevenlabs")


def test_is_refused_in_production(tmp_path):
    result = relay(
        as_project(tmp_path), "serve", "--reload", RELAY_ENVIRONMENT="production", RELAY_JWT_SECRET=SECRET
    )
    assert result.returncode == 2
    assert result.stderr == "error: --reload: not available with RELAY_ENVIRONMENT=production\n"


class TestFreshImports:
    """A package is imported anew, or stays as it was."""

    @pytest.fixture
    def build(self, tmp_path, write, monkeypatch):
        """Build a version from what stands in the files."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        package = f"shop_{tmp_path.name}"
        write("api.json", A)
        write(f"{package}/__init__.py", "")

        def build(things):
            write(f"{package}/things.py", things)
            with fresh_imports(package):
                return create(Settings(spec="api.json", handlers=package))

        return build

    async def test_leaves_the_modules_of_before_where_that_fails(self, build):
        build(show("one"))
        before = {name: module for name, module in sys.modules.items() if "shop_" in name}
        with pytest.raises(SetupError):
            build("def broken(:\n")
        assert {name: module for name, module in sys.modules.items() if "shop_" in name} == before


class TestSources:
    """Which files a service is made of."""

    def test_follows_references_to_files_that_are_broken_or_not_there(self, tmp_path, monkeypatch, write):
        monkeypatch.chdir(tmp_path)
        write(
            "api.yaml", "a: {$ref: 'my%20own.yaml#/A'}\nb:\n  $ref: other/b.yaml\nc: {$ref: \"c.json#/C\"}\n"
        )
        write("my own.yaml", 'broken: [\n"$ref": "#/here"\n')
        write("other/b.yaml", '{"$ref":"..\\/api.yaml#/a", "e": {"$ref": "https://example.com/x.yaml"}}')

        seen = Sources(tmp_path / "api.yaml", "nowhere").look()

        there = {
            path.relative_to(tmp_path.resolve()).as_posix(): stamp is not None for path, stamp in seen.items()
        }
        assert there == {"api.yaml": True, "my own.yaml": True, "other/b.yaml": True, "c.json": False}

    def test_finds_every_module_of_the_package(self, monkeypatch):
        monkeypatch.chdir(ROOT)
        found = Sources(ROOT / "spec/openapi.yaml", "handlers").look()
        names = {path.relative_to(ROOT).as_posix() for path in found}
        assert {"spec/openapi.yaml", "handlers/calls.py", "handlers/_store/sqlite.py"} <= names
