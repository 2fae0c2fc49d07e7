r"""Escape text from outside, so that it controls no terminal, no CI runner, no parser and no reading direction.

Contracts, recorded traffic, names of files and of git revisions contain any characters. Every command prints
by these functions, and every report is written with them.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree.ElementTree import Element, indent, tostring

# Control characters, invisible ones, ones that change the reading direction, and what XML 1.0 cannot represent.
_UNPRINTABLE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
# GitHub executes `::name::` at the start of a line and `##[name]` anywhere; Azure and TeamCity are alike.
_CI_COMMAND = re.compile(r"^(\s*):(?=:)|(#)#(?=\w*\[)")


def escape_unprintable(text: str) -> str:
    r"""Return a text of several lines with unprintable characters escaped (`\x1b`, `\u202e`)."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    r"""Return a text as one line, with unprintable characters and line ends escaped (`\n`)."""
    return escape_unprintable(text).replace("\n", "\\n")


def terminal_line(text: str) -> str:
    """Return a text as one line that a CI runner does not take for a command either."""
    return _CI_COMMAND.sub(
        lambda found: rf"{found[1] or ''}{found[2] or ''}\x{ord(found[0][-1]):x}", one_line(text)
    )


def workflow_text(text: str, more: str = "") -> str:
    """Return a text for a workflow command of GitHub: what ends the command, and the characters `more`, as %XX."""
    escaped = escape_unprintable(text)
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{more}" else char for char in escaped)


def xml_text(root: Element) -> str:
    """Return XML whose values are escaped, without what a CI runner takes for a command where it is printed."""
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True).replace("##", "#&#35;")


def json_text(data: Any) -> str:
    """Return data as JSON in ASCII, without what a terminal or a CI runner takes for a command."""
    return json.dumps(data, indent=2).replace("\x7f", "\\u007f").replace("##", "#\\u0023")
