"""A folder's names on the disk."""

from pathlib import Path

import pytest

from opsplane.ledger.folder import sync


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    sync(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "nowhere")
