"""Topics: nearest by their examples, and the file that lays them down."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from opsplane import topics
from opsplane.errors import InvalidRelease
from opsplane.guardrails.rails import Rails
from opsplane.guardrails.scope import Scope
from opsplane.ledger.store import Ledger
from opsplane.topics import OTHER, Examples, Topics
from opsplane.turn import govern
from tests import fakes
from tests.opsplane import test_turn as turn

WORDS = ("card", "wire", "loan")
EXAMPLES = Examples.model_validate(
    {"version": 1, "floor": 0.5, "topics": {f"{one}s": [f"{one} {n}" for n in "abc"] for one in WORDS}}
)


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """A direction for each word, and one for all others."""
    rows = np.array([[float(one in text) for one in WORDS] + [0.1] for text in texts], np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize(("text", "topic"), [("my card", "cards"), ("a wire abroad", "wires"), ("the loan", "loans")])
def test_a_question_belongs_to_the_nearest_examples(text: str, topic: str) -> None:
    assert Topics(encode, EXAMPLES).of(text) == topic


@pytest.mark.parametrize("text", ["", "  \n", "a recipe for bread"])
def test_what_is_near_no_example_is_about_something_else(text: str) -> None:
    examples = EXAMPLES.model_copy(update={"floor": 0.6})
    assert Topics(encode, examples).of(text) == OTHER


def test_a_hostile_question_is_read_up_to_a_length() -> None:
    read: list[str] = []

    def spy(texts: Sequence[str]) -> NDArray[np.float32]:
        read.extend(texts)
        return encode(texts)

    assert Topics(spy, EXAMPLES).of("card " * 1_000_000) == "cards"
    assert max(map(len, read)) == 2_000


def test_our_own_file_has_ten_topics_or_so_with_enough_examples() -> None:
    ours = topics.load()
    assert 8 <= len(ours.topics) <= 12
    assert all(8 <= len(texts) <= 15 for texts in ours.topics.values())
    assert len(set(ours.texts)) == len(ours.texts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nfloor: 2\ntopics: {a: [x]}\n", "line 2: floor"),
        ("version: 1\nfloor: 0.3\ntopics:\n  Cards: [abc, abd, abe]\n  loans: [abc, abd, abe]\n", "line 4: topics"),
        ("version: 1\nfloor: 0.3\ntopics:\n  cards: [abc]\n  loans: [abc, abd, abe]\n", "line 4: topics.cards"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "topics.yaml"
    file.write_text(text)
    with pytest.raises(InvalidRelease, match=message):
        topics.load(file)


async def test_a_turn_puts_the_topic_on_the_record(ledger: Ledger) -> None:
    whole = turn.parts(ledger, fakes.Script([turn.GOOD]))
    rails = Rails(Scope(turn.encode), topics=Topics(encode, EXAMPLES))
    exchange = await govern(fakes.question("Is there a card fee?"), replace(whole, rails=rails), fakes.Witness())
    assert exchange.topic == "cards"
    ledger.settle()
    [entry] = ledger.follow(0, ["question_answered"], 1)
    assert entry.payload["exchange"]["topic"] == "cards"  # readable without a key, and after an erasure


async def test_without_topics_a_turn_has_none(ledger: Ledger) -> None:
    exchange = await govern(fakes.question(), turn.parts(ledger, fakes.Script([turn.GOOD])), fakes.Witness())
    assert exchange.topic == ""
