"""Which trained weights and signal patterns this version judges by: their hashes are part of every release."""

import hashlib
from functools import lru_cache
from pathlib import Path

_HERE = Path(__file__).parent
_PARTS = ("weights/*.npz", "weights/*.onnx", "packs/signals-*.yaml")


@lru_cache(maxsize=1)
def fingerprints() -> dict[str, str]:
    """SHA-256, hexadecimal, of each file by name."""
    files = [path for pattern in _PARTS for path in sorted(_HERE.glob(pattern))]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def changed(release_has: dict[str, str]) -> list[str]:
    """The files that a release was loaded with and this version has not, or has otherwise; none for older releases."""
    installed = fingerprints()
    return sorted(name for name, sha256 in release_has.items() if installed.get(name) != sha256)
