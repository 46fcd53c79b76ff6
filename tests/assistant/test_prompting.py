"""What is the same for everybody comes first, byte for byte; everything else stands after it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from assistant.prompting import corrected, prefix, prompt
from opsplane.evidence import Sentence
from opsplane.exchange import Earlier
from opsplane.finding import Action, Finding
from opsplane.guardrails import canary
from opsplane.parts import Refusal
from tests import fakes

TODAY = date(2026, 11, 23)
RELEASE = fakes.release(
    prompt={
        "system": "You answer from the sources only.",
        "examples": [{"question": "Q?", "answer": "A. [1]"}, {"question": "R?", "answer": "B. [2]"}],
    },
    style={"sentences": 3, "opening": "Thank you."},
)


def written(messages: Sequence[BaseMessage]) -> list[tuple[str, Any]]:
    """Who says what."""
    return [(message.type, message.content) for message in messages]


@given(
    customer=st.text(min_size=1, max_size=20),
    words=st.text(max_size=200),
    days=st.integers(0, 4_000),
    care=st.lists(st.sampled_from(["fraud", "bereavement"]), unique=True),
    earlier=st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=3),
)
def test_the_beginning_is_the_same_for_all_customers_questions_and_days(
    customer: str, words: str, days: int, care: list[str], earlier: list[tuple[str, str]]
) -> None:
    asked = fakes.question(
        words,
        customer=customer,
        care=tuple(care),
        earlier=tuple(Earlier(question=question, answer=answer) for question, answer in earlier),
    )
    messages = prompt(asked, (fakes.passage(text=words or "x"),), RELEASE, TODAY + timedelta(days=days))
    stable = prefix(RELEASE)
    assert written(messages[: len(stable)]) == written(stable)
    assert len(messages) == len(stable) + 2 * len(earlier) + 1


def test_it_holds_the_releases_words_and_nothing_of_the_day() -> None:
    first, *examples = prefix(RELEASE)
    assert isinstance(first, SystemMessage)
    assert first.text.startswith("You answer from the sources only.\nAnswer in at most 3 sentences.")
    assert canary.token(RELEASE) in first.text
    assert "Today" not in first.text
    assert [message.text for message in examples] == ["Q?", "A. [1]", "R?", "B. [2]"]


def test_another_release_begins_in_another_way() -> None:
    other = RELEASE.model_copy(update={"note": "another"})
    assert written(prefix(other)) != written(prefix(RELEASE))  # its confidentiality mark is its own


def test_date_and_care_stand_in_the_last_turn() -> None:
    last = prompt(fakes.question(care=("fraud",)), (fakes.passage(),), RELEASE, TODAY)[-1]
    assert isinstance(last, HumanMessage)
    assert last.text.startswith("Today is 2026-11-23. The customer is in trouble (fraud): be calm and kind")


def test_a_correction_begins_in_the_same_way() -> None:
    wrong = Finding(code="grounding.number", action=Action.WITHHOLD, stage="answer", detail="no source says it")
    refusal = Refusal(sentence=Sentence(text="It is $9.", cites=(1,)), findings=(wrong,))
    messages = corrected(refusal, fakes.question(), (fakes.passage(),), RELEASE, TODAY)
    assert written(messages[: len(prefix(RELEASE))]) == written(prefix(RELEASE))
    assert messages[-1].text.startswith("One sentence of your answer was refused: It is $9. [1]")
