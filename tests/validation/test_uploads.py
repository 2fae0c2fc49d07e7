"""Bytes in memory and in files without a name, and files as handlers get them: `relay.Upload`."""

import errno
import os
import tempfile
from contextlib import ExitStack, closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay import Upload
from relay.validation.spools import IN_MEMORY, Spools, TooManySpools, Window
from relay.validation.uploads import CHUNK
from support.spooling import spooled, uploaded

LARGE = os.urandom(IN_MEMORY + 1)


@pytest.fixture
def closed():
    """Return a function that closes what another one makes at the end of the test."""
    with ExitStack() as stack:

        def closing(make):
            def made(*arguments, **options):
                found = make(*arguments, **options)
                stack.callback(found.close)
                return found

            return made

        yield closing


@pytest.fixture
def filled(closed):
    return closed(spooled)


@pytest.fixture
def upload(closed):
    return closed(uploaded)


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


LARGE_FILE = os.urandom(2 * CHUNK + 1)


@pytest.mark.parametrize("content", [b"", b"small", LARGE_FILE])
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
    assert upload(b"", name=name).safe_name == safe


@given(st.text())
def test_every_safe_name_can_be_written(name):
    safe = uploaded(b"", name=name).safe_name
    assert safe
    assert not {"/", "\\", "\0"} & set(safe)
    assert not safe.startswith((".", " "))
    assert len(safe.encode()) <= 255 or len(safe) <= 120


class TestSaving:
    """`save_to`."""

    @pytest.mark.parametrize("content", [b"", b"small", LARGE_FILE])
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
        with closing(spooled(LARGE_FILE)) as spool:
            saved = Upload(spool, 0, spool.size).save_to(tmp_path / "saved")
            assert saved.stat().st_ino == os.fstat(spool.descriptor).st_ino

    def test_two_saved_files_are_two_files(self, upload, tmp_path, monkeypatch):
        """Who changes one must not change the other."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        found = upload(LARGE_FILE)
        first, second = found.save_to(tmp_path / "first"), found.save_to(tmp_path / "second")
        assert first.stat().st_ino != second.stat().st_ino
        assert first.read_bytes() == second.read_bytes() == LARGE_FILE

    def test_copies_where_files_cannot_be_linked(self, upload, tmp_path, monkeypatch):
        """Another file system, or a system without /proc."""

        def refuse(*_args, **_options):
            raise OSError(errno.EXDEV, "another file system")

        monkeypatch.setattr(os, "link", refuse)

        assert upload(LARGE_FILE).save_to(tmp_path / "saved").read_bytes() == LARGE_FILE

    def test_has_the_permissions_of_any_new_file(self, upload, tmp_path):
        """A temporary file of the library has none for others, such as a web server."""
        before = os.umask(0o022)
        try:
            saved = [upload(content).save_to(tmp_path / str(len(content))) for content in (b"a", LARGE_FILE)]
        finally:
            os.umask(before)

        assert {oct(one.stat().st_mode & 0o777) for one in saved} == {"0o644"}

    def test_a_folder_that_is_not_there_is_an_error(self, upload, tmp_path):
        with pytest.raises(FileNotFoundError):
            upload(b"a" * (IN_MEMORY + 1)).save_to(tmp_path / "gone" / "saved")
        assert list(tmp_path.iterdir()) == []
