"""The service: one module per tag, one plain function per operation; names with `_` carry them.

The way of a request:

    edge                 _host/edge.py        limits, request id, one envelope for every failure
    router               spec/openapi.yaml    404, 405
    authentication       _host/auth.py        token → claims; _identity.py → Caller          401
    request validation   _host/requests.py    compiled from the contract                     400, 415
    handler              <tag>.py             plain function, collaborators by name
    store                _store/              SQLite by default, MongoDB in production
    response validation  _host/responses.py   a breach is a 500, told only to the log

Importing this package opens nothing.
"""

__version__ = "0.1.0"

from ._app import Settings, collaborators, create_app
from ._errors import render_error
from ._identity import identify

__all__ = ["Settings", "collaborators", "create_app", "identify", "render_error"]
