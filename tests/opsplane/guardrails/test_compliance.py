import pytest

from opsplane.finding import Action
from opsplane.guardrails import compliance
from opsplane.release import Release


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
    assert finding.pack == "retail-us 2026.1"


def test_an_answer_rule_withholds_and_names_the_law(release: Release) -> None:
    [finding] = compliance.findings("We guarantee that your loan is approved.", "answer", release)
    assert finding.action is Action.WITHHOLD
    assert "1002.4" in finding.detail


def test_question_rules_do_not_read_answers(release: Release) -> None:
    assert compliance.findings("Should I buy Tesla stock?", "answer", release) == []


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
    ],
)
def test_hard_negatives_pass(text: str, release: Release) -> None:
    assert compliance.findings(text, "question", release) == []


def test_every_rule_has_four_vectors_of_each_kind_and_a_reason(release: Release) -> None:
    for pack in release.guardrails.rules:
        for rule in pack.rules:
            assert min(len(rule.fires), len(rule.passes)) >= 4, rule.id
            assert rule.because
