"""Format generated code with ruff, using the settings of the project that contains it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BETWEEN = "relay_snippet_ends_here"
_OF_THE_CONTRACT = re.compile(r"A\d|ANN4|ASYNC1|D[234]|FBT|N8|PLC24|PLR09|RUF00|S10")
"""Rules that names and texts can break; the contract chose these."""
_CANNOT_RUN = 2
"""The exit code of ruff for settings of a project that it cannot read."""

_SEVERAL_ARGUMENTS = re.compile(r"( {4}\*, .*[^,])")


@dataclass(frozen=True, slots=True)
class Ruff:
    """Formats as ruff does for a file in `folder`."""

    folder: Path

    def formatted(self, pieces: Sequence[str]) -> list[str]:
        """Format pieces, all in one run."""
        if not pieces:
            return []
        joined = f"\n\n\n{_BETWEEN}\n\n\n".join(piece.strip("\n") for piece in pieces)
        _, written = self._ran(["format"], joined)
        return [piece.strip("\n") for piece in written.split(f"{_BETWEEN}\n")]

    def with_sorted_imports(self, code: str, before: str) -> str:
        """Return a module with sorted imports, if those of what it was made of are sorted; its author chose their order."""
        sort = ["check", "--quiet", "--select", "I001"]
        if code == before or self._ran(sort, before)[0]:
            return code
        status, written = self._ran([*sort, "--fix"], code)
        return code if status else written

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
        status, written = self._ran(["check", "--quiet", "--no-fix", "--output-format", "json"], joined)
        rows: list[dict[str, Any]] = json.loads(written) if status == 1 else []
        starts = [0]
        for stub in stubs:
            starts.append(starts[-1] + stub.count("\n") + 3)
        for row in rows:
            line = (row["noqa_row"] or row["location"]["row"]) - 1
            index = next(index for index, start in enumerate(starts[1:]) if line < start)
            if row["code"] and _OF_THE_CONTRACT.match(row["code"]):
                found[index].setdefault(line - starts[index], set()).add(row["code"])
        return found

    def _ran(self, options: list[str], source: str) -> tuple[int, str]:
        options = [*options, "--stdin-filename", str(self.folder / "operations.py"), "-"]
        status, written = ruff(options, source)
        return ruff([*options, "--isolated"], source) if status == _CANNOT_RUN else (status, written)


def _with_noqa(stub: str, codes_by_line: dict[int, set[str]]) -> str:
    lines = stub.split("\n")
    for row, codes in codes_by_line.items():
        lines[row] += f"  # noqa: {', '.join(sorted(codes))} -- the contract's words"
    return "\n".join(lines)


def ruff(options: list[str], source: str) -> tuple[int, str]:
    """Return the exit code and the output of ruff for some source, whose line ends it keeps."""
    from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it ships no types

    command = [find_ruff_bin(), *options]
    ran = subprocess.run(command, input=source.encode(), capture_output=True, check=False)  # noqa: S603 -- with fixed options
    return ran.returncode, ran.stdout.decode()
