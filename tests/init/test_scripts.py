"""The two scripts of a new project, run: `tox -e package`."""

import json
import os
import re
import shlex
import time
from importlib import metadata

import pytest

from support.running import COMMAND, ROOT, ended, environment, started

pytestmark = pytest.mark.package

GARAGE = ROOT / "tests" / "specs" / "garage" / "openapi.yaml"
SECONDS = 60
"""How long it takes from the command to the first response, at most; packages are cached."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    direct_url = metadata.distribution("tether-relay").read_text("direct_url.json") or "{}"
    if not json.loads(direct_url).get("url", "").endswith(".whl"):
        pytest.skip("the project would install the release that is installed here: needs a wheel")
    folder = tmp_path_factory.mktemp("init")
    begun = time.monotonic()
    command = [*COMMAND, "init", "shop", "--spec", GARAGE]
    result = ended(command, folder, env=environment(folder, PYTHONPATH=""))
    assert result.returncode == 0, result.stderr
    return folder / "shop", begun


def variables(folder):
    """The environment of a person's shell: nothing of the tox that runs this."""
    kept = environment(folder, PYTHONPATH="")
    return {name: value for name, value in kept.items() if not name.startswith(("TOX_", "VIRTUAL_ENV"))}


def test_serve_answers_within_a_minute(shop):
    folder, begun = shop
    with started(["scripts/serve", "--port", "0"], folder, env=variables(folder)) as process:
        printed = next(line for line in process.stdout if line.startswith("  curl"))
        answered = ended([*shlex.split(printed), "-s", "-o", os.devnull, "-w", "%{http_code}"], folder)
        seconds = time.monotonic() - begun

    assert answered.stdout == "200"
    assert seconds < SECONDS


def test_every_check_is_green(shop):
    """Though nothing is written yet: the contract test lists each operation."""
    folder, _ = shop

    result = ended(["scripts/test"], folder, env=variables(folder), timeout=180)

    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert len(re.findall(r"info: not written yet: ", result.stdout)) == 14
