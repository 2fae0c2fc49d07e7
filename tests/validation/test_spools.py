"""Bytes in memory and in files without a name: `relay.validation.spools`."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.spools import IN_MEMORY, Spools, TooManySpools, Window
from support.spooling import spooled

LARGE = os.urandom(IN_MEMORY + 1)


@pytest.fixture
def filled():
    """Fill spools, and close them at the end."""
    with ExitStack() as stack:

        def fill(*pieces, **rest):
            spool = spooled(*pieces, **rest)
            stack.callback(spool.close)
            return spool

        yield fill


def test_a_small_body_opens_no_file(filled):
    """Most files of forms are small, and a descriptor is dear."""
    assert filled(b"a" * IN_MEMORY).descriptor is None


def test_a_large_body_is_in_a_file_without_a_name(filled, tmp_path, monkeypatch):
    """Nothing is left in the folder, even if the process is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    spool = filled(LARGE, b"end")

    assert os.fstat(spool.descriptor).st_size == len(LARGE) + 3
    assert list(tmp_path.iterdir()) == []
    assert spool.read(0, spool.size) == LARGE + b"end"


def test_a_system_without_unnamed_files_deletes_the_name(filled, tmp_path, monkeypatch):
    """Not every file system has O_TMPFILE."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = os.open

    def with_name(path, flags, *rest, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return opened(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", with_name)

    spool = filled(LARGE)

    assert list(tmp_path.iterdir()) == []
    assert spool.read(1, 5) == LARGE[1:6]


def test_only_so_many_files_are_open_and_a_closed_one_makes_room(filled):
    """Descriptors are those of connections, too; a file that cannot be opened must not take a place."""
    spools = Spools(1)
    first = filled(LARGE, spools=spools)

    with pytest.raises(TooManySpools):
        filled(LARGE, spools=spools)
    first.close()
    first.close()

    second = filled(LARGE, spools=spools)
    assert second.descriptor is not None
    with pytest.raises(TooManySpools):
        filled(LARGE, spools=spools)


def test_a_folder_that_cannot_be_written_takes_no_place(filled, tmp_path, monkeypatch):
    """The next request may find the folder again."""
    spools = Spools(1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError, match="gone"):
        filled(LARGE, spools=spools)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert filled(LARGE, spools=spools).descriptor is not None


def test_nothing_can_be_read_after_the_end(filled):
    """A handler's thread may outlive its request; the descriptor may then be another file's."""
    spool = filled(LARGE)
    spool.close()

    with pytest.raises(ValueError, match="the request has ended"):
        spool.read(0, 1)
    spool.write(b"late")
    spool.flush()
    assert spool.descriptor is None


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=IN_MEMORY), max_size=5), st.data())
def test_a_window_shows_its_part_as_a_file_does(pieces, data):
    """In memory and on disk, wherever the positions are."""
    whole = b"".join(pieces)
    start = data.draw(st.integers(0, len(whole)))
    size = data.draw(st.integers(0, len(whole) - start))
    spool = spooled(*pieces)
    window = Window(spool, start, size)
    expected = whole[start : start + size]

    assert window.readall() == expected
    at = window.seek(data.draw(st.integers(0, size + 5)))
    assert window.read(7) == expected[at : at + 7]
    assert window.seek(-1, os.SEEK_END) == max(0, size - 1)
    spool.close()
