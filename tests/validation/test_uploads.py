"""Files as handlers get them: `relay.Upload`."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import ExitStack, closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay import Upload
from relay.validation.spools import IN_MEMORY
from relay.validation.uploads import CHUNK
from support.spooling import spooled, uploaded

LARGE = os.urandom(2 * CHUNK + 1)


@pytest.fixture
def upload():
    """Make uploads, and delete them at the end."""
    with ExitStack() as stack:

        def make(content, **rest):
            found = uploaded(content, **rest)
            stack.callback(found.close)
            return found

        yield make


@pytest.mark.parametrize("content", [b"", b"small", LARGE])
@pytest.mark.parametrize("around", [0, 3])
def test_an_upload_is_read_whole_in_pieces_and_again(upload, content, around):
    """However large it is, and whatever other files the form has."""
    found = upload(content, around=around)

    assert found.size == len(content)
    assert found.read(3) + found.read() == content
    assert found.read() == b""
    assert found.seek(0) == 0
    assert found.file.read() == content
    assert b"".join(found) == content
    assert max(map(len, found), default=0) <= CHUNK


def test_has_the_names_that_starlette_gives_it(upload):
    """Code of other frameworks works as it is."""
    found = upload(b"x", name="a.png", media_type="image/png")

    assert (found.name, found.filename) == ("a.png", "a.png")
    assert (found.media_type, found.content_type) == ("image/png", "image/png")


def test_does_not_show_the_clients_name(upload):
    """A representation goes to logs and tracebacks."""
    assert repr(upload(b"x", name="secret.txt")) == "<Upload of 1 bytes>"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("", "upload"),
        ("..", "upload"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\my photo (1).PNG", "my photo (1).PNG"),
        (".bashrc", "bashrc"),
        ("Straße.txt", "Straße.txt"),
        ('a\0b\r\n"c.txt', "a_b_c.txt"),
        ("a" * 300 + ".tar.gz", "a" * 117 + ".gz"),
    ],
)
def test_a_safe_name_is_one_component_that_is_not_hidden(upload, name, safe):
    """The client's name may be any text."""
    assert upload(b"", name=name).safe_name == safe


@given(st.text())
def test_every_safe_name_can_be_written(name):
    """Whatever the client sends, a file in the folder is meant."""
    safe = uploaded(b"", name=name).safe_name

    assert safe
    assert not {"/", "\\", "\0"} & set(safe)
    assert not safe.startswith((".", " "))
    assert len(safe.encode()) <= 255 or len(safe) <= 120


class TestSaving:
    """`save_to`."""

    @pytest.mark.parametrize("content", [b"", b"small", LARGE])
    @pytest.mark.parametrize("around", [0, 3])
    def test_replaces_a_file_and_leaves_nothing_next_to_it(self, upload, tmp_path, content, around):
        """Also an existing one: other processes see the old or the new content."""
        target = tmp_path / "saved"
        target.write_bytes(b"before")
        found = upload(content, around=around)

        assert found.save_to(target) == target
        assert target.read_bytes() == content
        assert list(tmp_path.iterdir()) == [target]
        assert b"".join(found) == content

    def test_gives_the_temporary_file_its_name_where_it_can(self, tmp_path, monkeypatch):
        """Ten gigabytes are not copied."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with closing(spooled(LARGE)) as spool:
            saved = Upload(spool, 0, spool.size).save_to(tmp_path / "saved")

            assert saved.stat().st_ino == os.fstat(spool.descriptor).st_ino

    def test_two_saved_files_are_two_files(self, upload, tmp_path, monkeypatch):
        """Who changes one must not change the other."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        found = upload(LARGE)

        first, second = found.save_to(tmp_path / "first"), found.save_to(tmp_path / "second")

        assert first.stat().st_ino != second.stat().st_ino
        assert first.read_bytes() == second.read_bytes() == LARGE

    def test_copies_where_files_cannot_be_linked(self, upload, tmp_path, monkeypatch):
        """Another file system, or a system without /proc."""

        def refuse(*_args, **_options):
            raise OSError(errno.EXDEV, "another file system")

        monkeypatch.setattr(os, "link", refuse)

        assert upload(LARGE).save_to(tmp_path / "saved").read_bytes() == LARGE

    def test_has_the_permissions_of_any_new_file(self, upload, tmp_path):
        """A temporary file of the library has none for others, such as a web server."""
        before = os.umask(0o022)
        try:
            saved = [upload(content).save_to(tmp_path / str(len(content))) for content in (b"a", LARGE)]
        finally:
            os.umask(before)

        assert {oct(one.stat().st_mode & 0o777) for one in saved} == {"0o644"}

    def test_a_folder_that_is_not_there_is_an_error(self, upload, tmp_path):
        """And nothing is created."""
        with pytest.raises(FileNotFoundError):
            upload(b"a" * (IN_MEMORY + 1)).save_to(tmp_path / "gone" / "saved")
        assert list(tmp_path.iterdir()) == []
