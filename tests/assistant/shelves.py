"""A small library with two generations of one index, and a desk over it whose stable release searches it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from assistant.desk import Desk
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.encoders import family
from knowledge.ingest import Options, ingest
from knowledge.library import Library
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec
from opsplane.intent import Helm
from opsplane.plane import Plane
from opsplane.rollouts.watcher import Watcher
from tests import fakes, library

SPEC = IndexSpec(embedding=MiniLM.name)
RELEASE = fakes.release(id="test-2", retrieval={"index": SPEC.id})
NOON = fakes.NOON.timestamp()
DAY = 86_400.0


def write(corpus: Path) -> None:
    """Fees of the past, of now and of next year, and a note for the staff."""
    corpus.mkdir()
    for version, start, end, fee in (
        ("1", "2025-01-01", "2026-06-30", "$29"),
        ("2", "2026-07-01", "2026-12-31", "$15"),
        ("3", "2027-01-01", "", "$12"),
    ):
        (corpus / f"fees-{version}.md").write_text(
            f"---\nid: fees\ntitle: Fee Schedule\nkind: fees\nversion: {version}\neffective_from: {start}\n"
            f"effective_to: {end}\n---\n# Fee Schedule\n## Overdraft\nThe overdraft fee is {fee} for each item.\n"
        )
    (corpus / "staff.md").write_text(
        "---\nid: waivers\ntitle: Overdraft fee waivers\naudience: staff\n---\nStaff may waive one overdraft fee.\n"
    )
    (corpus / "cards.txt").write_text("Travel card\nThe card has no foreign transaction fee.\n")


def bring(corpus: Path, folder: Path, at: float, *specs: IndexSpec) -> str:
    """Ingest, and give the generation that serves then."""
    model = embedding.load(library.MODELS)
    return ingest([Folder(corpus)], folder, family(model), specs or (SPEC,), Options(at=at)).generation


def stocked(tmp_path: Path) -> Path:
    """Two generations: ten days ago, and since yesterday one in which the cards say something else."""
    corpus, folder = tmp_path / "corpus", tmp_path / "library"
    write(corpus)
    bring(corpus, folder, NOON - 10 * DAY)
    (corpus / "cards.txt").write_text("Travel card\nThe card costs nothing abroad.\n")
    bring(corpus, folder, NOON - DAY)
    return folder


@contextmanager
def opened(desk: Desk, folder: Path) -> Iterator[Desk]:
    """The desk with that library; its stable release searches the index there."""
    plane = Plane(desk.ledger)
    plane.configure({RELEASE.id: RELEASE}, RELEASE.id, {SPEC.id})
    watcher = Watcher(Helm(plane, desk.ledger, fakes.plans()))
    with closing(Library(folder, family(embedding.load(library.MODELS)))) as held:
        yield replace(desk, plane=plane, watcher=watcher, library=held)
