"""Reports as they are kept."""

import gzip
from pathlib import Path

import pytest

from assistant.report_shelf import Shelf
from opsplane.errors import InvalidRequest, NotFound
from opsplane.evaluation import gate
from opsplane.evaluation.assessment import Assessment
from opsplane.policy import load
from tests.assistant import assessed
from tests.opsplane.evaluation.answers import case, dataset


def test_a_report_is_found_by_the_beginning_of_its_digest_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    run = assessed.whole(30)
    assert Shelf(tmp_path).keep(run)
    found = Shelf(tmp_path).find(run.report.digest[:12])
    assert found.report.digest == run.report.digest
    assert (found.dataset, found.decision) == (run.dataset, run.decision)
    assert (found.comparison is None) == (run.comparison is None)


def test_a_report_on_customers_words_is_not_kept(tmp_path: Path) -> None:
    run = assessed.whole(30)
    mine = Assessment(run.report, dataset(case(source="exchange-0001")))
    assert not Shelf(tmp_path).keep(mine)
    with pytest.raises(NotFound, match="no report here begins"):
        Shelf(tmp_path).find(run.report.digest)


@pytest.mark.parametrize("digest", ["", "..", "../../etc", "zzzzzz", "abc"])
def test_what_is_no_digest_opens_no_file(tmp_path: Path, digest: str) -> None:
    with pytest.raises(InvalidRequest, match="named by its digest"):
        Shelf(tmp_path).find(digest)


def test_a_torn_report_is_told_in_words(tmp_path: Path) -> None:
    run = assessed.whole(30)
    Shelf(tmp_path).keep(run)
    (path,) = tmp_path.rglob(f"{run.report.digest}.json.gz")
    path.write_text("{")
    with pytest.raises(InvalidRequest, match="cannot be read by this version"):
        Shelf(tmp_path).find(run.report.digest)


def test_a_later_run_without_a_comparison_does_not_hide_the_one_that_had_one(tmp_path: Path) -> None:
    run = assessed.whole(30)
    Shelf(tmp_path).keep(run)
    alone = Assessment(run.report, run.dataset, decision=gate.decide(run.report, load().gate.alone(), votes=False))
    Shelf(tmp_path).keep(alone)
    assert Shelf(tmp_path).find(run.report.digest).decision == run.decision


def test_a_report_that_was_changed_is_not_shown(tmp_path: Path) -> None:
    run = assessed.whole(30)
    Shelf(tmp_path).keep(run)
    (path,) = tmp_path.rglob(f"{run.report.digest}.json.gz")
    told = gzip.decompress(path.read_bytes()).replace(b'"passed": false', b'"passed": true')
    path.write_bytes(gzip.compress(told))
    with pytest.raises(InvalidRequest, match="was changed"):
        Shelf(tmp_path).find(run.report.digest)
