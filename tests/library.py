"""The sample corpus's library, made once for each state of documents and code and kept beside the checkout."""

import hashlib
import shutil
from pathlib import Path

from filelock import FileLock

from assistant.corpus import SPEC
from knowledge import embedding
from knowledge.encoders import family
from knowledge.ingest import Options, ingest
from knowledge.sources.folder import Folder

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / ".data" / "models"
KEPT = ROOT / ".data" / "tests"


def stock(data: Path) -> None:
    """Put the embedding model and a copy of the library into a data folder; the first process makes them for all."""
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / _state()
    with FileLock(kept.with_suffix(".lock")):  # two test processes start at the same time
        model = embedding.load(MODELS)  # made where it is missing
        if not kept.exists():
            made = kept.with_suffix(".new")
            shutil.rmtree(made, ignore_errors=True)
            ingest([Folder(ROOT / "knowledge" / "corpus")], made, family(model), [SPEC], Options(at=0))
            made.rename(kept)
    (data / "models").symlink_to(MODELS)
    shutil.copytree(kept, data / "library")


def _state() -> str:
    state = hashlib.sha256()
    for path in sorted(path for path in (ROOT / "knowledge").rglob("*") if path.is_file() and path.suffix != ".pyc"):
        state.update(path.read_bytes())
    return state.hexdigest()[:16]
