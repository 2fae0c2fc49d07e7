"""Runs datamodel-code-generator in a process of its own, with limits of time and memory, and keeps what it made.

`python type_generator.py SECONDS MEGABYTES` reads an OpenAPI document and writes what was generated,
both as JSON. The generator is recursive, and takes long for schemas that are nested or refer to each other in
unusual ways. The results are in `$XDG_CACHE_HOME/relay/types`, by default `~/.cache/relay/types`; they can be deleted
at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

SECONDS = 10
"""Seconds of computing for each started MiB of the document; contracts of services take two."""

MEGABYTES = 700
"""Megabytes of memory, likewise."""

KEPT = 100
"""Files that are kept; a file has the classes of one state of one contract."""


class CannotGenerate(Exception):
    """The generator failed, or exceeded a limit; the text is the reason in one line."""


class Generated(NamedTuple):
    """The source of the classes, and what the generator says about each."""

    source: str
    models: list[dict[str, Any]]


def generated(document: dict[str, Any]) -> Generated:
    """Return the classes of a document's components, kept or generated. Raises CannotGenerate."""
    path = _path(document)
    with suppress(OSError, ValueError, TypeError):
        found = Generated(**json.loads(path.read_bytes()))
        path.touch()
        return found
    made = generate_within_limits(document)
    with suppress(OSError):  # such as a read-only file system
        _keep(path, json.dumps(made._asdict()))
    return made


def _path(document: dict[str, Any]) -> Path:
    generator = f"{version('datamodel-code-generator')} {sys.version}".encode()
    source = Path(__file__).read_bytes()  # it has the options
    digest = hashlib.sha256(b"\0".join([generator, source, json.dumps(document).encode()])).hexdigest()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 -- without a home it stays as it is
    return Path(base) / "relay" / "types" / f"{digest}.json"


def _keep(path: Path, text: str) -> None:
    """Write a file at once, for others may read it, and delete the oldest."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
    oldest_first = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
    for old in oldest_first[:-KEPT]:
        old.unlink(missing_ok=True)


def generate_within_limits(document: dict[str, Any]) -> Generated:
    """Generate the classes of a document's components. Raises CannotGenerate."""
    written = json.dumps(document).encode()
    size = 1 + (len(written) >> 20)
    limits = [str(SECONDS * size), str(MEGABYTES * size)]
    command = [sys.executable, "-P", __file__, *limits]
    finished = subprocess.run(command, input=written, capture_output=True, check=False)  # noqa: S603 -- this module
    try:
        answer = json.loads(finished.stdout)
    except ValueError as exc:
        raise CannotGenerate("the generator ended before it was done") from exc
    if "reason" in answer:
        raise CannotGenerate(answer["reason"])
    return Generated(**answer)


def _generate(document: dict[str, Any]) -> Generated:
    from datamodel_code_generator import generate
    from datamodel_code_generator.enums import DataModelType, InputFileType
    from datamodel_code_generator.format import PythonVersion

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the generator's own deprecations
        metadata = Path(folder) / "models.json"
        source = generate(
            document,
            input_file_type=InputFileType.OpenAPI,
            output_model_type=DataModelType.TypingTypedDict,
            target_python_version=PythonVersion.PY_311,
            strict_nullable=True,
            disable_timestamp=True,
            use_title_as_name=True,
            use_closed_typed_dict=False,  # PEP 728 is not in Python 3.11's typing
            custom_file_header="#",
            formatters=[],
            emit_model_metadata=metadata,
        )
        assert isinstance(source, str)  # no modules were asked for
        models = json.loads(metadata.read_text("utf-8"))["models"]
    return Generated(source.removeprefix("#").lstrip(), models)


class _TooSlow(BaseException):
    """The time is over; not an Exception, which the generator might catch."""


def _end(_signal: int, _frame: Any) -> None:
    raise _TooSlow


def _limit(seconds: int, megabytes: int) -> None:
    """End this process at the limits: by an exception, or by the kernel shortly after."""
    signal.signal(signal.SIGXCPU, _end)
    lower_limit(resource.RLIMIT_CPU, seconds, seconds + 3)
    lower_limit(resource.RLIMIT_DATA, megabytes << 20, megabytes << 20)


def lower_limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit of this process; a lower hard limit of its caller (`ulimit`) is kept."""
    _, existing = resource.getrlimit(kind)
    highest = hard if existing == resource.RLIM_INFINITY else min(hard, existing)
    resource.setrlimit(kind, (min(soft, highest), highest))


def main(seconds: int, megabytes: int) -> None:
    """Generate from standard input to standard output."""
    try:
        _limit(seconds, megabytes)
        answer = _generate(json.load(sys.stdin.buffer))._asdict()
    except _TooSlow:
        answer = {
            "reason": f"the generator takes more than {seconds} seconds; nest and combine fewer schemas"
        }
    except MemoryError:
        answer = {"reason": f"the generator takes more than {megabytes} MB; nest and combine fewer schemas"}
    except RecursionError:
        answer = {"reason": "they are nested too deeply"}
    except Exception as exc:  # noqa: BLE001 -- whatever its reason, the schemas are not supported
        answer = {"reason": next(iter(str(exc).splitlines()), type(exc).__name__)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))  # last: the standard library comes first
    main(*map(int, sys.argv[1:]))
