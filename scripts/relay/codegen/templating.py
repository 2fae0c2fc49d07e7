"""Files made of Jinja templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def render(folder: Path, template: str, /, **values: Any) -> str:
    """Return a file made of a template in `folder`; a template that lacks a value is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=False,  # noqa: S701 -- source code, no HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    return environment.get_template(f"{template}.j2").render(values)


def _quoted(text: str) -> str:
    """Return a text in double quotes as Python, TOML and YAML read it."""
    return json.dumps(text, ensure_ascii=False)
