"""The pages of the documentation: their blocks, the project that they describe, their commands, their links."""

import os
import re
import shlex
import socket
import sys
import time
from pathlib import Path
from typing import NamedTuple

from support.hosting import put
from support.running import ROOT, ended, environment, eventually, started

PAGES = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
SECONDS = 120.0
HOME = "/home/you/.local/share"
"""The folder of a user's data, as pages show it."""

SERVE = ("relay serve", "relay demo")

_BLOCK = re.compile(
    r"(?:<!-- project: (?P<project>\w+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NAMED = re.compile(r"# (?P<path>[\w./-]+\.\w+)\n")
_UNSHOWN = re.compile(r"  [a-z ]+ running  |\{")  # progress, and lines of a log
_VARYING = [
    (re.compile(r"eyJ[\w.-]+…?"), "TOKEN"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"\d+(\.\d+)? (s|seconds)\b"), "SECONDS"),
    (re.compile(r"(?<=requests: )\d+|(?<=cases: )\d+|(?<=lines: )\d+|(?<=rules: )\d+"), "COUNT"),
    (re.compile(r"(?<=[Ss]eed)(:?) \d+"), r"\1 SEED"),
    (re.compile(r"(?<=version )\S+|(?<=Schemathesis )[\d.]+"), "VERSION"),
    (re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?"), "DATE"),
]


class Block(NamedTuple):
    """A fenced block: its page, the project it belongs to, its language and text."""

    page: Path
    project: str
    language: str
    text: str
    start: int

    @property
    def path(self) -> str | None:
        """The file that the first line names."""
        named = _NAMED.match(self.text)
        return named["path"] if named else None

    @property
    def content(self) -> str:
        """The block as its file has it."""
        return self.text if self.path is None else self.text.partition("\n")[2]


class Command(NamedTuple):
    """A command of a console block and the lines that the page shows under it."""

    line: str
    shown: list[str]


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page, of some languages or all."""
    text = page.read_text("utf-8")
    found = [
        Block(page, match["project"] or "shop", match["language"], match["text"], match.start("text"))
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def write_shop(folder: Path) -> Path:
    """Write the project of docs/handlers.md: for each file the first block that names it."""
    for block in blocks(ROOT / "docs" / "handlers.md", "python", "yaml", "toml"):
        if block.path and not (folder / block.path).exists():
            write(folder, block)
    if not (folder / "handlers" / "_types.py").exists():
        run(folder, "relay regenerate")
    return folder


def write(folder: Path, block: Block) -> None:
    """Write the file that a block names."""
    assert block.path
    put(folder / block.path, block.content)


def commands(block: Block) -> list[Command]:
    """Return the commands of a console block."""
    found: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        else:
            found[-1].shown.append(line)
    return found


def is_relay(command: Command) -> bool:
    """Return True for a command that can be run: one of `relay`, perhaps with variables before it."""
    return re.match(r"([A-Z_]+=(\$\([^)]*\)|\S+) )*relay |scripts/serve$", command.line) is not None


def run(folder: Path, line: str) -> list[str]:
    """Run a command line in a folder and return what it prints; one that serves is ended once it has started."""
    line = "relay demo" if line == "scripts/serve" else line  # which sets up an environment before
    (folder / ".bin").mkdir(exist_ok=True)
    shim = folder / ".bin" / "relay"
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m relay "$@"\n', "ascii")
    shim.chmod(0o755)
    data = folder / ".bin" / "data"
    variables = environment(data)
    variables["PYTHONPATH"] = str(ROOT / "scripts")
    variables["PATH"] = f"{folder / '.bin'}{os.pathsep}{variables['PATH']}"
    variables["PYTHONDONTWRITEBYTECODE"] = "1"
    variables["RELAY_PORT"] = port = _free_port()
    if any(name in line for name in SERVE):
        printed = _served(folder, line, variables)
    else:
        printed = _ended(folder, line, variables)
    printed = printed.replace(str(data), HOME).replace(f":{port}", ":2212")
    return [text for text in printed.splitlines() if text.strip() and not _UNSHOWN.match(text)]


def _free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def _ended(folder: Path, line: str, variables: dict[str, str]) -> str:
    """Return what a command prints until it ends."""
    return ended(["/bin/sh", "-c", f"exec 2>&1; {line}"], folder, env=variables, timeout=SECONDS).stdout


def _served(folder: Path, line: str, variables: dict[str, str]) -> str:
    """Return what a server prints until it answers or ends."""
    log = folder / ".bin" / "served.log"
    with log.open("w") as output:
        command, streams = ["/bin/sh", "-c", f"exec env {line}"], {"stdout": output, "stderr": output}
        with started(command, folder, env=variables, **streams) as process:
            eventually(lambda: process.poll() is not None or " at http://" in log.read_text("utf-8"), SECONDS)
            time.sleep(0.5)  # the banner is printed line by line
    return log.read_text("utf-8")


def normal(line: str) -> str:
    """Return a line without what differs from run to run."""
    for pattern, name in _VARYING:
        line = pattern.sub(name, line)
    return line.rstrip()


def agrees(shown: list[str], printed: list[str]) -> bool:
    """Return True if a page shows what was printed; a line `…` stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else "".join(f"{_elided(normal(line))}\n") for line in shown
    )
    text = "".join(f"{normal(line)}\n" for line in printed)
    return re.fullmatch(pattern, text) is not None


def _elided(line: str) -> str:
    """Return the pattern of a line in which `…` stands for any characters."""
    return ".*".join(map(re.escape, line.split("…")))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def links(page: Path) -> list[str]:
    """Return the relative links of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:", link)]
