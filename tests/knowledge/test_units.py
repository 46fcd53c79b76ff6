from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import units
from knowledge.units import Boundary

TABLE = "| Service | Fee |\n|---|---|\n| Wire | $25 |\n| Card | $0 |"


def words(text: str) -> int:
    return len(text.split())


def boundaries(text: str) -> list[int]:
    return [unit.boundary for unit in units.of(text, 50, words)]


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab c.\n(1)é"), max_size=400), st.integers(min_value=3, max_value=20))
def test_units_fit_and_lose_no_word(text: str, largest: int) -> None:
    made = units.of(text, largest, words)
    assert all(unit.tokens <= largest for unit in made)
    assert units.join(made).split() == text.split() or any(len(word) > largest for word in text.split())


def test_an_outer_paragraph_is_a_better_place_to_cut_than_an_inner_one() -> None:
    outer, inner, deeper = boundaries("(a) One.\n\n(1) Two.\n\n(i) Three.")
    assert Boundary.NUMBERED <= outer < inner < deeper < Boundary.PARAGRAPH


def test_an_i_after_an_h_is_a_letter() -> None:
    assert boundaries("(h) Eight.\n\n(i) Nine.") == [Boundary.NUMBERED, Boundary.NUMBERED]


def test_a_lost_mark_changes_nothing_behind_the_next_letter() -> None:
    whole = boundaries("(a) A.\n\n(1) B.\n\n(b) C.\n\n(1) D.")
    assert boundaries("A.\n\n(1) B.\n\n(b) C.\n\n(1) D.")[1:] == whole[1:]


def test_the_first_item_is_held_by_the_words_that_open_its_list() -> None:
    _, first, second = boundaries("The bank may charge:\n\n(1) a fee;\n\n(2) interest.")
    assert first == second + Boundary.INSIDE


def test_each_row_knows_the_head_of_its_table() -> None:
    rows = units.of(f"Fees\n\n{TABLE}\n\nEnd.", 50, words)[1:3]
    assert {row.header for row in rows} == {"| Service | Fee |\n|---|---|"}
    assert units.join(rows) == TABLE
    assert units.size(rows) == words(TABLE)


def test_a_head_that_fills_the_room_is_not_repeated() -> None:
    wide = f"| {' | '.join('abcdefghij')} |\n|---|\n| x |"
    (row,) = units.of(wide, 12, words)
    assert row.header == ""
