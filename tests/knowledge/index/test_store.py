"""The contract of a store of vectors, kept by all three."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from knowledge.index.store import Collection, Contents, Near, Store, Unanswered
from tests.knowledge.index.conftest import CONTENTS, DRAW, VECTORS, Place, nothing

SOME = Contents(VECTORS[:50], CONTENTS.hashes[:50], "drawn")


def written(store: Store, contents: Contents = SOME, name: str = "base-1") -> Collection:
    store.write(name, contents, nothing)
    held = store.open(name)
    assert held
    return held


def near(held: Collection, vector: np.ndarray, count: int) -> Near:
    found = held.nearest(vector, count)
    assert isinstance(found, Near), found
    return found


def test_the_nearest_rows_come_first_with_their_cosines(store: Store) -> None:
    held = written(store)
    asked = (0.8 * VECTORS[3] + 0.6 * VECTORS[1]).astype(np.float32)
    asked /= np.linalg.norm(asked)
    found = near(held, asked, 3)
    assert found.rows[:2].tolist() == [3, 1]
    assert found.cosines == pytest.approx(VECTORS[found.rows] @ asked, abs=1e-5)


def test_most_of_the_nearest_of_thousands_are_found(store: Store) -> None:
    held = written(store, CONTENTS)
    shares = []
    for asked in DRAW.permutation(VECTORS)[:12]:
        exact = np.argsort(-(VECTORS @ asked))[:20]
        shares.append(len(set(near(held, asked, 20).rows.tolist()) & set(exact.tolist())) / 20)
    assert np.mean(shares) >= 0.95


def test_it_holds_what_was_written_and_tells_it(store: Store) -> None:
    held = written(store)
    assert held.size == 50
    assert held.ids() == {str(row) for row in range(50)}
    told = held.vectors(np.array([40, 0, 77]))
    assert told[:2] == pytest.approx(VECTORS[[40, 0]], abs=1e-6)
    assert np.isnan(told[2]).all()


def test_no_more_is_found_than_there_is(store: Store) -> None:
    found = near(written(store), VECTORS[0], 200)
    assert sorted(found.rows.tolist()) == list(range(50))


def test_what_is_discarded_is_gone_and_an_open_one_says_so(store: Store, place: Place) -> None:
    held = written(store)
    written(store, name="base-2")
    assert store.names() == {"base-1", "base-2"}
    for _ in range(2):
        store.discard("base-1")
    assert store.names() == {"base-2"}
    found = held.nearest(VECTORS[0], 1)
    assert isinstance(found, Unanswered)
    assert found.why
    store.discard("base-2")
    assert store.names() == set()
    assert store.holdings() == []


def test_a_run_that_was_cut_off_is_carried_on(place: Place, tmp_path: Path) -> None:
    def cut_off(stage: str, done: int, _total: int) -> None:
        if stage == "indexing" and done >= 1_000:
            raise KeyboardInterrupt

    with closing(place.opener()(tmp_path)) as first, pytest.raises(KeyboardInterrupt):
        first.write("base-1", CONTENTS, cut_off)
    with closing(place.opener()(tmp_path)) as second:
        assert second.names() == {"base-1"}
        assert written(second, CONTENTS).ids() == {str(row) for row in range(len(VECTORS))}
        if place.cloud:
            assert place.writes == len(VECTORS)  # nothing twice


def test_writing_again_what_is_complete_changes_nothing(store: Store, place: Place) -> None:
    written(store)
    assert written(store).size == 50
    if place.cloud:
        assert place.writes == 50


def test_two_libraries_do_not_see_each_other(place: Place, tmp_path: Path) -> None:
    with closing(place.opener()(tmp_path / "a")) as one, closing(place.opener()(tmp_path / "b")) as other:
        written(one)
        written(other, name="base-2")
        assert (one.names(), other.names()) == ({"base-1"}, {"base-2"})
        one.discard("base-2")
        assert other.names() == {"base-2"}
