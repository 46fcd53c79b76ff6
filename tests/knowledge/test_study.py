"""Documents that say the same leave one of them, those that disagree are told, through an ingestion."""

from datetime import date
from pathlib import Path

from knowledge.library import Library, Reader, SearchPlan
from tests.knowledge.conftest import Ingest

GUIDE = """# Wire guide
A wire is an order to pay from one bank to another, and it cannot be called back once it was sent.
Tell us the name and the number of the account, and the name of the bank that it goes to, before four in the afternoon.
A wire to another bank in the country costs $25, and one to another country costs $45 for each order that we send.
The money arrives on the same day where the other bank takes part in the system, and on the next one where it does not.
Whoever sends an order for a company signs it together with a second person who is named in the papers of the company.
We call back the number that you left with us before we send an order that was written and not given in a branch.
An order that names a wrong account may be lost for good, and we can only ask the other bank to send the money back.
"""


def wire(folder: Path, name: str, text: str = GUIDE, **fields: str) -> None:
    head = "".join(f"{field}: {value}\n" for field, value in {"id": name, "title": "Wire guide", **fields}.items())
    (folder / f"{name}.md").write_text(f"---\n{head}---\n{text}")


def test_a_document_that_says_nearly_the_same_is_left_out_and_the_kept_one_is_named(run: Ingest, corpus: Path) -> None:
    wire(corpus, "wires", effective_from="2026-01-01", owner="Payments")
    wire(corpus, "wires-copy", GUIDE.replace("Tell us", "Please tell us"), effective_from="2025-01-01")
    report = run()
    (found,) = report.duplicates
    assert (found.name, found.kept) == ("wires-copy@2025-01-01", "wires@2026-01-01")
    assert found.reason.endswith("the same words, and the same figures")
    again = run()
    assert (again.duplicates, again.embedded, again.changed) == (report.duplicates, 0, ())


def test_the_days_before_the_kept_one_are_still_answered(
    run: Ingest, corpus: Path, tmp_path: Path, minilm: object
) -> None:
    wire(corpus, "wires", effective_from="2026-01-01", owner="Payments")
    wire(corpus, "wires-copy", GUIDE.replace("Tell us", "Please tell us"), effective_from="2025-01-01")
    run()
    library = Library(tmp_path / "library", {minilm.name: minilm})  # type: ignore[attr-defined,dict-item]
    for day, wanted in ((date(2025, 6, 1), "wires-copy"), (date(2026, 6, 1), "wires")):
        hits = library.search("wire to another bank", Reader(day, frozenset({"customer"})), SearchPlan()).hits
        assert [hit.chunk.document_id for hit in hits if "wires" in hit.chunk.document_id] == [wanted]
    library.close()


def test_another_figure_makes_another_document_and_a_disagreement(run: Ingest, corpus: Path) -> None:
    wire(corpus, "wires", owner="Payments")
    wire(corpus, "transfers", GUIDE.replace("$25", "$30"), title="Transfers", owner="Branches")
    report = run(on=date(2026, 11, 23))
    assert report.duplicates == ()
    told = [(one.left_says, one.right_says, set(one.owners)) for one in report.disagreements]
    assert told
    assert {"$25", "$30"} == set(told[0][:2])
    assert told[0][2] == {"Payments", "Branches"}


def test_of_two_equal_copies_one_is_left_out(run: Ingest, corpus: Path) -> None:
    wire(corpus, "wires")
    wire(corpus, "wires-copy")
    assert len(run().duplicates) == 1
