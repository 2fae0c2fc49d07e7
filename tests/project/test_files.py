"""Files that commands look for and write: `scripts/relay/project/files.py`; what writes them is tested with the commands."""

from __future__ import annotations

import pytest

from relay.contract.diagnostics import SetupError
from relay.project.files import check_writable


class TestWritable:
    """`check_writable`."""

    def test_makes_nothing(self, tmp_path):
        """A run that cannot begin leaves nothing behind."""
        check_writable(tmp_path / "reports/failures")

        assert list(tmp_path.iterdir()) == []

    def test_tells_of_what_stands_in_the_way(self, tmp_path, monkeypatch):
        """A file, where a folder has to be."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "file").touch()

        with pytest.raises(SetupError) as trouble:
            check_writable(tmp_path / "file/reports")

        assert str(trouble.value) == "file/reports: cannot be written: file is no folder"

    def test_tells_of_a_folder_that_may_not_be_written_to(self, tmp_path, monkeypatch):
        """Asked of the system, as rights are not the only reason; root has them all."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("os.access", lambda *_: False)

        with pytest.raises(SetupError) as trouble:
            check_writable(tmp_path / "reports")

        assert str(trouble.value) == "reports: cannot be written: . is read-only"
