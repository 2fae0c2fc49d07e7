"""The log, also that of a service's own modules: `scripts/relay/server/logs.py`."""

import asyncio
import contextvars
import errno
import io
import json
import logging
from uuid import uuid4

import httpx
import orjson
import pytest

from relay.project.settings import Settings
from relay.server import logs
from relay.server.compilation import create
from relay.server.logs import set_levels
from relay.server.observability import Observer
from relay.validation.http import OPERATION
from support.hostile_text import RAW, TEXTS
from support.hosting import contract
from support.naming import named_operation
from support.running import serving

CANARY = "sk_canary"


class Terminal(io.StringIO):
    """A stream with a person in front of it."""

    def isatty(self):
        return True


@pytest.fixture
def written(logs_as_before):
    """Configure, log, and return what was written."""

    def written(log, style="auto", stream=None, level="info"):
        stream = stream or io.StringIO()
        logs.configure(level, style, stream)
        log(logging.getLogger("relay.test"))
        return stream.getvalue()

    return written


def fail(text=CANARY):
    raise ValueError(text)


def failing(log):
    try:
        try:
            fail()
        except ValueError as exc:
            raise RuntimeError(CANARY) from exc
    except RuntimeError:
        log.exception("unexpected failure", extra={"path": "/a"})


def test_a_line_is_one_object(written):
    """A collector of logs reads it without any configuration."""
    text = written(lambda log: log.warning("late by %d s", 3, extra={"operation": "show"}))
    line = json.loads(text)
    assert text.count("\n") == 1
    assert line.pop("timestamp").endswith("Z")
    expected = {"event": "late by 3 s", "operation": "show"}
    assert line == {**expected, "level": "warning", "logger": "relay.test"}


def test_a_line_has_its_requests_id(written):
    """All that happened to one request is found by the id that its client was given."""

    def log(logger):
        logs.REQUEST_ID.set("abc-123")
        logger.info("shown")

    assert json.loads(contextvars.copy_context().run(written, log))["request_id"] == "abc-123"


def test_logs_where_an_exception_came_from_and_not_its_text(written):
    """The text may quote what a client sent."""
    text = written(failing)
    assert CANARY not in text
    outer, inner = json.loads(text)["exception"]
    assert (outer["class"], inner["class"]) == ("builtins.RuntimeError", "builtins.ValueError")
    assert inner["at"][-1].endswith(" fail")


def test_shows_a_person_the_whole_exception(written):
    """At a terminal, where the one who reads is the one who runs it."""
    text = written(failing, stream=Terminal())
    assert f"ValueError: {CANARY}" in text
    assert "path" in text


def test_writes_json_on_a_terminal_where_it_is_asked_to(written):
    assert json.loads(written(lambda log: log.info("shown"), "json", Terminal()))["event"] == "shown"
    assert not written(lambda log: log.info("shown"), "console").startswith("{")


def test_ends_at_an_exception_that_leads_back_to_itself(written):
    """Causes can be set to anything."""

    def log(logger):
        one, other = ValueError(), KeyError()
        one.__cause__, other.__cause__ = other, one
        logger.error("failed", exc_info=one)

    assert len(json.loads(written(log))["exception"]) == 2


def test_libraries_tell_warnings_only(written):
    """At its lowest level the driver of MongoDB writes whole commands."""

    def log(_logger):
        logging.getLogger("pymongo.command").debug(CANARY)
        logging.getLogger("asyncio").info("shown")
        logging.getLogger("python_multipart").error(CANARY)

    assert written(log, level="debug") == ""


def test_a_forgotten_task_does_not_tell_why_it_failed(written):
    """Python shows the task, and with it the exception's text."""

    async def forget():
        async def leak():
            raise ValueError(CANARY)

        leaking = asyncio.create_task(leak())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del leaking

    text = written(lambda _log: asyncio.run(forget()))

    assert "Task exception was never retrieved" in text
    assert CANARY not in text


def test_writes_what_json_has_no_word_for(written):
    """A line less is worse than a line that reads oddly."""
    text = written(lambda log: log.info("shown", extra={"what": {1, 2}, "path": "\ud800"}))
    assert json.loads(text)["event"] == "shown"


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_path_neither_ends_a_line_nor_drives_a_terminal(written, style):
    """A client that asks for it would write lines of the log, or hide some."""
    path = "/a\n\x1b[2J\x85\u2028{}"
    text = written(lambda log: log.info("request", extra={"path": path}), style)
    assert len(text.splitlines()) == 1
    assert "\x1b[2J" not in text


@pytest.mark.usefixtures("logs_as_before")
async def test_the_line_of_a_request_looks_like_all_others(capsys):
    """It takes a way of its own, for speed; who reads it need not know."""
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    fields = {"method": "GET", "path": "/a", "operation": "show", "status": 200, "ms": 1.5}

    answered("show")
    answered("/livez")
    await asyncio.sleep(0)
    logging.getLogger("relay.requests").info("request", extra=fields)

    one, other = map(json.loads, stream.getvalue().splitlines())
    assert {**one, "timestamp": ""} == {**other, "timestamp": "", "request_id": ""}
    assert len(one["timestamp"]) == len(other["timestamp"])
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("logs_as_before")
async def test_probes_are_logged_at_the_lowest_level_only():
    """An orchestrator asks every few seconds."""
    stream = io.StringIO()
    logs.configure("debug", "console", stream)
    answered("/livez")
    await asyncio.sleep(0)
    assert "/livez" in stream.getvalue()


@pytest.mark.usefixtures("logs_as_before")
async def test_a_line_that_cannot_be_written_costs_nothing_else(caplog):
    """A full disk, a reader of the log that is gone."""

    class Full(io.StringIO):
        def flush(self):
            raise OSError(errno.ENOSPC, "full")

    logs.configure("info", "json", Full())

    answered("show")
    await asyncio.sleep(0)

    assert caplog.records == []


async def test_requests_are_not_logged_where_no_log_is_configured(capsys):
    """A team that runs the application in a server of its own has the log of that server."""
    answered("show")
    await asyncio.sleep(0)
    assert capsys.readouterr() == ("", "")


def answered(operation):
    Observer(None).answered({"method": "GET", "path": "/a", OPERATION: operation}, 200, 0.0015)


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_line_controls_the_terminal(written, style):
    """The message of a library and the text of an exception may be a client's."""

    def log(logger):
        for text in TEXTS:
            try:
                fail(text)
            except ValueError:
                logger.exception(text, extra={"path": text})

    text = written(log, style)

    assert not RAW.findall(text)
    assert not [line for line in text.split("\n") if line.startswith("::stop")]


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
def name(tmp_path, as_before):
    """A module that the contract of a project names; it imports another one of the project."""
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


@pytest.mark.slow
def test_libraries_and_loggers_with_a_level_of_their_own_are_left_alone(name, tmp_path):
    """At its lowest level the driver of MongoDB writes whole commands."""
    chosen = logging.getLogger(f"shelf_of_{name}")
    chosen.setLevel(logging.ERROR)
    application = create(Settings(spec=tmp_path / "api.json", log_level="debug"), folder=tmp_path)

    set_levels("debug", application.named_modules, tmp_path)

    assert logging.getLogger(f"{name}.inner").getEffectiveLevel() == logging.DEBUG
    assert chosen.level == logging.ERROR
    assert logging.getLogger("httpx").level == logging.getLogger("json").level == logging.NOTSET
