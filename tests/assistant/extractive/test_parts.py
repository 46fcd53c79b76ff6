from assistant.extractive.parts import first, questions


def test_a_single_question_is_itself() -> None:
    assert questions("What is the overdraft fee?") == ["What is the overdraft fee?"]


def test_what_is_told_is_kept_apart_from_what_is_asked() -> None:
    assert questions("I lost my card. What does a replacement card cost?") == [
        "I lost my card. What does a replacement card cost?",
        "What does a replacement card cost?",
    ]


def test_two_questions_in_one_sentence_are_two() -> None:
    assert questions("What is the origination fee, and how long does the rate lock last?")[1:] == [
        "What is the origination fee?",
        "how long does the rate lock last?",
    ]


def test_a_question_about_two_things_is_asked_of_each() -> None:
    assert questions("What is the monthly fee of Premier Checking and of Wrenfield Savings?")[1:] == [
        "What is the monthly fee of Premier Checking?",
        "What is the monthly fee of Wrenfield Savings?",
    ]


def test_a_part_that_points_back_is_not_asked_alone() -> None:
    assert questions("How many withdrawals are free, and how much is it then?")[1:] == [
        "How many withdrawals are free?"
    ]


def test_a_wish_is_a_question() -> None:
    assert questions("Where do I write? I need the mailing address.")[1:] == ["I need the mailing address?"]


def test_the_first_clause_stands_for_the_topic() -> None:
    assert first("When is my payment due and how much is it?") == "When is my payment due"
    assert first("What is the fee?") == "What is the fee?"
