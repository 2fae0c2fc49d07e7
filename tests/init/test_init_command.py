"""`relay init`, as a person runs it."""

from __future__ import annotations

from support.running import ROOT, SPEC, relay


def test_says_what_it_wrote_and_what_is_next(tmp_path):
    """The two commands of README come last; a second run has nothing to write."""
    first = relay(tmp_path, "init", "shop", "--spec", str(SPEC), PYTHONPATH=str(ROOT / "scripts"))
    again = relay(tmp_path, "init", "shop", "--spec", str(SPEC), PYTHONPATH=str(ROOT / "scripts"))

    lines = first.stdout.splitlines()
    assert first.returncode == 0, first.stderr
    assert lines[0] == "wrote spec/openapi.yaml"
    assert "wrote handlers/calls.py" in lines
    assert lines[-4:] == ["next:", "  cd shop", "  scripts/serve", "  scripts/test"]
    assert again.stdout == "relay init: nothing to write, every file is there\n"


def test_writes_nothing_for_what_is_no_contract(tmp_path):
    (tmp_path / "api.yaml").write_text("openapi: 4.0.0\n", "utf-8")

    result = relay(tmp_path, "init", "shop", "--spec", "api.yaml", PYTHONPATH=str(ROOT / "scripts"))

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: api.yaml:1:1: not an OpenAPI 3.0, 3.1 or 3.2 document")
    assert not (tmp_path / "shop").exists()
