"""MongoDB for tests: a stand-in over the real wire protocol."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

_STANDIN = Path(__file__).with_name("mongo_standin")

_CACHE = Path(__file__).parents[2] / ".cache" / "mongo_standin"

STANDINS: dict[str, subprocess.Popen[str]] = {}
"""The processes of the stand-ins, by address."""


@contextmanager
def standin(folder: Path) -> Iterator[str]:
    """Run a stand-in, which is a test double and not MongoDB; skip the test where none can run."""
    java = shutil.which("java")
    if not java:
        pytest.skip("no RELAY_TEST_MONGODB_URI is set, and the stand-in needs Java 17")
    # It lives for a minute at most, in which compiling and collecting garbage better would not pay.
    launch = [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", _class_path(), "MongoStandin.java"]
    with (
        (folder / "errors").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            launch, cwd=_STANDIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        port = process.stdout.readline().strip()
        if not port:
            pytest.skip(f"the stand-in did not start: {Path(errors.name).read_text('utf-8')[:500]}")
        uri = f"mongodb://127.0.0.1:{port}"
        STANDINS[uri] = process
        yield uri


def _class_path() -> str:
    """Return the archives of the stand-in; Maven, which takes seconds, is asked once for a version of pom.xml."""
    known = _CACHE / hashlib.sha256((_STANDIN / "pom.xml").read_bytes()).hexdigest()
    if known.exists() and all(Path(one).exists() for one in known.read_text("utf-8").split(os.pathsep)):
        return known.read_text("utf-8")
    maven = shutil.which("mvn")
    if not maven:
        pytest.skip("no RELAY_TEST_MONGODB_URI is set, and the stand-in needs Maven")
    _CACHE.mkdir(parents=True, exist_ok=True)
    fetch = [maven, "-B", "-q", "dependency:build-classpath", f"-Dmdep.outputFile={known}.{os.getpid()}"]
    fetched = subprocess.run(fetch, cwd=_STANDIN, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"Maven could not fetch the stand-in: {fetched.stdout.strip()[:500]}")
    Path(f"{known}.{os.getpid()}").replace(known)  # another worker may read it
    return known.read_text("utf-8")


def with_database(uri: str, database: str) -> str:
    """Put a database's name into a URI that may have credentials and options."""
    return urlsplit(uri)._replace(path=f"/{database}").geturl()
