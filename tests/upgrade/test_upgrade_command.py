"""`relay upgrade`: `scripts/relay/cli/upgrade.py`."""

import json
import stat

import pytest

from support.hosting import put
from support.running import relay

OLD = "openapi: 3.0.3   # old\ninfo: {title: T, version: '1'}\npaths: {}\n"
NEW = OLD.replace("3.0.3", "3.1.1")
LOSSY = """\
swagger: '2.0'
info: {title: T, version: '1'}
# where
schemes: [https]
paths: {}
"""
FINDING = (
    "swagger.yaml:{}: error: `schemes` (https) without `host` is no address; write the whole one into "
    "`servers` [no-equal]\nrelay upgrade: 1 error\n"
)


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "api.yaml"
    path.write_text(OLD, "utf-8")
    return path


@pytest.fixture
def lossy(tmp_path):
    path = tmp_path / "swagger.yaml"
    path.write_text(LOSSY, "utf-8")
    return path


def test_rewrites_in_place_and_then_changes_nothing(run, old):
    old.chmod(0o640)

    first, second = run("upgrade", "api.yaml"), run("upgrade", "api.yaml")

    assert (first.exit_code, first.output) == (0, "rewritten api.yaml: OpenAPI 3.0 → OpenAPI 3.1\n")
    assert (old.read_text("utf-8"), stat.S_IMODE(old.stat().st_mode)) == (NEW, 0o640)
    hint = "nothing to do, the contract is OpenAPI 3.1; --to 3.2 moves it on"
    assert (second.exit_code, second.output) == (0, f"relay upgrade: {hint}\n")
    assert list(old.parent.iterdir()) == [old]


def test_rewrites_the_contract_of_the_project(run, old, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.relay]\nspec = "api.yaml"\n', "ascii")

    assert run("upgrade", "--to", "3.2").output == "rewritten api.yaml: OpenAPI 3.0 → OpenAPI 3.2\n"
    assert old.read_text("utf-8") == OLD.replace("3.0.3", "3.2.0")


def test_check_and_diff_write_nothing(run, old):
    check, diff = run("upgrade", "api.yaml", "--check"), run("upgrade", "api.yaml", "--diff")

    assert (check.exit_code, check.output) == (
        1,
        "would have rewritten api.yaml: OpenAPI 3.0 → OpenAPI 3.1\n",
    )
    assert diff.exit_code == 0
    assert "-openapi: 3.0.3   # old\n+openapi: 3.1.1   # old\n" in diff.output
    assert old.read_text("utf-8") == OLD


@pytest.mark.parametrize(
    ("options", "name", "place"),
    [
        ("", "swagger.yaml", "1:1"),
        ("--check", "swagger.yaml", "4:1"),
        ("--diff", "swagger.yaml", "4:1"),
        ("--output -", "swagger.yaml", "4:1"),
        ("--output out/new.yaml", "out/new.yaml", "1:1"),
    ],
)
def test_places_what_has_no_equal_in_the_file_that_is_left(run, lossy, tmp_path, options, name, place):
    (tmp_path / "out").mkdir()

    found = run("upgrade", "swagger.yaml", *options.split())

    assert found.exit_code == 1
    assert FINDING.format(place).replace("swagger.yaml", name) in found.output
    new = "openapi: '3.1.1'\ninfo: {title: T, version: '1'}\n# where\npaths: {}\n"
    assert lossy.read_text("utf-8") == (LOSSY if options else new)


def test_prints_findings_in_every_format(run, lossy):
    found = run("upgrade", "swagger.yaml", "--check", "--format", "json")

    (finding,) = json.loads(found.output)["findings"]
    assert (finding["rule"], finding["line"], finding["severity"]) == ("no-equal", 4, "error")
    assert run("upgrade", "--rules").output.startswith("error   no-equal: ")


def test_writes_to_another_file_or_to_standard_output(run, old, tmp_path):
    to_file, to_stdout = (run("upgrade", "api.yaml", "--output", name) for name in ("new.yaml", "-"))

    assert to_file.output == "wrote new.yaml: OpenAPI 3.0 is OpenAPI 3.1 there\n"
    assert (tmp_path / "new.yaml").read_text("utf-8") == to_stdout.stdout == NEW
    assert old.read_text("utf-8") == OLD


def test_refuses_another_file_for_a_contract_of_several(run, old, tmp_path):
    schema = "{$ref: parts.yaml}"
    old.write_text(f"{OLD}components: {{schemas: {{A: {schema}}}}}\n", "utf-8")
    (tmp_path / "parts.yaml").write_text("type: string\nnullable: true\n", "ascii")

    found = run("upgrade", "api.yaml", "--output", "new.yaml")

    assert found.exit_code == 2
    assert found.output == (
        "error: --output: the contract has 2 files that change; leave --output out to rewrite them in place\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n", "api.yaml:1:1: is no contract: it has neither `swagger` nor `openapi`"),
        ("openapi: 4.0.0\n", "api.yaml:1:1: is OpenAPI 4.0.0; only Swagger 2.0 and OpenAPI 3.0 and 3.1 are upgraded"),
        ("swagger: '1.2'\n", "api.yaml:1:1: is Swagger 1.2; only Swagger 2.0 and OpenAPI 3.0 and 3.1 are upgraded"),
        ("openapi: 3.2.0\n", "api.yaml:1:1: is OpenAPI 3.2, and a contract is not moved back to 3.1"),
        ("openapi: 3.0.3\nopenapi: 3.0.3\n", "api.yaml:2:1: duplicate key 'openapi', first in line 1; keep one"),
        (None, "api.yaml: cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_refuses_what_it_cannot_upgrade(run, tmp_path, text, message):
    if text is not None:
        (tmp_path / "api.yaml").write_text(text, "utf-8")

    found = run("upgrade", "api.yaml", "--to", "3.1")

    assert (found.exit_code, found.output) == (2, f"error: {message}\n")
    assert text is None or (tmp_path / "api.yaml").read_text("utf-8") == text


def test_refuses_a_contract_of_which_a_part_cannot_be_read(run, old, tmp_path):
    """To rewrite the others would mix versions."""
    text = f"{OLD}components: {{schemas: {{A: {{$ref: parts.yaml}}}}}}\n"
    old.write_text(text, "utf-8")
    (tmp_path / "parts.yaml").write_text("type: [\n", "ascii")

    found = run("upgrade", "api.yaml")

    assert found.exit_code == 2
    assert found.output.startswith("error: parts.yaml:2:1: is not YAML")
    assert old.read_text("utf-8") == text


def test_reports_a_file_out_of_the_contracts_folder(run, tmp_path):
    """It belongs to others; the contract would mix versions."""
    folder = tmp_path / "spec"
    put(folder / "api.yaml", f"{OLD}components: {{schemas: {{A: {{$ref: ../parts.yaml}}}}}}\n")
    (tmp_path / "parts.yaml").write_text("nullable: true\n", "ascii")

    found = run("upgrade", "spec/api.yaml")

    assert found.exit_code == 1
    assert (
        "spec/api.yaml:4:28: error: '../parts.yaml' leads out of the contract's folder, to a file that was not upgraded"
        in found.output
    )
    assert (tmp_path / "parts.yaml").read_text("ascii") == "nullable: true\n"


@pytest.mark.slow
def test_every_command_names_this_one_for_swagger(run, lossy, tmp_path):
    message = "swagger.yaml:1:1: is Swagger 2.0; `relay upgrade swagger.yaml` rewrites it as OpenAPI 3.1\n"
    served = relay(tmp_path, "serve", "--spec", "swagger.yaml", "--missing", "mock")

    assert (served.returncode, served.stderr) == (2, f"error: {message}")
    assert message in run("check", "--spec", "swagger.yaml").output
