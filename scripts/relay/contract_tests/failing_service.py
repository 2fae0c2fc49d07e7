"""A copy of the service whose every handler fails: `python -m relay.contract_tests.failing_service`, settings as `relay serve`.

The text of the failure comes from the variable RELAY_FAULT and must not leave the service.
"""

import logging
import os
import sys
from dataclasses import replace
from functools import partial
from typing import Any

from relay.contract.diagnostics import SetupError
from relay.server.application import build, service_settings
from relay.server.endpoint import Endpoint
from relay.server.transport.run import run

VARIABLE = "RELAY_FAULT"


class InjectedFault(Exception):
    """The exception that every handler of the copy raises; clients must never see it."""


def main() -> None:
    """Serve until a signal comes."""
    logging.basicConfig(level=logging.CRITICAL)
    try:
        project, settings = service_settings({})
        application = build(project, settings)
        failing = {name: _failing(endpoint) for name, endpoint in application.endpoints.items()}
        run(replace(application, endpoints=failing), settings, partial(_print_address, settings.host))
    except SetupError as exc:
        sys.exit("\n".join(f"error: {problem}" for problem in exc.problems))


def _failing(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, binding=replace(endpoint.binding, function=_fail))


def _print_address(host: str, port: int) -> None:
    print(f"Failing on purpose at http://{host}:{port}", flush=True)  # noqa: T201 -- read by the process that started this


async def _fail(**_arguments: Any) -> None:
    raise InjectedFault(os.environ[VARIABLE])


if __name__ == "__main__":
    main()
