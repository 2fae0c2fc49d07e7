"""The files of a new project, as Jinja templates: `scripts/serve` is made of `scripts/serve.j2`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from relay.codegen import package_files

render = partial(package_files.render, Path(__file__).parent)
"""Return a file made of its template."""
