"""A headless browser that reports a page's content, requests and messages (Chrome DevTools Protocol)."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import pytest

from .running import started

SECONDS = 20
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = [
    *"--headless --no-sandbox --no-first-run --remote-debugging-port=0".split(),
    *(f"--disable-{name}" for name in ("gpu", "dev-shm-usage", "background-networking")),
]


class Browser:
    """One tab; `asked` are the addresses that it requested, `complaints` the messages of its console and log."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._calls = 0
        self._session: str | None = None
        self._events: list[str] = []
        self.asked: list[str] = []
        self.complaints: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def open(self, url: str, width: int = 1200, *, scheme: str = "light", media: str = "screen") -> None:
        """Open a page in a window of this width, with a colour scheme and a medium (screen or print)."""
        self.asked.clear()
        self.complaints.clear()
        self._events.clear()
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self._call("Emulation.setEmulatedMedia", media=media, features=[preference])
        self._call("Page.navigate", url=url)
        while "Page.loadEventFired" not in self._events:
            self._receive()

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression or promise, which the page's policy does not block."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        session = {"sessionId": self._session} if self._session else {}
        self._socket.send(json.dumps({"id": self._calls, "method": method, "params": parameters, **session}))
        while (message := self._receive()).get("id") != self._calls:
            pass
        assert "result" in message, message
        return message["result"]

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv(SECONDS))
        match message.get("method"):
            case None:
                return message
            case "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(message["params"]["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(message["params"]))
        self._events.append(message["method"])
        return message


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Run a browser with its data in `folder`; the test is skipped if no browser is installed."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(_NAMES)} is installed")
    from websockets.sync.client import connect

    command = [program, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
    with started(command, folder, 10, env=None, stdout=DEVNULL, stderr=PIPE) as process:
        found = next(filter(None, (re.search(r"ws://\S+", line) for line in process.stderr)), None)
        assert found, f"{program} did not start"
        with connect(found[0], max_size=None, proxy=None) as socket:
            yield Browser(socket)
