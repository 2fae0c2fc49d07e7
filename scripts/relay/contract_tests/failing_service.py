"""A copy of the service whose every handler fails: `python -m relay.contract_tests.failing_service`, settings as `relay serve`.

What the failure says must stay inside; the text comes from the variable RELAY_FAULT.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import partial
from typing import Any

from relay.cli.options import service_settings
from relay.cli.output import setup_errors
from relay.cli.startup_banner import print_banner
from relay.server.transport.run import run

VARIABLE = "RELAY_FAULT"


class InjectedFault(Exception):
    """What a handler of the copy raises; nothing that a client should ever see."""


def main() -> None:
    """Serve until a signal comes."""
    from relay.server.app import create

    logging.basicConfig(level=logging.CRITICAL)
    with setup_errors():
        settings = service_settings({})
        application = create(settings.handlers, settings)
        for endpoint in application.endpoints.values():
            endpoint.binding = replace(endpoint.binding, function=_fail)
        run(application, settings, partial(print_banner, application, demo=False))


async def _fail(**_arguments: Any) -> None:
    raise InjectedFault(os.environ[VARIABLE])


if __name__ == "__main__":
    main()
