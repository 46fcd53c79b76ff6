"""The rules of the packs that ship: what they do, and that they let the bank's own words and questions pass."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsplane import pack, registry
from opsplane.finding import Action
from opsplane.guardrails import compliance, wording
from opsplane.pack import Pack
from opsplane.release import Release

ROOT = Path(__file__).parents[3]
NAMES = ("retail-us", "disclosures-us", "conduct-us", "fair-lending-us")
PACKS = pack.load_all([registry.PACKS / f"{name}.yaml" for name in NAMES])
RULES = [(one, rule) for one in PACKS for rule in one.rules]
DISCLOSED = 0.12
"""Share of the bank's own sentences, most of them on fees and rates, under which a disclosure may stand."""


@pytest.fixture(scope="module")
def ruled(release: Release) -> Release:
    """The sample bank's release with every pack that ships, and with a reply for each of their rules."""
    return _with(release, *PACKS)


def _with(release: Release, *packs: Pack) -> Release:
    replies = {rule.reply: f"The reply {rule.reply}." for one in packs for rule in one.rules if rule.reply}
    rails = release.guardrails.model_dump() | {"rules": [one.model_dump() for one in packs]}
    return release.model_copy(update={"guardrails": rails, "replies": replies | release.replies})


def _rule(**changes: Any) -> Pack:
    data: dict[str, Any] = {
        "id": "test.rule",
        "title": "says the word",
        "because": "policy",
        "reads": "answer",
        "patterns": ["zebra"],
        "fires": ["A zebra."],
        "passes": ["A horse."],
    }
    return Pack.model_validate({"id": "test", "version": "1", "rules": [data | changes]})


@pytest.mark.parametrize(
    ("text", "code", "reply"),
    [
        ("Should I buy Tesla stock?", "advice.investment", "advice"),
        ("Can you guarantee that I get the mortgage?", "guarantee.promise", "guarantee"),
        ("Can I sue the merchant?", "legal.advice", "legal"),
        ("What is a CD? Should I invest in gold?", "advice.investment", "advice"),
    ],
)
def test_a_question_rule_declines_with_its_reply(text: str, code: str, reply: str, release: Release) -> None:
    [finding] = compliance.findings(text, "question", release)
    assert (finding.code, finding.action, finding.reply) == (code, Action.DECLINE, reply)
    assert finding.pack == "retail-us 2026.2"


def test_an_answer_rule_withholds_and_names_the_law(release: Release) -> None:
    [finding] = compliance.findings("We guarantee that your loan is approved.", "answer", release)
    assert finding.action is Action.WITHHOLD
    assert "1002.4" in finding.detail


def test_question_rules_do_not_read_answers(release: Release) -> None:
    assert compliance.findings("Should I buy Tesla stock?", "answer", release) == []


@pytest.mark.parametrize(
    ("changes", "action", "person"),
    [
        ({}, Action.WITHHOLD, False),
        ({"action": "person"}, Action.WITHHOLD, True),
        ({"action": "note"}, Action.NOTE, False),
        ({"action": "disclose", "reply": "help"}, Action.DISCLOSE, False),
        ({"action": "rewrite", "rewrite": "A horse."}, Action.REWRITE, False),
        ({"reads": "question", "reply": "help"}, Action.DECLINE, False),
        ({"reads": "question", "action": "person", "reply": "person"}, Action.REPLY, True),
        ({"reads": "question", "action": "note"}, Action.NOTE, False),
    ],
)
def test_a_rule_says_what_is_done(changes: dict[str, Any], action: Action, person: bool, release: Release) -> None:
    one = _rule(**changes)
    [finding] = compliance.findings("I saw a zebra.", one.rules[0].reads, _with(release, one))
    assert (finding.action, finding.person) == (action, person)
    assert (finding.reply, finding.rewrite) == (changes.get("reply", ""), changes.get("rewrite", ""))


def test_lines_that_are_shown_as_one_are_read_as_one(release: Release) -> None:
    [finding] = compliance.findings("We guarantee\nthat your loan is approved.", "answer", release)
    assert finding.code == "compliance.guarantee"


def test_a_grievance_about_fair_lending_goes_to_a_person(ruled: Release) -> None:
    [finding] = compliance.findings("My loan was denied because I am a single mother.", "question", ruled)
    assert (finding.code, finding.action, finding.person) == ("lending.grievance", Action.REPLY, True)


def test_a_claim_that_goes_too_far_is_replaced(ruled: Release) -> None:
    [finding] = compliance.findings("Your money is 100% safe with us.", "answer", ruled)
    assert finding.action is Action.REWRITE
    assert "up to $250,000 per depositor" in finding.rewrite


@pytest.mark.parametrize(
    "text",
    [
        "what is a certificate of deposit?",
        "what happens to my CD when it matures?",
        "is interest taxable?",
        "what are the tax forms you send?",
        "do you guarantee my deposits — FDIC?",
        "should I open a savings account or a CD?",
        "which card has the best cash back?",
        "how do I sell my car that has a loan on it?",
        "can I lock my card now?",
        "why was my mortgage application denied?",
        "what does the CFPB do about complaints?",
    ],
)
def test_hard_negatives_pass(text: str, ruled: Release) -> None:
    assert compliance.findings(text, "question", ruled) == []


def test_every_rule_has_vectors_enough_and_a_reason() -> None:
    short = [rule.id for _, rule in RULES if len(rule.fires) < 5 or len(rule.passes) < 8 or not rule.because]
    assert short == []


def test_a_vector_of_a_rule_that_shows_is_stopped_by_no_other(ruled: Release) -> None:
    shown = [text for _, rule in RULES if rule.action in ("disclose", "rewrite") for text in rule.fires]
    stopped = [text for text in shown if _actions(text, ruled) & {Action.WITHHOLD}]
    assert stopped == []


def test_the_banks_own_sentences_are_neither_blocked_nor_rewritten(ruled: Release) -> None:
    counted: Counter[Action] = Counter()
    total, wrong = 0, []
    for sentence in _corpus():
        total += 1
        actions = _actions(sentence, ruled)
        counted.update(actions)
        if actions - {Action.DISCLOSE, Action.NOTE}:
            wrong.append(sentence)
    assert total > 3_000
    assert wrong == []
    assert 0 < counted[Action.DISCLOSE] <= DISCLOSED * total


def test_no_golden_question_that_has_an_answer_is_declined(ruled: Release) -> None:
    asked = list(_golden())
    met = {Action.DECLINE, Action.REPLY}
    wrong = [q for q in asked if met & {one.action for one in compliance.findings(q, "question", ruled)}]
    assert len(asked) > 150
    assert wrong == []


def test_the_fixed_replies_of_the_release_keep_its_own_rules(ruled: Release, release: Release) -> None:
    texts = [*release.replies.values(), *(rule.rewrite for _, rule in RULES if rule.rewrite)]
    wrong = [text for text in texts if _actions(text, ruled) & {Action.WITHHOLD, Action.REWRITE}]
    assert wrong == []


def _actions(text: str, release: Release) -> set[Action]:
    return {finding.action for finding in compliance.findings(text, "answer", release)}


def _corpus() -> Iterator[str]:
    for path in sorted((ROOT / "knowledge" / "corpus").rglob("*.md")):
        yield from wording.sentences(path.read_text(encoding="utf-8").split("---", 2)[2])


def _golden() -> Iterator[str]:
    for path in sorted((ROOT / "tests" / "golden").rglob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]:
            if case["expect"] == "answer":
                yield from (case["question"], *case.get("history", []))
