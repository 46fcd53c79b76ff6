"""What a chunk tells beside its text, once it was ingested."""

from contextlib import closing
from datetime import date
from pathlib import Path

from knowledge.embedding import MiniLM
from knowledge.library import Library, Reader
from tests.knowledge.conftest import Ingest

TEXT = """# Wire rules
The term “cut-off time” means the hour after which an order counts as made on the next business day. What an order
costs is in the Fee Schedule, and how errors are put right is in 12 CFR 1005.11 and in paragraph (b) of this section.
"""


def test_defined_terms_and_references_are_told_with_the_chunk(
    run: Ingest, corpus: Path, tmp_path: Path, minilm: MiniLM
) -> None:
    (corpus / "wires.md").write_text(TEXT)
    run()
    with closing(Library(tmp_path / "library", {minilm.name: minilm})) as library:
        chunks = library.in_force(Reader(date(2026, 11, 23), frozenset({"customer"})))
        (wires,) = [one for one in chunks if one.document_id == "wires"]
    assert [one.lower() for one in wires.defines] == ["cut-off time"]
    assert set(wires.refers) == {"fees", "12 CFR 1005.11"}
