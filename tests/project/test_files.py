"""`scripts/relay/project/files.py`; writing files is tested with the commands."""

import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.files import check_writable, stored_secret


class TestWritable:
    """`check_writable`."""

    def test_does_not_create_the_folder(self, tmp_path):
        """A run that cannot start leaves no files."""
        check_writable(tmp_path / "reports/failures")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("folder", "reason"),
        [("file/reports", "file is not a folder"), ("reports", ". is read-only")],
    )
    def test_reports_why_a_folder_is_not_writable(self, tmp_path, monkeypatch, folder, reason):
        """os.access is replaced, because root may write to any folder."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("os.access", lambda *_: False)
        (tmp_path / "file").touch()

        with pytest.raises(SetupError) as error:
            check_writable(tmp_path / folder)

        assert str(error.value) == f"{folder}: cannot be written: {reason}"


class TestStoredSecret:
    """`relay.stored_secret`."""

    def test_makes_it_once_for_the_user_only(self, tmp_path):
        """Later calls return what the first one has stored."""
        path = tmp_path / "new" / "secret"
        assert [stored_secret(path, lambda: "first"), stored_secret(path, lambda: "second")] == ["first"] * 2
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [file.name for file in path.parent.iterdir()] == ["secret"]

    def test_callers_at_the_same_time_get_the_same_one(self, tmp_path):
        """Each of them has made one; one is stored."""
        together, numbers = Barrier(4), count()

        def make():
            together.wait(10)
            return f"secret {next(numbers)}"

        with ThreadPoolExecutor(4) as pool:
            found = [pool.submit(stored_secret, tmp_path / "secret", make) for _ in range(4)]

        assert len({one.result() for one in found}) == 1
        assert [file.name for file in tmp_path.iterdir()] == ["secret"]
