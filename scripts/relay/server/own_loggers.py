"""The loggers of a service's own modules, which log from the level of the settings; libraries log warnings only."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from relay.project.named_modules import is_own

from .app import Application
from .handler_modules import is_package


def set_levels(application: Application, folder: Path) -> None:
    """Let the modules of a service, and others of its project's folder, log from the level of its settings.

    The level that a module has set for itself stays.
    """
    package = [application.package.__name__.partition(".")[0]] if is_package(application.package) else []
    for name in {*package, *application.named_modules, *_modules_in(folder)}:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(application.settings.log_level.upper())


def _modules_in(folder: Path) -> Iterator[str]:
    """Yield the modules and packages of a folder that are imported, by their first name."""
    for name, module in sys.modules.copy().items():
        file = getattr(module, "__file__", None)
        first = name.partition(".")[0]
        if file is not None and first not in sys.stdlib_module_names and is_own(Path(file), folder):
            yield first
