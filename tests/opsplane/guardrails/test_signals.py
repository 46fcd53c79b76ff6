import time

import pytest

from opsplane import yamlfile
from opsplane.errors import InvalidRelease
from opsplane.finding import Action, Finding
from opsplane.guardrails import signals
from opsplane.guardrails.signals import Signals
from opsplane.release import Release

SIGNAL = """
id: some
version: "1"
signals:
  - code: signal.moon
    title: speaks of the moon
    because: nothing
    action: note
    reply: moon
    patterns: ['PATTERN']
    fires: [FIRES]
    passes: [sun 1, sun 2, sun 3, sun 4, sun 5, sun 6, sun 7, sun 8, sun 9, s 1, s 2, s 3, s 4, s 5, s 6]
"""
MOONS = ", ".join(f"moon {number}" for number in range(15))


@pytest.fixture(scope="module")
def worded(release: Release) -> Release:
    """The release with every reply that a signal names."""
    replies = {one.reply: f"The {one.reply} reply." for one in signals.pack().signals}
    return release.model_copy(update={"replies": {**replies, **release.replies}})


def only(text: str, release: Release) -> Finding:
    [finding] = signals.findings(text, release)
    return finding


def test_what_fires_only_fires_where_the_release_words_the_reply(worded: Release) -> None:
    text = "My account was hacked"
    rest = {name: words for name, words in worded.replies.items() if name != "fraud"}
    assert signals.findings(text, worded.model_copy(update={"replies": rest})) == []
    finding = only(text, worded)
    assert (finding.code, finding.action, finding.reply) == ("signal.fraud", Action.PREFACE, "fraud")
    assert finding.person
    assert finding.pack == "signals-us 2026.1"


@pytest.mark.parametrize(
    ("text", "code", "action", "person"),
    [
        ("I don't want to live any more", "signal.self_harm", Action.REPLY, True),
        ("I'll shoot your manager", "abuse.threat", Action.REPLY, True),
        ("How could I launder some money with you?", "misuse.crime", Action.DECLINE, False),
        ("My mom died in May", "signal.bereavement", Action.PREFACE, False),
        ("I got laid off and can't make my car payment", "signal.hardship", Action.PREFACE, False),
        ("My husband won't let me have my own bank account", "signal.coercion", Action.PREFACE, True),
        ("I'm really unhappy with your branch", "signal.complaint", Action.PREFACE, False),
    ],
)
def test_each_signal_does_what_it_should(text: str, code: str, action: Action, person: bool, worded: Release) -> None:
    finding = only(text, worded)
    assert (finding.code, finding.action, finding.person) == (code, action, person)


def test_an_insult_alone_is_met_and_beside_a_question_noted(worded: Release) -> None:
    alone = only("You are such an idiot", worded)
    beside = only("You idiot, what does a wire cost?", worded)
    assert (alone.action, alone.reply) == (Action.REPLY, "abuse")
    assert (beside.action, beside.reply) == (Action.NOTE, "")


@pytest.mark.parametrize(
    "text",
    [
        "kill my card",
        "my account was frozen to death",
        "I'm dying to know my balance",
        "How do I report fraud in general?",
        "What is the fee for a late payment?",
        "Can I shoot you a message in the app?",
        "What happens to the mortgage if my wife dies?",
    ],
)
def test_ordinary_questions_tell_nothing(text: str, worded: Release) -> None:
    assert signals.findings(text, worded) == []


def test_the_gravest_comes_first(worded: Release) -> None:
    text = "This is unacceptable. I lost my job. My husband died. I want to die."
    assert [finding.code for finding in signals.findings(text, worded)] == [
        "signal.self_harm",
        "signal.bereavement",
        "signal.hardship",
        "signal.complaint",
    ]


def test_personal_data_in_the_words_is_masked(worded: Release) -> None:
    finding = only("I gave my PIN and 4242 4242 4242 4242 to a scammer", worded)
    assert "4242 4242" not in finding.span


@pytest.mark.parametrize(
    ("pattern", "fires", "message"),
    [
        ("moon", MOONS.replace("moon 3", "mars"), "should fire on 'mars'"),
        ("moon|sun", MOONS, "should let pass 'sun 1'"),
        ("(?<=a)moon", MOONS, "not valid"),
        ("moon", "moon", "at least 15"),
    ],
)
def test_a_pack_that_breaks_its_word_is_refused(pattern: str, fires: str, message: str) -> None:
    text = SIGNAL.replace("PATTERN", pattern).replace("FIRES", fires)
    with pytest.raises(InvalidRelease, match=message):
        yamlfile.parse(text, Signals, name="some.yaml")


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("A wire costs $25.", 0.0, 0.0),
        ("Your loan is damned expensive.", 0.3, 0.5),
        ("You are such an idiot.", 0.8, 1.0),
        ("What the fuck do you want?", 0.8, 1.0),
        ("All immigrants are criminals.", 1.0, 1.0),
        ("I will hurt you.", 1.0, 1.0),
        ("You may be liable for up to $50 if the card was stolen.", 0.0, 0.0),
        ("Kill switch: lock the card in the app.", 0.0, 0.0),
    ],
)
def test_toxicity_is_that_of_the_worst_words(text: str, least: float, most: float) -> None:
    assert least <= signals.toxic(text) <= most


def test_hostile_repetition_costs_little(worded: Release) -> None:
    signals.pack()
    start = time.process_time()
    for unit in ("i am not ", "my husband ", "you are such a ", "if my card ", "a" * 50, "\u200b", "... "):
        signals.findings(unit * 3_000, worded)
        signals.toxic(unit * 3_000)
    assert time.process_time() - start < 1.0
