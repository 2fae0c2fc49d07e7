"""`scripts/relay/project/files.py`; writing files is tested with the commands."""

from __future__ import annotations

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.files import check_writable


class TestWritable:
    """`check_writable`."""

    def test_does_not_create_the_folder(self, tmp_path):
        """A run that cannot start leaves no files."""
        check_writable(tmp_path / "reports/failures")

        assert list(tmp_path.iterdir()) == []

    def test_reports_a_file_in_place_of_a_folder(self, tmp_path, monkeypatch):
        """The message names the file."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "file").touch()

        with pytest.raises(SetupError) as error:
            check_writable(tmp_path / "file/reports")

        assert str(error.value) == "file/reports: cannot be written: file is not a folder"

    def test_reports_a_folder_that_is_not_writable(self, tmp_path, monkeypatch):
        """os.access is replaced, because root may write to any folder."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("os.access", lambda *_: False)

        with pytest.raises(SetupError) as error:
            check_writable(tmp_path / "reports")

        assert str(error.value) == "reports: cannot be written: . is read-only"
