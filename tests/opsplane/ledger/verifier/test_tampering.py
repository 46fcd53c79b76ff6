"""Every kind of tampering is found, and located."""

import random
from collections.abc import Callable

import pytest

from benchmarks.tampering import TAMPERINGS, Author, Mark, Record, one_in, tamper

AUTHOR = Author(1)
RECORD = AUTHOR.record(120, 25)
OF = {kind.__name__: kind for kind in TAMPERINGS}


@pytest.mark.parametrize("kind", OF.values(), ids=list(OF))
@pytest.mark.parametrize("seed", range(12))
def test_it_is_found_and_located(kind: Callable[[Record, random.Random], tuple[Record, Mark]], seed: int) -> None:
    tampered, mark = kind(RECORD, random.Random(seed))
    violations = tampered.verify().violations
    assert violations
    assert mark.located(violations), (mark, violations)


def test_the_mark_is_not_content_with_just_any_place() -> None:
    tampered, mark = OF["change"](RECORD, random.Random(1))
    assert mark.at is not None
    assert not Mark(mark.at + 1).located(tampered.verify().violations)
    assert not Mark(mark.at).located(())


def test_the_benchmark_counts_each_kind() -> None:
    tallies = tamper(RECORD, 2 * len(TAMPERINGS), random.Random(1))
    assert {(one.times, one.found, one.located) for one in tallies.values()} == {(2, 2, 2)}


def test_one_changed_bit_among_many_entries_is_the_only_violation() -> None:
    number, report = one_in(AUTHOR, 3000, random.Random(4))
    assert [(one.code, one.row) for one in report.violations] == [("entry.changed", number)]
