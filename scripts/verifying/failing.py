"""A copy of the service whose every handler fails: `python -m scripts.verifying.failing`, settings as `relay serve`.

What the failure says must stay inside; the text comes from the variable RELAY_FAULT.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import partial
from typing import Any

from scripts.announcement import announce
from scripts.options import service_settings
from scripts.output import setup_errors
from scripts.server import run

VARIABLE = "RELAY_FAULT"


class InjectedFault(Exception):
    """What a handler of the copy raises; nothing that a client should ever see."""


def main() -> None:
    """Serve until a signal comes."""
    from handlers._host.app import create

    logging.basicConfig(level=logging.CRITICAL)
    with setup_errors():
        settings = service_settings({})
        application = create(settings.handlers, settings)
        for endpoint in application.endpoints.values():
            endpoint.binding = replace(endpoint.binding, function=_fail)
        run(application, settings, partial(announce, application, demo=False))


async def _fail(**_arguments: Any) -> None:
    raise InjectedFault(os.environ[VARIABLE])


if __name__ == "__main__":
    main()
