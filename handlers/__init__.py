"""The service: one module per tag, one plain function per operation; names with `_` carry them.

edge → router → authentication → request validation → handler → store → response validation; the README
draws it. Importing this package opens nothing.
"""

from ._app import Settings, collaborators, create_app
from ._errors import render_error
from ._identity import identify

__all__ = ["Settings", "collaborators", "create_app", "identify", "render_error"]
