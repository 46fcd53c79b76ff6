"""A library for a trial: nothing is left out, nothing is embedded twice."""

from contextlib import closing
from pathlib import Path

from knowledge import beir, trial
from knowledge.beir import Corpus, Text
from knowledge.document import UNDATED
from knowledge.ingest import Options
from knowledge.library import Library, Reader
from knowledge.report import IngestReport
from knowledge.spec import IndexSpec
from tests.embedder import Embedder

TEXTS = [Text(f"id {number}", "", f"Rule {number} says {word}.") for number, word in enumerate(("yes", "no", "yes"))]
SPEC = IndexSpec(embedding="drawn")


def shelved(folder: Path, texts: list[Text], model: Embedder) -> IngestReport:
    documents, _ = beir.documents(Corpus(tuple(texts), ""))
    return trial.shelve(documents, folder, {"drawn": model}, SPEC, Options(at=0))


def test_texts_that_say_the_same_stay_two_documents(tmp_path: Path) -> None:
    model = Embedder()
    report = shelved(tmp_path, [*TEXTS, Text("again", "", TEXTS[0].text)], model)
    assert (len(report.added), report.duplicates, report.refused) == (4, (), ())
    with closing(Library(tmp_path, {"drawn": model})) as library:
        held = list(library.in_force(Reader(UNDATED, frozenset({"customer"}))))
    assert len({chunk.document_id for chunk in held}) == 4


def test_a_second_run_embeds_nothing(tmp_path: Path) -> None:
    shelved(tmp_path, TEXTS, Embedder())
    assert shelved(tmp_path, TEXTS, again := Embedder()).embedded == 0
    assert again.asked == []


def test_a_text_that_changes_is_the_only_one_embedded(tmp_path: Path) -> None:
    shelved(tmp_path, TEXTS, Embedder())
    report = shelved(tmp_path, [*TEXTS[:2], Text("id 2", "", "Something else.")], Embedder())
    assert report.embedded == 1
