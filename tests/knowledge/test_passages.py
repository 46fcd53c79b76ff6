import numpy as np
import pytest

from knowledge.passages import Assembly, Layout, Ranked, Shape, assemble

LAYOUT = Layout(document=np.array([0, 0, 0, 0, 1, 1, 2, 2]), length=np.array([600] * 8))
ALONE = Shape(count=3, size=600)


def ranked(**scores: float) -> Ranked:
    """Candidates by position ("c4"), each with a vector of its own."""
    places = [int(name[1:]) for name in scores]
    return Ranked(np.array(places), np.array(list(scores.values()), np.float32), np.eye(8, dtype=np.float32)[places])


def spans(made: Assembly) -> list[tuple[int, int]]:
    return [(passage.first, passage.last) for passage in made.passages]


def test_a_chunk_is_joined_by_its_neighbours_up_to_the_size() -> None:
    made = assemble([ranked(c1=0.9, c0=0.1, c2=0.5)], LAYOUT, Shape(count=1, size=1_200))
    assert spans(made) == [(1, 2)]
    assert made.reasons == {
        1: "in passage 1",
        2: "in passage 1, as a neighbour",
        0: "other chunks scored higher: 1 passages are used",
    }


def test_neighbours_of_another_document_do_not_join() -> None:
    assert spans(assemble([ranked(c4=0.9)], LAYOUT, Shape(size=9_000))) == [(4, 5)]


def test_no_chunk_is_in_two_passages() -> None:
    made = assemble([ranked(c0=0.9, c1=0.8, c3=0.7)], LAYOUT, Shape(size=1_200))
    assert spans(made) == [(0, 1), (2, 3)]


def test_a_document_that_was_used_stands_back_a_little() -> None:
    close, far = ranked(c0=0.9, c2=0.81, c4=0.80), ranked(c0=0.9, c2=0.85, c4=0.80)
    assert spans(assemble([close], LAYOUT, ALONE)) == [(0, 0), (4, 4), (2, 2)]
    assert spans(assemble([far], LAYOUT, ALONE)) == [(0, 0), (2, 2), (4, 4)]


def test_what_says_nearly_the_same_is_left_out_and_told() -> None:
    same = ranked(c0=0.9, c4=0.8, c6=0.7)
    same.vectors[1] = same.vectors[0]
    made = assemble([same], LAYOUT, ALONE)
    assert spans(made) == [(0, 0), (6, 6)]
    assert made.reasons[4] == "says nearly the same as passage 1"


def test_the_whole_question_and_its_parts_take_turns() -> None:
    whole, first, second = ranked(c0=0.9, c1=0.8), ranked(c0=0.9, c2=0.8), ranked(c4=0.4, c6=0.3)
    made = assemble([whole, first, second], LAYOUT, Shape(count=5, size=600))
    assert [(passage.best, passage.part) for passage in made.passages] == [(0, 0), (2, 1), (4, 2), (1, 0), (6, 2)]


def test_the_parts_of_a_question_want_several_documents() -> None:
    both = ranked(c0=0.9, c2=0.88, c4=0.83)
    made = assemble([both, ranked(c0=0.9, c2=0.88, c4=0.83)], LAYOUT, Shape(count=2, size=600))
    assert [passage.best for passage in made.passages] == [0, 4]


def test_a_part_without_candidates_leaves_its_turn_to_the_others() -> None:
    made = assemble([ranked(c0=0.9), ranked(), ranked(c4=0.4)], LAYOUT, ALONE)
    assert [passage.best for passage in made.passages] == [0, 4]


@pytest.mark.parametrize("count", [1, 3, 6])
def test_never_more_passages_than_are_wanted(count: int) -> None:
    every = ranked(**{f"c{place}": 0.5 for place in range(8)})
    assert len(assemble([every, every], LAYOUT, Shape(count=count, size=1)).passages) == count


def test_nothing_found_is_no_passage() -> None:
    assert assemble([ranked()], LAYOUT, Shape()) == Assembly()
