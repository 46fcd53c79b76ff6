"""Compliance packs prove their own vectors when they are loaded."""

from typing import Any

import pytest
from pydantic import ValidationError

from opsplane.pack import Pack, Rule

RULE: dict[str, Any] = {
    "id": "compliance.promise",
    "title": "No promise of returns",
    "because": "FINRA 2210(d)(1)(F)",
    "reads": "answer",
    "patterns": [r"\bwill (earn|return)\b"],
    "unless": [r"\bno guarantee\b"],
    "fires": ["You will earn 8 % a year."],
    "passes": ["The fund returned 8 % in 2025.", "There is no guarantee that you will earn it."],
}


def test_a_rule_that_keeps_its_vectors_is_taken() -> None:
    rule = Rule.model_validate(RULE)
    assert rule.match("It WILL EARN more")
    assert rule.match("There is no guarantee that it will earn more") is None


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("fires", ["You may gain."], "should fire on its vector"),
        ("passes", ["It will earn more."], "should let its vector pass"),
        ("patterns", ["(unclosed"], "is not valid"),
        ("reads", "question", "needs a reply"),
    ],
)
def test_a_rule_that_does_not_is_refused_by_name(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Rule.model_validate(RULE | {field: value})


def test_one_rule_id_stands_once_in_a_pack() -> None:
    with pytest.raises(ValidationError, match=r"rules named twice: compliance\.promise"):
        Pack.model_validate({"id": "p", "version": "1", "rules": [RULE, RULE]})
