import csv
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from opsplane.finding import Action
from opsplane.guardrails.scope import Head, Scope
from opsplane.release import Release
from tests import fakes

DATA = Path(os.environ.get("OPSPLANE_BENCH_DATA", Path(__file__).parents[4] / "shared" / "data"))


def code(text: str, scope: Scope, release: Release, cosine: float | None = None) -> str:
    evidence = [] if cosine is None else [fakes.passage(cosine=cosine)]
    return next((finding.code for finding in scope.judge(text, evidence, release)), "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hi", "greeting"),
        ("Good morning!", "greeting"),
        ("Thanks a lot", "thanks"),
        ("thank you so much", "thanks"),
        ("hola", "greeting"),
        ("gracias!", "thanks"),
        ("What can you do?", "help"),
        ("help", "help"),
        ("I want to talk to a human", "person"),
        ("agent please", "person"),
        ("Can I speak to a real person about my mortgage?", "person"),
        ("please connect me to a representative, the chat does not help", "person"),
    ],
)
def test_courtesies_and_calls_for_help_get_their_reply(text: str, kind: str, scope: Scope, release: Release) -> None:
    [finding] = scope.judge(text, [], release)
    assert (finding.code, finding.action, finding.reply) == (f"scope.{kind}", Action.REPLY, kind)


@pytest.mark.parametrize(
    "text",
    [
        "Hi, what is my balance?",
        "Thanks, and what about savings?",
        "Hello I lost my card",
        "Help me pay off my loan",
        "Can a person under 18 open an account?",
        "Is there an agent for wire transfers abroad?",
    ],
)
def test_a_courtesy_with_a_question_is_a_question(text: str, scope: Scope, release: Release) -> None:
    assert code(text, scope, release) == ""


@pytest.mark.parametrize(
    "text", ["What's the weather in Paris?", "Write me a poem", "Who won the Super Bowl?", "How do I boil an egg?"]
)
def test_off_topic_questions_are_declined(text: str, scope: Scope, release: Release) -> None:
    [finding] = scope.judge(text, [fakes.passage(cosine=0.1)], release)
    assert (finding.code, finding.action, finding.reply) == ("scope.off_topic", Action.DECLINE, "out_of_scope")
    assert finding.score is not None
    assert finding.score >= release.guardrails.scope == finding.threshold
    assert finding.pack == "scope-retail-us 2026.2"


def test_a_close_passage_saves_a_strange_question(scope: Scope, release: Release) -> None:
    assert code("Who won the Super Bowl?", scope, release, cosine=0.7) == ""


def test_a_bank_question_that_no_document_answers_goes_on(scope: Scope, release: Release) -> None:
    assert code("Do you offer a gold coin savings plan?", scope, release, cosine=0.05) == ""


def test_who_asks_for_a_person_is_handed_to_one(scope: Scope, release: Release) -> None:
    [finding] = scope.judge("I need to talk to a human", [], release)
    assert finding.person
    assert code("Who is the agent on my power of attorney?", scope, release) == ""


@pytest.mark.parametrize(
    ("text", "kind", "least", "most"),
    [
        ("Who won the Super Bowl?", "off_topic", 0.9, 1.0),
        ("What does a wire cost?", "in_scope", 0.0, 0.2),
        ("hi there", "greeting", 0.0, 0.0),
        ("", "in_scope", 0.0, 0.0),
    ],
)
def test_every_message_has_a_kind_and_a_certainty(
    text: str, kind: str, least: float, most: float, scope: Scope, release: Release
) -> None:
    told, certainty = scope.measure(text, [], release)
    assert told == kind
    assert least <= certainty <= most


def test_the_milder_witness_counts(scope: Scope, release: Release) -> None:
    certainties = [
        scope.measure("Who won the Super Bowl?", [fakes.passage(cosine=cosine)], release)[1]
        for cosine in (0.1, 0.5, 0.6, 0.8)
    ]
    assert certainties == sorted(certainties, reverse=True)
    assert certainties[-1] == 0


def test_a_head_for_other_vectors_has_no_say() -> None:
    head = Head(np.ones(4, np.float32), -1.0)
    assert head.logit(np.ones(4, np.float32)) == 3.0
    assert head.logit(np.ones(5, np.float32)) == 0.0


def test_a_higher_threshold_lets_more_pass(scope: Scope, release: Release) -> None:
    lenient = release.model_copy(update={"guardrails": release.guardrails.model_copy(update={"scope": 1.0})})
    assert code("How long is winter in Norway?", scope, release) == "scope.off_topic"
    assert code("I prefer Mastercard", scope, lenient) == ""


def test_without_exemplars_nothing_is_judged(scope: Scope, release: Release) -> None:
    bare = release.model_copy(update={"guardrails": release.guardrails.model_copy(update={"scope_exemplars": None})})
    assert scope.judge("Who won the Super Bowl?", [], bare) == []


def test_exemplars_are_embedded_once(release: Release) -> None:
    sizes: list[int] = []

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        sizes.append(len(texts))
        return np.eye(len(texts), 8, dtype=np.float32)

    scope = Scope(encode)
    scope.judge("one question", [], release)
    scope.judge("another question", [], release)
    assert sizes[-1] == 1
    assert sum(size > 1 for size in sizes) == 6


def test_public_bank_questions_pass_and_everyday_requests_do_not(scope: Scope, release: Release) -> None:
    """A sample; benchmarks/guardrails.py measures the whole sets."""
    if not (DATA / "banking77").is_dir():
        pytest.skip(f"{DATA} holds no banking77")
    draw = random.Random(1)
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8") as file:
        bank = draw.sample([row["text"] for row in csv.DictReader(file)], 150)
    rows = json.loads((DATA / "clinc150" / "data_train_val.json").read_text(encoding="utf-8"))
    strange = draw.sample([text for text, _ in rows["oos_train"] + rows["oos_val"]], 100)
    assert sum(not code(text, scope, release) for text in bank) >= 0.95 * len(bank)
    assert sum(code(text, scope, release) == "scope.off_topic" for text in strange) >= 0.9 * len(strange)


def test_a_question_that_a_tool_could_answer_is_sooner_tried(release: Release, scope: Scope) -> None:
    text = "Have I bought anything at Ikea?"
    fitting = Scope(scope._encode, lambda _: True)
    assert fitting.measure(text, [], release)[1] < scope.measure(text, [], release)[1]


def test_who_asks_when_people_can_be_reached_is_no_case_for_a_person(release: Release, scope: Scope) -> None:
    text = "on weekdays what hours can I call and talk to an employee?"
    assert [one.code for one in scope.judge(text, [], release)] != ["scope.person"]
    assert [one.code for one in scope.judge("I want to talk to an employee", [], release)] == ["scope.person"]
