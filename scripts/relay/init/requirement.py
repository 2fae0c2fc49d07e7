"""How a project asks for Relay: as the running one was installed (PEP 610)."""

import json
from collections.abc import Mapping
from importlib import metadata
from typing import Any, NamedTuple

DISTRIBUTION = "tether-relay"


class Requirement(NamedTuple):
    """The text after the distribution's name and extras; `is_local` for a path of this machine."""

    suffix: str
    is_local: bool = False

    def with_extras(self, *extras: str) -> str:
        """Return the requirement as PEP 508 writes it."""
        chosen = f"[{','.join(extras)}]" if extras else ""
        return f"{DISTRIBUTION}{chosen}{self.suffix}"


def running_relay(version: str) -> Requirement:
    """Return the requirement that installs the Relay that runs now.

    An installed path, wheel or repository is asked for by its address, a release of an index by
    `version` or newer.
    """
    try:
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        text = None
    return requirement_of(json.loads(text) if text else None, version)


def requirement_of(direct_url: Mapping[str, Any] | None, version: str) -> Requirement:
    """Return the requirement of a distribution's `direct_url.json`, None where it has none."""
    if direct_url is None:
        return Requirement(f">={version}")
    url = str(direct_url["url"])
    if (vcs := direct_url.get("vcs_info")) is not None:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    if folder := direct_url.get("subdirectory"):
        url = f"{url}#subdirectory={folder}"
    return Requirement(f" @ {url}", is_local=url.startswith("file:"))
