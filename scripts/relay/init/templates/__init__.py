"""The files of a new project, as Jinja templates: `handlers/_errors.py` is made of `handlers/_errors.py.j2`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def render(template: str, /, **values: Any) -> str:
    """Return a file made of its template; a template that lacks a value is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
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
