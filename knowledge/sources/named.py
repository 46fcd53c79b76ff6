"""Sources by their text: a path, `git+…` or `gs://…`."""

import re
from pathlib import Path

from knowledge.sources.folder import Folder
from knowledge.sources.source import Login, Source


def source(text: str, cache: Path, *, endpoint: str = "", login: Login | None = None) -> Source:
    """The source that a text names.

    A path becomes absolute, so that what is remembered means the same from anywhere. `cache` is a folder for
    fetched repositories, `login` what their servers ask for, `endpoint` another address of Google Cloud Storage.
    Raises `ValueError` in words.
    """
    text = text.strip()
    if text.startswith("gs://"):
        # Google's library takes a third of a second to load; who has no bucket does not pay for it.
        from knowledge.sources.gcs import Gcs  # noqa: PLC0415

        return Gcs(text, endpoint)
    if text.startswith("git+"):
        from knowledge.sources.git import Git  # noqa: PLC0415  # as above

        return Git(text, cache, login)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", text):
        raise ValueError(f"{text} is no source; name a folder, a file, gs://bucket/folder or git+https://host/path.")
    if not text or "\0" in text:
        raise ValueError("A source needs a name: a folder, a file, gs://bucket/folder or git+https://host/path.")
    return Folder(Path(text).expanduser().absolute())
