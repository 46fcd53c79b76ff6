import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from assistant import prompting
from opsplane.evaluation import layout, rubric, ruling
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.scorers import prompt as prompts
from opsplane.evaluation.scorers.ragas_model import Questions, Statements, Verdicts
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.parts import Refusal
from tests import fakes
from tests.assistant.models import WordCounts
from tests.vertex.answering import NOT_THERE, Answering
from tests.vertex.clients import FLASH, PRO, TEXTS
from tests.vertex.gemini_request import Asked, text_of

TODAY = fakes.NOON.date()


def turns(messages: list[BaseMessage]) -> Asked:
    """Messages as a request has them."""
    roles = {HumanMessage: "user", AIMessage: "model"}
    contents = [{"role": roles[type(one)], "parts": [{"text": one.text}]} for one in messages[1:]]
    return Asked(model=FLASH, contents=contents, system=str(messages[0].text))


def judged(system: str, user: str) -> Any:
    """What a judge's prompt is answered with."""
    asked = Asked(model=PRO, contents=[{"role": "user", "parts": [{"text": user}]}], system=system)
    return Answering(WordCounts()).reply(asked).text


def matter(*texts: str) -> Matter:
    sentences = tuple(Sentence(text=one, cites=(1,)) for one in texts)
    return Matter("What is the overdraft fee?", sentences, (fakes.passage(),), Outcome.ANSWERED)


def test_the_products_own_prompt_is_answered_from_its_passages() -> None:
    passages = [fakes.passage(number, text) for number, text in enumerate(TEXTS, 1)]
    messages = prompting.prompt(fakes.question(), passages, fakes.release(), TODAY)
    assert "The overdraft fee is $15 for each item. [1]" in Answering(WordCounts()).reply(turns(messages)).text


def test_equal_prompts_are_read_once() -> None:
    words = WordCounts()
    answering = Answering(words)
    messages = prompting.prompt(fakes.question(), [fakes.passage(text=TEXTS[0])], fakes.release(), TODAY)
    first = answering.reply(turns(messages))
    read = words.texts
    assert answering.reply(turns(messages)) == first
    assert words.texts == read > 0


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ("The overdraft fee is always $15 for each single item.", "The overdraft fee is $15 for each item. [1]"),
        ("Pigeons carry letters to distant mountains.", ""),
        (NOT_THERE, ""),
    ],
)
def test_a_refused_sentence_is_put_right_by_a_source_or_left_out(said: str, again: str) -> None:
    finding = Finding(code="grounding.words", action=Action.WITHHOLD, stage="answer", detail="no source says so")
    refusal = Refusal(Sentence(text=said, cites=(1,)), (finding,))
    texts = (*TEXTS, "Questions and answers about our sources are free.")
    passages = [fakes.passage(number, text) for number, text in enumerate(texts, 1)]
    messages = prompting.corrected(refusal, fakes.question(), passages, fakes.release(), TODAY)
    assert Answering(WordCounts()).reply(turns(messages)).text == again


def test_our_rubric_is_graded_in_its_form_and_the_better_answer_higher() -> None:
    wanted = rubric.load_all()["answer"]
    found = []
    for text in ("The fee is $15 for each item.", "Elephants never forget a birthday party."):
        asked = layout.ask(wanted, *layout.of(matter(text)))
        found.append(ruling.grades(judged(asked.system, asked.user), wanted, asked.check).scores)
    assert found[0]["accuracy"] > found[1]["accuracy"]


def test_a_pair_is_compared_in_its_form() -> None:
    wanted = rubric.load_all()["preference"]
    texts, _ = layout.of_pair(matter("The fee is $15 for each item."), matter("Elephants never forget a birthday."))
    asked = layout.ask(wanted, texts)
    assert ruling.preference(judged(asked.system, asked.user), asked.check).preferred == "first"


@pytest.mark.parametrize(
    ("name", "about", "form"),
    [
        ("ragas_statements", [("answer", "It costs $15. It is due at once.")], Statements),
        ("ragas_questions", [("answer", "It costs $15.")], Questions),
        ("ragas_verdicts", [("source 1", "It costs $15."), ("claims", "1. It costs $15.\n2. It rains.")], Verdicts),
        ("ragas_useful", [("right answer", "It costs $15."), ("passage 1", "It costs $15.")], Verdicts),
    ],
)
def test_what_ragas_asks_is_answered_in_its_form(name: str, about: list[tuple[str, str]], form: Any) -> None:
    system, user, check = prompts.load(name).about(about)
    assert form.model_validate_json(judged(system, user)).check == check


def test_verdicts_go_by_the_sources() -> None:
    about = [("source 1", "It costs $15 a month."), ("claims", "1. It costs $15.\n2. Elephants never forget.")]
    system, user, _ = prompts.load("ragas_verdicts").about(about)
    assert [one["holds"] for one in json.loads(judged(system, user))["verdicts"]] == [True, False]


def test_thoughts_are_no_words() -> None:
    assert text_of({"parts": [{"text": "hm", "thought": True}, {"text": "Yes."}]}) == "Yes."
