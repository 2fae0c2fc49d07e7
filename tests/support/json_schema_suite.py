"""Fetch the test-suite of JSON Schema, which the source distribution of jsonschema contains.

`python -m tests.support.json_schema_suite FOLDER` downloads it in the version of constraints.txt, and leaves the
suite in FOLDER/json.
"""

import subprocess
import sys
import tarfile
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def fetch(folder: Path) -> None:
    """Download and unpack the suite."""
    source = ["--no-deps", "--no-binary", "jsonschema", "--constraint", str(CONSTRAINTS), "jsonschema"]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), *source], check=True
    )
    (archive,) = folder.glob("jsonschema-*.tar.gz")
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            member.name = member.name.partition("/")[2]  # without the folder that is named by the version
            if member.name.startswith("json/"):
                packed.extract(member, folder, filter="data")


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
