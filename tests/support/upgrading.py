"""Upgrade contracts that a test writes down."""

import json
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from relay.contract.documents import parse_source
from relay.upgrade.plan import plan_upgrade

from .hosting import put


def rewritten(text: str, to: str | None = None, name: str = "c.yaml") -> str:
    """Return the text of a contract of one file after its upgrade."""
    with TemporaryDirectory() as folder:
        path = Path(folder).resolve() / name
        path.write_bytes(text.encode())
        return plan_upgrade(path, to).after.get(path, text.encode()).decode()


def upgraded(document: dict[str, Any], to: str | None = None) -> Any:
    """Return a contract that is plain data after its upgrade."""
    return json.loads(rewritten(json.dumps(document), to, "c.json"))


def data_of(text: str) -> Any:
    """Return the data of a YAML text, which must have no problems."""
    document, problems = parse_source(Path("c.yaml"), text.encode())
    assert problems == []
    return document.data


def findings_of(folder: Path, files: dict[str, str], to: str | None = None) -> list[str]:
    """Write files, plan the upgrade of the first, and return its findings in the new files."""
    for name, text in files.items():
        put(folder / name, text)
    with chdir(folder):  # a name of a file is relative to the working directory
        plan = plan_upgrade(folder / next(iter(files)), to, folder)
    return [f"{one.rule} {one}" for one in plan.findings_after]
