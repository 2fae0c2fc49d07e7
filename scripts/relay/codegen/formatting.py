"""Format generated code with ruff, using the settings of the project that contains it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_BETWEEN = "relay_snippet_ends_here"
_OF_THE_CONTRACT = re.compile(r"A\d|ANN4|ASYNC1|D[234]|FBT|N8|PLC24|PLR09|RUF00|S10")
"""Rules that names and texts can break; the contract chose these."""
_SEVERAL_ARGUMENTS = re.compile(r"( {4}\*, .*[^,])")


class Layout(Protocol):
    """Formats pieces of code; each piece is one or more whole statements."""

    def formatted(self, pieces: Sequence[str]) -> list[str]:
        """Format pieces."""
        ...

    def formatted_stubs(self, stubs: Sequence[str]) -> list[str]:
        """Format stubs, and add a `noqa` where names or texts of the contract break a rule of the project."""
        ...


class AsWritten:
    """Leaves code as it is."""

    def formatted(self, pieces: Sequence[str]) -> list[str]:
        """Return the pieces."""
        return list(pieces)

    formatted_stubs = formatted


@dataclass(frozen=True, slots=True)
class Ruff:
    """Formats as ruff does for a file in `folder`."""

    folder: Path

    def formatted(self, pieces: Sequence[str]) -> list[str]:
        """Format pieces, all in one run."""
        if not pieces:
            return []
        joined = f"\n\n\n{_BETWEEN}\n\n\n".join(piece.strip("\n") for piece in pieces)
        options = ["format", *self._as_file(), "-"]
        ran = ruff(options, joined)
        if ran.returncode:  # ruff cannot read the project's settings: use its defaults
            ran = ruff([*options, "--isolated"], joined)
        return [piece.strip("\n") for piece in ran.stdout.split(f"{_BETWEEN}\n")]

    def formatted_stubs(self, stubs: Sequence[str]) -> list[str]:
        """Format stubs, with a `noqa` on each line that breaks a rule of names or texts."""
        stubs = self.formatted(stubs)
        spread = [
            self._spread(stub, found) for stub, found in zip(stubs, self._broken_rules(stubs), strict=True)
        ]
        if spread != stubs:
            stubs = self.formatted(spread)
        return [_with_noqa(stub, found) for stub, found in zip(stubs, self._broken_rules(stubs), strict=True)]

    def _spread(self, stub: str, codes_by_line: dict[int, set[str]]) -> str:
        """Put each argument on a line of its own if one of several on a line breaks a rule."""
        lines = stub.split("\n")
        for row in codes_by_line:
            if _SEVERAL_ARGUMENTS.fullmatch(lines[row]):
                lines[row] += ","
        return "\n".join(lines)

    def _broken_rules(self, stubs: Sequence[str]) -> list[dict[int, set[str]]]:
        """Return, for each stub, the codes of the broken rules by line (from 0)."""
        found: list[dict[int, set[str]]] = [{} for _ in stubs]
        if not stubs:
            return found
        joined = "\n\n\n".join(stubs) + "\n"
        options = ["check", "--quiet", "--no-fix", "--output-format", "json", *self._as_file(), "-"]
        ran = ruff(options, joined)
        rows: list[dict[str, Any]] = json.loads(ran.stdout) if ran.returncode == 1 else []
        starts = [0]
        for stub in stubs:
            starts.append(starts[-1] + stub.count("\n") + 3)
        for row in rows:
            line = (row["noqa_row"] or row["location"]["row"]) - 1
            index = next(index for index, start in enumerate(starts[1:]) if line < start)
            if row["code"] and _OF_THE_CONTRACT.match(row["code"]):
                found[index].setdefault(line - starts[index], set()).add(row["code"])
        return found

    def _as_file(self) -> list[str]:
        return ["--stdin-filename", str(self.folder / "operations.py")]


def _with_noqa(stub: str, codes_by_line: dict[int, set[str]]) -> str:
    lines = stub.split("\n")
    for row, codes in codes_by_line.items():
        lines[row] += f"  # noqa: {', '.join(sorted(codes))} -- the contract's words"
    return "\n".join(lines)


def ruff(options: list[str], source: str) -> subprocess.CompletedProcess[str]:
    """Run ruff on some source."""
    from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it ships no types

    return subprocess.run(  # noqa: S603 -- runs ruff with fixed options
        [find_ruff_bin(), *options], input=source, capture_output=True, encoding="utf-8", check=False
    )
