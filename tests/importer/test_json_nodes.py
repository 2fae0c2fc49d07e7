"""Editing a JSON contract: `relay.importer.json_nodes`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relay.contract.documents import parse_source
from relay.importer.text_edit import rewrite


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_json_file_keeps_its_bytes_where_its_data_stay(newline):
    """What no YAML parser reads, such as a pair of surrogates, is edited too."""
    source = r"""{
  "a": {"x": "\ud83d\ude00", "é": [1, {"y": 1.50}]},
  "b": "\u0041",
  "c": [ {"k": true } ]
}
""".replace("\n", newline)
    document, _ = parse_source(Path("c.json"), source.encode())
    wanted = json.loads(source)
    wanted["a"]["é"][1]["y"] = [2]
    wanted["b"] = {"z": None}
    wanted["c"].append("new")
    wanted["d"] = 1

    written = rewrite(document, wanted).decode()

    assert json.loads(written) == wanted
    assert r'"a": {"x": "\ud83d\ude00", "é": [1, {"y": ' in written
    assert '"c": [ {"k": true }, ' in written
    assert written.count("\n") == written.count(newline)
