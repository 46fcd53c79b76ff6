"""Folders on the disk."""

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, so that a new file is there after a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
