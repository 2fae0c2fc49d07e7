"""What the type generator made is kept, and generated again whenever it cannot be read."""

from __future__ import annotations

import os

import pytest

from relay.codegen import type_generator as type_cache
from relay.codegen.type_generator import CannotGenerate, Generated

SHIP = {"components": {"schemas": {"Ship": {"type": "object"}}}}


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Return the documents that were generated; the cache is in the test's own folder."""
    found = []

    def generate(document):
        found.append(document)
        return Generated(f"class Ship: ...  # {len(found)}\n", [])

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(type_cache, "generate_within_limits", generate)
    return found


def test_generates_a_document_once(runs):
    """Commands run often, and contracts change seldom."""
    first, second = type_cache.generated(SHIP), type_cache.generated(SHIP)

    assert (first, runs) == (second, [SHIP])


def test_generates_again_what_has_changed(runs):
    """The order of properties counts, too: it is that of the classes."""
    type_cache.generated({"a": 1, "b": 2})
    type_cache.generated({"b": 2, "a": 1})

    assert len(runs) == 2


@pytest.mark.parametrize("damage", [b"", b"null", b"[]", b'{"source": "x"}', b"\xff"])
def test_generates_again_what_cannot_be_read(runs, tmp_path, damage):
    """A file may be cut off, or be of another version."""
    type_cache.generated(SHIP)
    [file] = tmp_path.rglob("*.json")
    file.write_bytes(damage)

    type_cache.generated(SHIP)

    assert runs == [SHIP, SHIP]
    assert file.read_bytes() != damage


def test_generates_where_nothing_can_be_kept(runs, tmp_path, monkeypatch):
    """A container may have neither a home nor a disk that can be written."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert type_cache.generated(SHIP) == Generated("class Ship: ...  # 1\n", [])


def test_deletes_the_oldest(runs, tmp_path, monkeypatch):
    """The cache does not grow for ever; what was used last stays."""
    monkeypatch.setattr(type_cache, "KEPT", 2)
    for number in range(2):
        type_cache.generated({"number": number})
    for file in tmp_path.rglob("*.json"):
        os.utime(file, (0, 0))
    type_cache.generated({"number": 0})

    type_cache.generated({"number": 2})
    type_cache.generated({"number": 0})

    assert len(runs) == 3
    assert len([*tmp_path.rglob("*.json")]) == 2


def test_keeps_no_failure(runs, tmp_path, monkeypatch):
    """It may have been a limit that another machine does not reach."""

    def fail(_document):
        raise CannotGenerate("it is too large")

    monkeypatch.setattr(type_cache, "generate_within_limits", fail)

    with pytest.raises(CannotGenerate):
        type_cache.generated(SHIP)

    assert not [*tmp_path.rglob("*.json")]
