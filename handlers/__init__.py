"""The service: one module per tag, one function per operation; modules with `_` support them.

guard → routing → authentication → request validation → handler → store → response validation: see
docs/architecture.md. Importing this package opens nothing.
"""

from ._collaborators import collaborators
from ._commands import commands, test_environment
from ._errors import render_error
from ._identity import identify
from ._settings import Settings

__all__ = ["Settings", "collaborators", "commands", "identify", "render_error", "test_environment"]
