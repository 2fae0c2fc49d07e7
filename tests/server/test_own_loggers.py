"""The log of a service's own modules: `scripts/relay/server/logs.py`."""

from __future__ import annotations

import json
import logging
import sys
from uuid import uuid4

import httpx
import orjson
import pytest

from relay.project.settings import Settings
from relay.server.compilation import create
from relay.server.logs import set_levels
from support.hosting import contract
from support.naming import named_operation
from support.running import serving

pytestmark = pytest.mark.slow

MODULE = """
import logging
import shelf_of_{0} as shelf

log = logging.getLogger(__name__)


def show():
    log.debug("a detail")
    log.info("shown")
    shelf.log.info("taken")
    return 1
"""


@pytest.fixture
def name(tmp_path, monkeypatch):
    """A module that the contract of a project names; it imports another one of the project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    name = f"api_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(MODULE.format(name), "utf-8")
    (tmp_path / f"shelf_of_{name}.py").write_text(
        "import logging\n\nlog = logging.getLogger(__name__)\n", "utf-8"
    )
    document = contract({"/a": {"get": named_operation("show")}})
    (tmp_path / "api.json").write_bytes(orjson.dumps(document).replace(b'"api.', f'"{name}.'.encode()))
    return name


@pytest.mark.slow
@pytest.mark.parametrize(("level", "shown"), [("info", ["shown", "taken"]), ("warning", [])])
def test_the_log_of_a_services_own_modules_has_the_level_of_the_settings(name, tmp_path, level, shown):
    """Modules that its functions import are its own as well; a request's id is in their lines."""
    with serving(tmp_path, "--spec", "api.json", RELAY_LOG_LEVEL=level) as service:
        assert httpx.get(f"{service.url}/a").status_code == 200
    lines = [json.loads(line) for line in (tmp_path / "stderr.log").read_text("utf-8").splitlines()]
    own = [line for line in lines if line["logger"] in (name, f"shelf_of_{name}")]
    assert [line["event"] for line in own] == shown
    assert all(line["request_id"] for line in own)


def test_libraries_and_loggers_with_a_level_of_their_own_are_left_alone(name, tmp_path):
    """At its lowest level the driver of MongoDB writes whole commands."""
    chosen = logging.getLogger(f"shelf_of_{name}")
    chosen.setLevel(logging.ERROR)
    application = create(Settings(spec=tmp_path / "api.json", log_level="debug"), folder=tmp_path)

    set_levels("debug", application.named_modules, tmp_path)

    assert logging.getLogger(f"{name}.inner").getEffectiveLevel() == logging.DEBUG
    assert chosen.level == logging.ERROR
    assert logging.getLogger("httpx").level == logging.getLogger("json").level == logging.NOTSET
