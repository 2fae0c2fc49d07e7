"""Host an API from its OpenAPI contract and keep both in agreement: the public names."""

from relay._version import __version__
from relay.contract.diagnostics import Diagnostic, NotYetThere, SetupError
from relay.project.exposure import load_trusted
from relay.project.files import stored_secret
from relay.project.settings import Settings, setting_origin
from relay.server.application import create_app
from relay.server.errors import ErrorReport
from relay.server.reply import Cookie, File, Reply, Result
from relay.server.request import Request
from relay.validation.errors import ApiError
from relay.validation.events import Event
from relay.validation.uploads import Upload

__all__ = [
    "ApiError",
    "Cookie",
    "Diagnostic",
    "ErrorReport",
    "Event",
    "File",
    "NotYetThere",
    "Reply",
    "Request",
    "Result",
    "Settings",
    "SetupError",
    "Upload",
    "__version__",
    "create_app",
    "load_trusted",
    "setting_origin",
    "stored_secret",
]
