"""Faults of the system: the service serves, or says why not in one line, and recovers by itself."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from support.hosting import SECRET, bearer, contract, operation, write_package
from support.running import COMMAND, as_project, ended, environment, eventually, relay, serving, started

pytestmark = pytest.mark.slow

ACME = {"_id": "a" * 24, "name": "Acme"}
ALEX = {"_id": "1" * 24, "organizationId": ACME["_id"], "accessRole": "ADMIN"}
CONFIG = "/api/calls/voice-ai/config"
AUTHORIZED = bearer({"userId": ALEX["_id"]})
SERVICE = {"RELAY_JWT_SECRET": SECRET, "RELAY_STORE": "sqlite:///relay.db", "RELAY_LOG_LEVEL": "warning"}

NOBODY = 54321
"""A user without a name."""

# They may read all files, because this Python and this checkout may lie where only root can, and write none.
BECOME_NOBODY = (
    f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "
    "--inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search"
).split()


def limited(files):
    return ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *COMMAND]


def seconds_of_cpu(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc")
def test_recovers_from_too_many_connections(tmp_path):
    """Connections that are only kept open give way to clients that ask something."""
    (tmp_path / "acme.json").write_text(json.dumps({"organizations": [ACME], "users": [ALEX]}), "utf-8")
    assert relay(tmp_path, "load", "acme.json", **SERVICE).returncode == 0
    with serving(tmp_path, command=limited(48), **SERVICE) as service, httpx.Client() as early:
        early.get(f"{service.url}/livez")
        address = urlsplit(service.url)
        with ExitStack() as idle:
            for _ in range(80):
                idle.enter_context(socket.create_connection((address.hostname, address.port)))
            time.sleep(0.5)
            before = seconds_of_cpu(service.process)
            during = [early.get(service.url + CONFIG, headers=AUTHORIZED) for _ in range(3)]
            during.append(httpx.get(f"{service.url}/livez", timeout=2))
            time.sleep(1)
            assert seconds_of_cpu(service.process) - before < 0.5
        answer = eventually(lambda: tried(service.url + CONFIG), 5)

    assert {one.status_code for one in during} == {200}
    assert answer.status_code == 200
    assert (tmp_path / "stderr.log").read_text("utf-8").count("\n") <= len(during) + 1


def tried(url):
    try:
        return httpx.get(url, headers=AUTHORIZED, timeout=2)
    except httpx.TransportError:
        return None


ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "bogus"}
UNKNOWN = {"LC_ALL": "", "LANG": "xx", "PYTHONIOENCODING": "ascii", "TZ": "Pacific/Kiritimati"}


@pytest.mark.parametrize("variables", [ASCII_ONLY, UNKNOWN])
def test_serves_in_any_locale_and_zone(tmp_path, variables):
    """Contract, path and answer are UTF-8, and tokens are of this very second, whatever the machine thinks."""
    folder = tmp_path / "größe ✓"
    folder.mkdir()
    bearer = {"securitySchemes": {"t": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}}
    document = contract({"/größe": {"get": operation("show", security=[{"t": []}])}}, components=bearer)
    document["info"]["title"] = "Größe ✓"
    (folder / "größe.yaml").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    things = "async def show(*, claims):\n    return {'größe': '✓'}\n"
    package = write_package(folder, things=things, init="async def identify(claims): return claims\n")
    options = ("--spec", "größe.yaml", "--handlers", package)
    settings = {"RELAY_JWT_SECRET": SECRET, "RELAY_LOG_LEVEL": "warning"}
    with serving(folder, *options, **settings, **variables) as service:
        token = jwt.encode({"sub": "x", "exp": int(time.time()) + 20}, SECRET, "HS256")
        answer = httpx.get(f"{service.url}/größe", headers={"Authorization": f"Bearer {token}"})

    assert answer.json() == {"größe": "✓"}
    assert (folder / "stderr.log").read_text("utf-8") == ""


@contextmanager
def from_shell(folder, script, *arguments, **variables):
    """Start a service through a shell that does something to its streams, at a port that is known before."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["sh", "-c", script, "sh", *COMMAND, "serve", "--port", str(port), *arguments]
    streams = {"stdout": None, "stderr": subprocess.DEVNULL}
    with started(command, folder, env=environment(folder, **variables), **streams) as process:
        url = f"http://127.0.0.1:{port}/livez"
        eventually(lambda: tried(url) is not None or process.poll() is not None, 60)
        yield process


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are seen in /proc")
@pytest.mark.parametrize("script", ['exec "$@" <&- >&- 2>&-', 'exec "$@" >/dev/full'])
def test_serves_where_nothing_can_be_printed(tmp_path, script):
    """And nothing that is written to a closed stream goes into a file or a socket that got its number."""
    with from_shell(as_project(tmp_path), script, **SERVICE) as process:
        assert process.poll() is None
        streams = [Path(f"/proc/{process.pid}/fd/{number}").readlink() for number in (1, 2)]
    assert streams == [Path(os.devnull)] * 2
    assert process.returncode == 0


def as_nobody(folder, *arguments, **variables):
    """Run a command as a user without a name, in a folder that is not theirs; HOME is what is given."""
    own = environment(folder, TMPDIR="/nonexistent", **variables)
    homeless = {
        name: value
        for name, value in own.items()
        if name in variables or name not in ("HOME", "XDG_DATA_HOME")
    }
    return ended([*BECOME_NOBODY, *COMMAND, *arguments], folder, env=homeless)


@pytest.fixture
def elsewhere(tmp_path_factory):
    """Our project in a folder that any user may read and only root may write; skipped for a user who is not root."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become another user, by setpriv")
    folder = as_project(tmp_path_factory.mktemp("elsewhere"))
    folder.chmod(0o755)
    return folder


def test_says_what_a_user_without_anything_has_to_set(elsewhere):
    """No home, no name, nothing to write to: one line each, with the setting that helps."""
    (elsewhere / "relay.db").touch(0o644)
    mine = f"sqlite:///{elsewhere}"
    cases = {
        "XDG_DATA_HOME: this user has no home directory; set it to a data": {},
        "RELAY_STORE: /nonexistent/.local": {"HOME": "/nonexistent"},
        f"RELAY_STORE: {elsewhere}/new.db cannot be created: Permission": {"RELAY_STORE": f"{mine}/new.db"},
        f"RELAY_STORE: {elsewhere}/relay.db cannot be written; give": {"RELAY_STORE": f"{mine}/relay.db"},
    }
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(
            lambda given: as_nobody(elsewhere, "serve", RELAY_JWT_SECRET=SECRET, **given), cases.values()
        )

    for expected, result in zip(cases, results, strict=True):
        assert result.returncode == 2
        assert result.stderr.startswith(f"error: {expected}")
        assert result.stderr.count("\n") == 1


def test_the_demo_says_what_it_needs(elsewhere, tmp_path_factory):
    """A folder for its keyring and its data, and one for the key of its tokens."""
    data = tmp_path_factory.mktemp("data")
    os.chown(data, NOBODY, NOBODY)
    homeless = as_nobody(elsewhere, "demo")
    locked_out = as_nobody(elsewhere, "demo", HOME="/nonexistent")
    keyless = as_nobody(elsewhere, "demo", XDG_DATA_HOME=str(data))

    assert homeless.stderr.startswith("error: XDG_DATA_HOME: this user has no home directory")
    assert locked_out.stderr.endswith("Permission denied; set XDG_DATA_HOME to another folder\n")
    assert keyless.stderr == (
        "error: .relay/development.key: cannot store the development key: Permission denied; "
        "set RELAY_JWT_SECRET instead\n"
    )
    assert {homeless.returncode, locked_out.returncode, keyless.returncode} == {2}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("demo", "the demo cannot store its keyring: File too large"),
        ("token", "cannot store the development key: File too large"),
    ],
)
def test_a_full_disk_leaves_no_half_secret(tmp_path, command, message):
    """Nothing is left that would keep the next start from working."""
    command = ["sh", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "sh", *COMMAND, command]
    result = ended(command, as_project(tmp_path))

    assert result.returncode == 2
    assert message in result.stderr
    left = [file.name for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink()]
    assert left in ([], [".gitignore"])
    assert relay(tmp_path, "token").returncode == 0


def test_serves_a_user_without_anything(elsewhere, tmp_path_factory):
    """Without name, home, temporary folder and a working folder to write to, a store is all that is needed."""
    data = tmp_path_factory.mktemp("data")
    os.chown(data, NOBODY, NOBODY)
    script = f'unset HOME XDG_DATA_HOME; exec {shlex.join(BECOME_NOBODY)} "$@"'
    variables = {"TMPDIR": "/nonexistent", "RELAY_STORE": f"sqlite:///{data}/relay.db"}
    with from_shell(elsewhere, script, RELAY_JWT_SECRET=SECRET, **variables) as process:
        assert process.poll() is None
        assert (data / "relay.db").stat().st_uid == NOBODY

    assert process.returncode == 0


def test_is_back_at_once_after_a_kill(tmp_path):
    """Clients read and a load writes when it dies: what was acknowledged is there, and it is ready again."""
    acme = {"organizations": [ACME], "users": [ALEX]}
    (tmp_path / "acme.json").write_text(json.dumps(acme), "utf-8")
    assert relay(tmp_path, "load", "acme.json", **SERVICE).returncode == 0
    number = {"provider": "sinch", "phoneNumber": "+1"}
    for count in range(200):
        user = {**ALEX, "_id": f"{count + 2:024x}", "voicePhoneNumbers": [number]}
        (tmp_path / f"{count}.json").write_text(json.dumps({"users": [user]}), "utf-8")
    files = [f"{count}.json" for count in range(200)]
    env = environment(tmp_path, **SERVICE)
    with (
        started([*COMMAND, "load", *files], tmp_path, 0, env=env, stderr=subprocess.DEVNULL) as loading,
        serving(tmp_path, **SERVICE) as service,
    ):
        loaded = [loading.stdout.readline() for _ in range(3)]
        with ThreadPoolExecutor(4) as pool:
            reading = [pool.submit(tried, service.url + CONFIG) for _ in range(40)]
            time.sleep(0.1)
            service.process.send_signal(signal.SIGKILL)
            loading.send_signal(signal.SIGKILL)
        loaded += loading.stdout.readlines()
    with serving(tmp_path, **SERVICE) as service:
        assert httpx.get(f"{service.url}/readyz").status_code == 200
        answer = httpx.get(service.url + CONFIG, headers=AUTHORIZED)

    assert {one.result().status_code for one in reading if one.result()} <= {200}
    shown = {number["userId"] for number in answer.json()["phoneNumbers"]}
    acknowledged = {f"{int(line.partition('.')[0]) + 2:024x}" for line in loaded if line.endswith("\n")}
    assert acknowledged <= shown
