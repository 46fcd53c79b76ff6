from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from knowledge.shards import BadJob, Incomplete, Local, collect, finish, missing, plan, planned
from knowledge.vectors import Row
from tests.embedder import Embedder, Killed

ROWS = [Row.of(f"§ {number}: the “fee” is ${number}\r\nwith a second line\u2028and a third") for number in range(500)]


def _embed(job: Path, model: Embedder) -> int:
    return sum(finish(shard, Local(job), model) for shard in planned(Local(job)).shards)


def test_every_text_is_in_one_shard_whatever_the_order(tmp_path: Path) -> None:
    first = plan(ROWS, tmp_path / "a", "drawn")
    again = plan([*ROWS[::-1], *ROWS[:7]], tmp_path / "b", "drawn")
    assert first == again == planned(Local(tmp_path / "a"))
    assert _files(tmp_path / "a") == _files(tmp_path / "b")
    assert first.rows == 500 == sum(shard.rows for shard in first.shards)
    assert max(shard.rows for shard in first.shards) <= 2 * min(shard.rows for shard in first.shards) <= 128


def test_one_more_text_changes_one_shard_and_only_that_text_is_embedded(tmp_path: Path) -> None:
    before = plan(ROWS, tmp_path, "drawn")
    assert _embed(tmp_path, Embedder()) == 500
    after = plan([*ROWS, Row.of("new")], tmp_path, "drawn")
    model = Embedder()
    assert len({*after.shards} - {*before.shards}) == 1
    assert (_embed(tmp_path, model), model.asked) == (1, ["new"])
    assert len(list(collect(tmp_path))) == 501


def test_what_is_collected_is_what_the_model_says(tmp_path: Path) -> None:
    plan(ROWS, tmp_path, "drawn")
    _embed(tmp_path, Embedder())
    found = {item.sha256: item.vector for item in collect(tmp_path)}
    assert all(np.array_equal(found[row.sha256], Embedder().encode([row.text])[0]) for row in ROWS)


def test_an_unfinished_job_names_its_missing_shards_and_gives_nothing(tmp_path: Path) -> None:
    whole = plan(ROWS, tmp_path, "drawn")
    finish(whole.shards[0], Local(tmp_path), Embedder())
    with pytest.raises(Incomplete, match=r"shard-00001, shard-00002, .* …") as refused:
        collect(tmp_path)
    assert refused.value.shards == [shard.name for shard in whole.shards[1:]]


def _wrong(job: Path) -> dict[str, bytes]:
    """What may lie where shard 7's result belongs."""
    plan(ROWS, job / "other", "other")
    _embed(job / "other", Embedder("other"))
    plan(ROWS[::2], job / "few", "drawn", per_shard=32)
    _embed(job / "few", Embedder())
    return {
        "torn": (job / "shard-00007.vectors").read_bytes()[:-1],
        "empty": b"",
        "another shard's": (job / "shard-00001.vectors").read_bytes(),
        "another model's": (job / "other" / "shard-00007.vectors").read_bytes(),
        "of fewer texts": (job / "few" / "shard-00007.vectors").read_bytes(),
    }


@pytest.mark.parametrize("wrong", ["torn", "empty", "another shard's", "another model's", "of fewer texts"])
def test_a_result_that_is_not_the_shards_is_made_anew(tmp_path: Path, wrong: str) -> None:
    whole = plan(ROWS, tmp_path, "drawn")
    _embed(tmp_path, Embedder())
    clean = _files(tmp_path)
    (tmp_path / "shard-00007.vectors").write_bytes(_wrong(tmp_path)[wrong])
    assert [shard.name for shard in missing(whole, Local(tmp_path))] == ["shard-00007"]
    model = Embedder()
    assert 0 < _embed(tmp_path, model) == len(model.asked) <= 64
    assert _files(tmp_path) == clean


def test_a_kill_between_any_two_texts_loses_no_finished_shard(tmp_path: Path) -> None:
    whole = plan(ROWS[:150], tmp_path, "drawn", per_shard=16)
    asked: Counter[str] = Counter()
    deaths = 0
    while missing(whole, Local(tmp_path)):
        model = Embedder(dies_after=37)
        try:
            _embed(tmp_path, model)
        except Killed:
            deaths += 1
        asked.update(model.asked)
    plan(ROWS[:150], tmp_path / "clean", "drawn", per_shard=16)
    _embed(tmp_path / "clean", Embedder())
    assert _files(tmp_path) == _files(tmp_path / "clean")
    assert (deaths > 2, asked.total() <= 150 + deaths * 16) == (True, True)


def test_planning_that_broke_off_is_repeated_and_results_are_kept(tmp_path: Path) -> None:
    plan(ROWS, tmp_path, "drawn")
    _embed(tmp_path, Embedder())
    (tmp_path / "plan.json").unlink()
    (tmp_path / "shard-00003.jsonl").write_bytes(b"torn")
    with pytest.raises(BadJob, match="plan the job first, or again"):
        planned(Local(tmp_path))
    plan(ROWS, tmp_path, "drawn")
    assert _embed(tmp_path, Embedder()) == 0


def test_what_is_no_longer_planned_is_swept_and_other_files_are_not(tmp_path: Path) -> None:
    for name in (
        "notes.txt",
        "shards.md",
        "shard-00099.vectors",
        "shard-00001.claim",
        ".shard-00001.vectors.0af",
        ".clock-x",
    ):
        (tmp_path / name).write_bytes(b"")
    plan(ROWS[:9], tmp_path, "drawn")
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "shards.md", "plan.json", "shard-00000.jsonl"}


@pytest.mark.parametrize("line", [b"", b"torn", b"[]\n", b'{"text": 1}\n', b'{"sha256": "0", "text": "changed"}\n'])
def test_a_damaged_shard_is_not_embedded(tmp_path: Path, line: bytes) -> None:
    whole = plan(ROWS[:9], tmp_path, "drawn")
    (tmp_path / "shard-00000.jsonl").write_bytes(line)
    with pytest.raises(BadJob, match=r"shard-00000.jsonl is missing or damaged: plan the job again"):
        finish(whole.shards[0], Local(tmp_path), Embedder())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "model": "drawn", "rows": 0, "shards": []}'])
def test_a_damaged_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(BadJob, match="damaged"):
        collect(tmp_path)


def test_a_model_does_not_work_at_another_models_job(tmp_path: Path) -> None:
    plan(ROWS[:9], tmp_path, "drawn")
    with pytest.raises(BadJob, match="for the model drawn, this is another"):
        planned(Local(tmp_path), "another")


def test_no_texts_make_an_empty_job(tmp_path: Path) -> None:
    assert plan([], tmp_path, "drawn").shards == ()
    assert list(collect(tmp_path)) == []


def _files(job: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in job.iterdir() if path.is_file()}
