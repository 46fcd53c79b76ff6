from datetime import date

from assistant.extractive.choice import choose, score
from assistant.sources import Source
from tests.assistant.models import WordCounts

TODAY = date(2026, 11, 23)
FEES = (
    "The overdraft fee is $15 for each item. It is charged at most 3 times a day. "
    "No overdraft fee is charged when the account is overdrawn by $20 or less.\n\n"
    "A stop payment costs $30 in a branch. Branches are closed on Sundays."
)


def source(number: int, text: str, kind: str = "fees", section: str = "") -> Source:
    return Source(number, "Terms", section, kind, "2026-07-01", text)


def chosen(question: str, *sources: Source, most: int = 3) -> list[str]:
    return [one.text for one in choose(question, sources, WordCounts(), most, TODAY)]


def test_the_sentence_that_answers_is_chosen() -> None:
    assert chosen("What does a stop payment cost?", source(1, FEES), most=1) == [
        "A stop payment costs $30 in a branch."
    ]


def test_what_no_source_answers_is_left_unanswered() -> None:
    assert chosen("Do you sell pet insurance for hamsters?", source(1, FEES)) == []


def test_no_sources_no_answer() -> None:
    assert chosen("What is the overdraft fee?") == []
    assert score("What is the overdraft fee?", [], WordCounts(), TODAY) == []


def test_no_more_than_the_wanted_number_is_said() -> None:
    for most in (1, 2):
        assert 1 <= len(chosen("What is the overdraft fee and when is it charged?", source(1, FEES), most=most)) <= most


def test_a_sentence_that_leans_on_the_one_before_never_comes_alone() -> None:
    said = chosen("How many times a day is the overdraft fee charged at most?", source(1, FEES))
    at = said.index("It is charged at most 3 times a day.")
    assert said[at - 1] == "The overdraft fee is $15 for each item."


def test_the_same_sentence_of_two_sources_is_said_once() -> None:
    said = chosen("What does a stop payment cost?", source(1, FEES), source(2, FEES))
    assert said.count("A stop payment costs $30 in a branch.") == 1


def test_marketing_gives_way_to_terms() -> None:
    leaflet = source(1, "The overdraft fee is $29 for each item.", kind="marketing")
    terms = source(2, "The overdraft fee is $15 for each item.")
    assert chosen("What is the overdraft fee for each item?", leaflet, terms, most=1) == [
        "The overdraft fee is $15 for each item."
    ]


def test_a_fee_of_another_time_is_not_said() -> None:
    text = "The overdraft fee is $15.\n\nUntil June 30, 2026 the overdraft fee was $29."
    assert chosen("What is the overdraft fee?", source(1, text)) == ["The overdraft fee is $15."]


def test_an_example_comes_after_the_rule() -> None:
    text = "Example: Lena pays a monthly fee of $4 in May.\n\nThe monthly fee is $4."
    assert chosen("What is the monthly fee?", source(1, text), most=1) == ["The monthly fee is $4."]


def test_a_table_row_may_answer() -> None:
    table = "| Service | Fee |\n|---|---|\n| Money order | $5 |\n| Copies | $2 |"
    assert chosen("What is the fee for a money order?", source(1, table), most=1) == ["Money order — fee: $5."]


def test_a_slip_of_the_pen_is_forgiven() -> None:
    text = "The early withdrawal penalty is 90 days' interest.\n\nBranches are open on Saturdays."
    assert chosen("early withdrawl penalty?", source(1, text), most=1) == [
        "The early withdrawal penalty is 90 days' interest."
    ]


def test_a_question_about_two_things_is_answered_about_both() -> None:
    text = (
        "The monthly fee of Premier Checking is $20.\n\nThe monthly fee of Wrenfield Savings is $4.\n\nCoins are free."
    )
    said = chosen("What is the monthly fee of Premier Checking and of Wrenfield Savings?", source(1, text), most=2)
    assert said == ["The monthly fee of Premier Checking is $20.", "The monthly fee of Wrenfield Savings is $4."]


def test_statements_come_in_the_order_of_the_sources() -> None:
    chosen_ = choose("What is the overdraft fee?", [source(1, FEES), source(2, "An overdraft fee is posted at night.")],
                     WordCounts(), 3, TODAY)  # fmt: skip
    places = [(one.source.number, one.place) for one in chosen_]
    assert places == sorted(places)


def test_a_sentence_about_the_other_direction_gives_way() -> None:
    text = "The outgoing domestic wire fee is $25.\n\nThe incoming domestic wire fee is $0."
    assert chosen("What is the incoming domestic wire fee?", source(1, text), most=1) == [
        "The incoming domestic wire fee is $0."
    ]


def test_todays_figure_is_not_given_for_another_time() -> None:
    assert chosen("What was the overdraft fee in March 2026?", source(1, FEES)) == []
    told = source(1, "Until June 30, 2026 the overdraft fee was $29.\n\nThe overdraft fee is $15.")
    assert chosen("What was the overdraft fee in March 2026?", told) == [
        "Until June 30, 2026 the overdraft fee was $29."
    ]


def test_an_example_comes_whole_or_not_at_all() -> None:
    text = "Example: Lena orders a money order for $900. It costs her $5. She pays $905 in all."
    said = chosen("What does a money order for $900 cost?", source(1, text))
    assert len(said) in {0, 3}
    assert chosen("What does a money order for $900 cost?", source(1, text), most=2) == []
