"""Files for operators: `Dockerfile`, `compose.yaml`, `docs/deployment.md`, as far as they can be tried without a container."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from fnmatch import fnmatch

import httpx
import pytest
import yaml

from handlers._settings import Settings
from relay.server.transport.servers import CLOSE_SECONDS, DRAIN_SECONDS
from support.hosting import SECRET
from support.running import COMMAND, ROOT, as_project, ended, environment, serving, started

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text("utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
GUIDE = (ROOT / "docs" / "deployment.md").read_text("utf-8")
OURS = ("relay", "check")
UID = 10001


def instructions():
    """The Dockerfile's instructions, in their order: name and the rest of the line."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]


def last(name):
    """Return the rest of the last instruction of a name."""
    return [rest for found, rest in instructions() if found == name][-1]


def health_command():
    """The health check's command, run by this very Python."""
    python, *rest = json.loads(last("HEALTHCHECK").partition("CMD")[2])
    assert python == "python"
    return [sys.executable, *rest]


@pytest.mark.slow
def test_compose_keeps_to_its_published_schema():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    found = ended([*command, "compose.yaml"], ROOT)

    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE_TEXT, GUIDE], ids=["Dockerfile", "compose", "guide"])
def test_every_variable_that_is_named_is_a_setting(text):
    """A misspelt one would be ignored."""
    named = set(re.findall(r"RELAY_([A-Z_]*[A-Z])", text))

    assert named
    assert named <= {name.upper() for name in Settings.model_fields} | {"SECRETS_DIR"}


def test_every_secret_of_ours_is_a_setting_and_a_file():
    """Its file's name is how it is found; none stands in compose.yaml."""
    named = {name for service in OURS for name in COMPOSE["services"][service]["secrets"]}

    assert named <= {f"relay_{name}" for name in Settings.model_fields}
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    used = {name for service in COMPOSE["services"].values() for name in service["secrets"]}
    assert used == {*COMPOSE["secrets"]}


def test_what_is_copied_is_there_and_reaches_the_builder():
    """Nothing else does: other files may be secrets."""
    sources = [
        source
        for name, rest in instructions()
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}

    assert "*" in lines
    assert let_in == {*sources}
    assert all((ROOT / source).exists() for source in sources)
    for secret in (".env", "secrets/relay_store", "relay.db", "handlers/.env", "handlers/relay.db"):
        kept_out = [
            fnmatch(secret, line.replace("**/", "*")) for line in lines if not line.startswith(("!", "#"))
        ]
        assert any(kept_out)


def test_images_are_named_without_a_registry():
    """Which one they come from is the operator's to say."""
    images = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    images += [service["image"] for service in COMPOSE["services"].values()]

    assert images
    for image in images:
        first, slash, _ = image.partition("/")
        assert not slash or not re.search(r"[.:]|^localhost$", first), image


def test_the_image_runs_as_nobody_and_hears_signals():
    """A numeric user, whom Kubernetes can tell from root; no shell between init and the service."""
    assert last("USER") == f"{UID}:{UID}"
    assert json.loads(last("ENTRYPOINT")) == ["relay"]
    assert json.loads(last("CMD")) == ["serve"]


@pytest.mark.parametrize("service", OURS)
def test_a_container_of_ours_may_do_nothing_that_it_need_not(service):
    """Neither write its image, nor gain a privilege, nor be reached from elsewhere."""
    given = COMPOSE["services"][service]

    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert "cap_add" not in given
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in given.get("ports", []))


def test_the_service_has_time_to_end_and_is_checked_before():
    """It is ended after a time that is longer than its requests may take."""
    service = COMPOSE["services"]["relay"]

    assert int(service["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS + CLOSE_SECONDS
    assert service["depends_on"] == {"check": {"condition": "service_completed_successfully"}}


@pytest.mark.slow
def test_the_health_check_distinguishes_a_live_service_from_a_dead_one(tmp_path):
    with serving(as_project(tmp_path), RELAY_JWT_SECRET=SECRET) as service:
        variables = environment(tmp_path, RELAY_PORT=service.url.rpartition(":")[2])
        alive = ended(health_command(), tmp_path, env=variables)
    dead = ended(health_command(), tmp_path, env=variables)

    assert alive.returncode == 0
    assert dead.returncode != 0


@contextmanager
def as_stranger(folder, *arguments, **variables):
    """Run `relay` as a user whom this machine does not know, and who may read everything and write nothing."""
    may = "=-all,+dac_read_search"  # this Python may lie in a folder of root's
    become = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", f"--inh-caps{may}"]
    become += [f"--ambient-caps{may}", f"--bounding-set{may}"]
    command, env = [*become, *COMMAND, *arguments], environment(folder, **variables)
    with started(command, folder, env=env, stderr=subprocess.STDOUT) as process:
        yield process


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become another user, by setpriv"
)
def test_serves_as_any_user_where_nothing_can_be_written(tmp_path):
    """As the image's start command is run; only the data's folder is its own."""
    here, data = tmp_path / "here", tmp_path / "data"
    here.mkdir()
    files = {*as_project(here).iterdir()}
    here.chmod(0o555)
    data.mkdir(0o700)
    os.chown(data, UID, UID)
    variables = {"RELAY_JWT_SECRET": SECRET, "XDG_DATA_HOME": str(data), "RELAY_ENVIRONMENT": "production"}

    with as_stranger(here, *json.loads(last("CMD")), "--port", "0", **variables) as process:
        line = process.stdout.readline()
        found = re.search(r" at (http://\S+)", line)
        assert found, line + process.stdout.read()
        ready = httpx.get(f"{found[1]}/readyz").status_code

    assert ready == 200
    assert (data / "tether-relay" / "relay.db").stat().st_uid == UID
    assert {*here.iterdir()} == files
