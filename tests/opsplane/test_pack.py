"""Compliance packs prove their own vectors when they are loaded, and packs of one release do not contradict."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from opsplane import pack
from opsplane.errors import InvalidRelease
from opsplane.pack import Pack, Rule, contradictions

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
NOTICE: dict[str, Any] = {
    "id": "disclose.yield",
    "title": "A yield needs its conditions",
    "because": "12 CFR 1030.8",
    "reads": "answer",
    "action": "disclose",
    "reply": "yields",
    "patterns": [r"\byield\b"],
    "fires": ["The yield is 3 %."],
    "passes": ["The fee is $3."],
}
BETTER = NOTICE | {
    "id": "rewrite.yield",
    "action": "rewrite",
    "reply": "",
    "rewrite": "Rates change.",
    "patterns": [r"\bhuge yield\b"],
    "fires": ["A huge yield!"],
}


def packs(*rules: dict[str, Any]) -> list[Pack]:
    return [Pack.model_validate({"id": f"p{n}", "version": "1", "rules": [one]}) for n, one in enumerate(rules)]


def problems(*rules: dict[str, Any]) -> list[str]:
    return [one.text for one in contradictions(packs(*rules))]


def write(folder: Path, *rules: dict[str, Any], name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"id": name, "version": "1", "rules": list(rules)}, sort_keys=False))
    return path


def test_a_rule_that_keeps_its_vectors_is_taken() -> None:
    rule = Rule.model_validate(RULE)
    assert rule.match("It WILL EARN more") == "WILL EARN"
    assert rule.match("There is no guarantee that it will earn more") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fires": ["You may gain."]}, "should fire on its vector"),
        ({"fires": ["There is no guarantee that you will earn it."]}, "its own `unless` lets it through at 'no guaran"),
        ({"passes": ["It will earn more."]}, "should let its vector pass"),
        ({"patterns": ["(unclosed"]}, "is not valid"),
        ({"reads": "question"}, "needs a reply"),
        ({"reads": "question", "reply": "no", "action": "rewrite", "rewrite": "x"}, "one of block, person, note"),
        ({"action": "disclose"}, "needs a reply to disclose with"),
        ({"action": "rewrite"}, "belong together"),
        ({"rewrite": "Returns vary."}, "belong together"),
        ({"action": "shout"}, "Input should be 'block'"),
    ],
)
def test_a_rule_that_does_not_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Rule.model_validate(RULE | changes)


def test_one_rule_id_stands_once_in_a_pack() -> None:
    with pytest.raises(ValidationError, match=r"rules named twice: compliance\.promise"):
        Pack.model_validate({"id": "p", "version": "1", "rules": [RULE, RULE]})


def test_what_a_rule_does_by_default_is_not_in_a_releases_bytes() -> None:
    assert not {"action", "rewrite"} & Rule.model_validate(RULE).model_dump().keys()
    assert {"action", "rewrite"} < Rule.model_validate(BETTER).model_dump().keys()


def test_a_look_ahead_in_a_file_is_refused_with_file_line_rule_and_pattern(tmp_path: Path) -> None:
    path = write(tmp_path, RULE, NOTICE | {"patterns": [r"\byield\b", r"yield(?! sign)"]})
    line = next(n for n, text in enumerate(path.read_text().splitlines(), start=1) if "(?! sign)" in text)
    told = rf"mine\.yaml: line {line}: rules\.1\.patterns\.1: .*rule disclose\.yield.*\(\?! sign\).*look-ahead"
    with pytest.raises(InvalidRelease, match=told):
        pack.load(path)


def test_a_registered_release_may_hold_an_older_pattern() -> None:
    rule = Rule.model_validate(RULE | {"patterns": [r"\bwill (?=earn|return)"]})
    assert rule.match("It will earn more") == "will "


def test_a_vector_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, RULE | {"passes": ["Rates vary.", "It will earn more."]})
    line = next(n for n, text in enumerate(path.read_text().splitlines(), start=1) if "It will earn more" in text)
    with pytest.raises(InvalidRelease, match=rf"line {line}: rules\.0\.passes\.1: .*it fires at 'will earn'"):
        pack.load(path)


def test_packs_that_go_together_are_taken() -> None:
    assert problems(RULE, NOTICE) == []


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ((RULE, RULE), "the rule compliance.promise stands in p0 1 too"),
        ((NOTICE, RULE | {"patterns": [r"\byield\b"], "fires": ["A yield."], "passes": ["x"]}), "at one pattern"),
        ((NOTICE, RULE | {"patterns": ["yield is"], "fires": ["A yield is."], "passes": ["x"]}), "both fire on"),
        ((BETTER, RULE | {"patterns": ["rates"], "fires": ["Rates."], "passes": ["x"]}), "rewrites to a text on which"),
        ((BETTER | {"rewrite": "No huge yield."},), "rewrite.yield rewrites to a text on which rewrite.yield"),
        ((BETTER, BETTER | {"id": "a.b", "rewrite": "It varies.", "patterns": ["huge"]}), "to different texts"),
        ((RULE | {"passes": ["The sky fell."]}, RULE | {"id": "a.b", "patterns": ["sky"], "fires": ["The sky fell."]}),
         "compliance.promise lets 'The sky fell.' pass, and a.b (block) fires on it"),
    ],
)  # fmt: skip
def test_contrary_demands_are_told(rules: tuple[dict[str, Any], ...], told: str) -> None:
    assert any(told in one for one in problems(*rules)), problems(*rules)


def test_a_rule_may_be_stricter_than_another_on_what_both_read() -> None:
    strict = RULE | {"patterns": ["double the yield"], "fires": ["You get double the yield."], "passes": ["x"]}
    assert problems(NOTICE, strict) == []


def test_contradicting_packs_are_refused_with_file_and_line(tmp_path: Path) -> None:
    first, second = write(tmp_path, RULE, name="first"), write(tmp_path, NOTICE, RULE, name="second")
    line = next(n for n, text in enumerate(second.read_text().splitlines(), start=1) if "compliance.promise" in text)
    with pytest.raises(InvalidRelease, match=rf"second\.yaml: line {line}: rules\.1: .*stands in first 1 too"):
        pack.load_all([first, second])


def test_the_rules_that_fire_come_in_their_order_with_their_words() -> None:
    one = Pack.model_validate({"id": "p", "version": "1", "rules": [RULE, NOTICE]})
    found = one.fired(["The yield is low.", "It will earn more."], "answer")
    assert [(rule.id, words) for rule, words in found] == [
        ("compliance.promise", "will earn"),
        ("disclose.yield", "yield"),
    ]
    assert one.fired(["The yield is low."], "question") == []
