"""Judged sets in BEIR's form: what is read, what is refused with its line, what becomes of odd texts."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge import beir
from knowledge.beir import BadRow, Corpus, Text


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows))
    return path


def test_a_corpus_is_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = {"_id": "b", "title": "Fees", "text": "It costs $5."}, {"_id": 7, "title": None, "text": "Free."}
    found = beir.corpus(lines(tmp_path / "corpus.jsonl", *rows))
    assert found.texts == (Text("b", "Fees", "It costs $5."), Text("7", "", "Free."))


def test_a_packed_file_is_the_same_corpus(tmp_path: Path) -> None:
    plain = lines(tmp_path / "corpus.jsonl", {"_id": "a", "text": "é"}, "", {"_id": "b", "text": ""})
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert beir.corpus(packed) == beir.corpus(plain)


def test_another_text_is_another_digest(tmp_path: Path) -> None:
    one = beir.corpus(lines(tmp_path / "one", {"_id": "a", "text": "x"}))
    assert one.digest != beir.corpus(lines(tmp_path / "other", {"_id": "a", "text": "y"})).digest


def test_of_rows_with_one_id_the_first_stands_and_the_id_is_told(tmp_path: Path) -> None:
    found = beir.corpus(lines(tmp_path / "corpus.jsonl", {"_id": "a", "text": "x"}, {"_id": "a", "text": "y"}))
    assert (found.texts, found.repeated) == ((Text("a", "", "x"),), ("a",))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "line 2 is no JSON object"),
        ("[1]", "line 2 is no JSON object"),
        ("[" * 100_000, "line 2 is nested too deeply"),
        ({"text": "x"}, '"_id" is missing'),
        ({"_id": True, "text": "x"}, '"_id" is bool'),
        ({"_id": "b"}, '"text" is missing'),
        ({"_id": "b", "text": ["x"]}, '"text" is list'),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: object, told: str) -> None:
    path = lines(tmp_path / "corpus.jsonl", {"_id": "a", "text": "x"}, row)
    with pytest.raises(BadRow, match="line 2") as refused:
        beir.corpus(path)
    assert told in str(refused.value)


@pytest.mark.parametrize("read", [beir.corpus, beir.queries, beir.qrels])
def test_an_empty_file_and_one_in_another_encoding_are_refused(tmp_path: Path, read: Callable[[Path], object]) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "latin").write_bytes('{"_id": "é"}'.encode("latin-1"))
    (tmp_path / "torn").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    for name, told in (("empty", "is in it"), ("latin", "UTF-8"), ("torn", "damaged")):
        with pytest.raises(BadRow, match=told):
            read(tmp_path / name)


def test_a_question_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "queries.jsonl", {"_id": "q", "text": "x"}, {"_id": "q", "text": "y"})
    with pytest.raises(BadRow, match="line 2"):
        beir.queries(path)


def test_halves_of_surrogate_pairs_do_not_reach_the_library(tmp_path: Path) -> None:
    path = lines(tmp_path / "queries.jsonl", '{"_id": "q", "text": "a \\ud800 b"}')
    assert beir.queries(path) == {"q": "a ? b"}


@pytest.mark.parametrize(
    "text",
    ["query-id\tcorpus-id\tscore\nq\td 1\t2\nq\te\t0\n", "q\td 1\t2\nq\te\t0\n", "q\t0\td 1\t2\r\nq\t0\te\t0\n"],
)
def test_judgements_are_read_with_a_head_without_one_and_as_trec_has_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "qrels.tsv"
    path.write_text(text)
    assert beir.qrels(path) == {"q": {"d 1": 2.0, "e": 0.0}}


def test_a_pair_that_is_judged_twice_keeps_its_higher_grade(tmp_path: Path) -> None:
    assert beir.qrels(lines(tmp_path / "qrels.tsv", "q\td\t2", "q\td\t1")) == {"q": {"d": 2.0}}


@pytest.mark.parametrize("row", ["q\td", "q\td\tmuch", "q\td\tnan", "a\tb\tc\td\te"])
def test_a_bad_judgement_is_named_with_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(BadRow, match="line 2"):
        beir.qrels(lines(tmp_path / "qrels.tsv", "q\td\t1", row))


def test_every_text_becomes_a_document_of_its_own_but_empty_ones() -> None:
    same = Text("a/@#☃", "", "The same."), Text("b", "", "The same."), Text("c", " ", "\n")
    documents, names = beir.documents(Corpus(same, ""))
    assert [names[one.id] for one in documents] == ["a/@#☃", "b"]
    assert len({one.id for one in documents}) == 2


def test_a_title_without_a_text_and_a_long_one_can_be_searched() -> None:
    texts = Text("a", "Only a title", ""), Text("b", "long " * 100, "Text.")
    (first, second), _ = beir.documents(Corpus(texts, ""))
    assert first.sections[0].text == "Only a title"
    assert second.sections[0].text.startswith("long long")
    assert len(second.title) == 200
