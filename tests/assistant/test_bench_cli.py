"""`opsplane bench` and `opsplane tune` on a small judged set, from files to figures."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from assistant import bench_cli
from opsplane.errors import InvalidRequest, NotFound
from tests import library

SUBJECTS = (
    "a lost debit card", "the wire transfer fee", "an overdraft", "the mortgage rate", "a joint account",
    "a stop payment", "a savings bond", "the cheque book", "a credit limit", "the cash machine",
    "a direct debit", "a fixed deposit", "the exchange rate", "a student loan", "a safe deposit box",
    "the annual statement", "a power of attorney", "the branch hours", "a travel card", "the tax form",
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").symlink_to(library.MODELS)
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("set")
    texts = [{"_id": f"d {n}", "text": f"This is what the bank says of {one}."} for n, one in enumerate(SUBJECTS)]
    asked = [{"_id": f"q{n}", "text": f"Tell me about {one}."} for n, one in enumerate(SUBJECTS)]
    judged = [f"q{n}\td {n}\t1" for n in range(len(SUBJECTS))]
    found = {"corpus_file": folder / "corpus.jsonl", "queries": folder / "queries.jsonl", "qrels": folder / "qrels"}
    found["corpus_file"].write_text("\n".join(map(json.dumps, [*texts, {"_id": "empty", "text": ""}])))
    found["queries"].write_text("\n".join(map(json.dumps, [*asked, {"_id": "q", "text": "Nothing?"}])))
    found["qrels"].write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]))
    return found


def test_a_set_is_measured_with_intervals_and_what_was_left_out(
    data: Path, files: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench_cli.bench_retrieval(**files, data=data, run=tmp_path / "run", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["measures"]["nDCG@10"]["value"] > 0.9
    assert (told["questions"], told["corpus"]["documents"]) == (20, 20)
    assert [note.split()[0] for note in told["notes"]] == ["1", "1"]
    first = (tmp_path / "run").read_text().splitlines()[0].split(" ")
    assert (first[:4], first[5]) == (["q0", "Q0", "d%200", "1"], "opsplane")


def test_a_setting_of_ones_own_is_measured_and_an_unknown_one_refused(
    data: Path, files: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bench_cli.bench_retrieval(**files, data=data, setting=["dense_weight=0"], as_json=True)
    assert json.loads(capsys.readouterr().out)["plan"]["dense_weight"] == 0
    for wrong, told in (("dense=1", "write field=value with one of"), ("dense_weight=7", "less than or equal to 1")):
        with pytest.raises(InvalidRequest, match=told):
            bench_cli.bench_retrieval(**files, data=data, setting=[wrong])


def test_a_table_is_shown(data: Path, files: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    bench_cli.bench_retrieval(**files, data=data)
    told = capsys.readouterr()
    assert "nDCG@10" in told.out
    assert "left out" in told.out
    assert "The index is kept in" in told.err


def test_files_that_are_missing_or_do_not_belong_are_refused(data: Path, files: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="Name the three files"):
        bench_cli.bench_retrieval(data=data)
    with pytest.raises(InvalidRequest, match="No such file"):
        bench_cli.bench_retrieval(**{**files, "qrels": tmp_path / "none"}, data=data)
    (tmp_path / "other").write_text("x\ty\t1\n")
    with pytest.raises(InvalidRequest, match="do they belong"):
        bench_cli.bench_retrieval(**{**files, "qrels": tmp_path / "other"}, data=data)
    with pytest.raises(NotFound, match="no release 'none'"):
        bench_cli.bench_retrieval(**files, data=data, release="none")


def test_a_sweep_writes_a_fragment_with_its_evidence(
    data: Path, files: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "retrieval.yaml"
    with pytest.raises(typer.Exit) as left:
        bench_cli.tune_retrieval(**files, data=data, weights="0,0.6", chunks="64", output=written)
    told = capsys.readouterr()
    assert left.value.exit_code == 0
    assert "To embed for 64 pieces" in told.err
    assert "On questions held out, choosing gains" in told.out
    assert set(yaml.safe_load(written.read_text())["retrieval"]) >= {"passages", "dense_weight"}
    assert "digest" in written.read_text()


def test_golden_questions_are_asked_of_the_library_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library.stock(tmp_path)
    with pytest.raises(typer.Exit):
        bench_cli.tune_retrieval(
            dataset=library.ROOT / "tests" / "golden", data=tmp_path, weights="0.6", most=20, as_json=True
        )
    told = json.loads(capsys.readouterr().out)
    assert (told["questions"], told["documents"] > 50) == (20, True)
    assert not (tmp_path / "trials").exists()


def test_one_set_is_asked_for_and_a_measure_that_there_is(files: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="either --dataset"):
        bench_cli.tune_retrieval(**files, dataset=Path("tests/golden"))
    with pytest.raises(InvalidRequest, match="there are nDCG@10"):
        bench_cli.tune_retrieval(**files, measure="luck")
