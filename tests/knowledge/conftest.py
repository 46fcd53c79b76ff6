"""The embedding model, built once for each checkout, and small libraries."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.ingest import Options, ingest
from knowledge.report import IngestReport
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec

MODELS = Path(__file__).resolve().parents[2] / ".data" / "models"
SPEC = IndexSpec(embedding=MiniLM.name)
NOON = 1_795_700_000.0
"""A time, in seconds since 1970."""

Ingest = Callable[..., IngestReport]


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    return embedding.load(MODELS)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four documents: fees in a past, a present and a future version, and a note for the staff."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for version, start, end, fee in (
        ("1", "2025-01-01", "2026-06-30", "$29"),
        ("2", "2026-07-01", "2026-12-31", "$15"),
        ("3", "2027-01-01", "", "$12"),
    ):
        (folder / f"fees-{version}.md").write_text(
            f"---\nid: fees\ntitle: Fee Schedule\nkind: fees\nversion: {version}\neffective_from: {start}\n"
            f"effective_to: {end}\n---\n# Fee Schedule\n## Overdraft\nThe overdraft fee is {fee} for each item.\n"
        )
    (folder / "staff.md").write_text(
        "---\nid: waivers\ntitle: Fee waivers\naudience: staff\n---\nStaff may waive one overdraft fee a year.\n"
    )
    (folder / "cards.txt").write_text("Travel card\nThe card has no foreign transaction fee.\n")
    return folder


@pytest.fixture
def run(tmp_path: Path, corpus: Path, minilm: MiniLM) -> Ingest:
    """Ingests the corpus, or another folder, into `tmp_path / "library"`; options by name."""

    def ingested(source: Path = corpus, specs: tuple[IndexSpec, ...] = (SPEC,), **options: object) -> IngestReport:
        how = Options(**{"at": NOON, **options})  # type: ignore[arg-type]
        return ingest([Folder(source)], tmp_path / "library", {minilm.name: minilm}, specs, how)

    return ingested
