"""Dump plain data as YAML in this project's style, or as JSON that is also valid inside YAML."""

import json
import re
from typing import Any

import yaml

_LONG = 60
_WIDTH = 78
# Line breaks and unprintable characters that YAML changes or rejects unless they are escaped.
_ESCAPED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class _Dumper(yaml.SafeDumper):
    """Dumps without aliases, indents the items of a list, and folds long sentences."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's own signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- as above
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if _ESCAPED.search(text) or text.endswith("\n\n") or text == "\n":  # as a block, `...` would follow it
        style = '"'
    elif "\n" in text:
        style = "|"
    elif len(text) > _LONG and " " in text:
        style = ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)
# PyYAML implements YAML 1.1; strings that are numbers only in YAML 1.2 must be quoted as well.
for _tag, _pattern in [
    ("int", r"0o[0-7]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
]:
    _Dumper.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list("-+.0123456789")
    )


def block(value: Any, indent: int = 0) -> str:
    """Return a value as lines of block style, each with its line break, at an indentation in spaces."""
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_WIDTH
    )
    return re.sub(r"^(?=[^\n])", " " * indent, text, flags=re.MULTILINE)


def inline(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON: on one line, or on several if the indentation of its first line is given."""
    text = json.dumps(value, ensure_ascii=False, indent=None if indent is None else 2)
    text = _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text if indent is None else text.replace("\n", "\n" + " " * indent)
