"""What differs is told, what is equal is not, and both texts can be had back."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.difference import FieldChange, Kind, RuleChange, Run, TextChange, compare, words
from opsplane.release import Release
from tests import fakes

RULE = {
    "id": "us.reg_z.apr",
    "title": "APR beside the rate",
    "because": "12 CFR 1026.24",
    "reads": "answer",
    "patterns": ["rate"],
    "fires": ["the rate"],
    "passes": ["the fee"],
}
OTHER = RULE | {"id": "us.other"}
TEXTS = st.lists(st.sampled_from(["fee", "rate", "$15", ".", ",", " ", "\n", "  ", "don't"]), max_size=30).map("".join)


def ruled(*rules: dict[str, Any], version: str = "1", **changes: Any) -> Release:
    one = fakes.release()
    pack = {"id": "retail", "version": version, "rules": list(rules)}
    return one.model_copy(update={"guardrails": one.guardrails.model_dump() | {"rules": [pack]}} | changes)


@given(TEXTS | st.text(), TEXTS | st.text())
def test_applying_the_runs_gives_both_texts_back(before: str, after: str) -> None:
    change = TextChange("prompt.system", words(before, after))
    assert (change.before, change.after) == (before, after)
    assert not any(one.kind is other.kind for one, other in zip(change.runs, change.runs[1:], strict=False))
    assert all(run.text for run in change.runs)


@given(TEXTS)
def test_an_equal_text_is_one_run(text: str) -> None:
    assert words(text, text) == ((Run(Kind.SAME, text),) if text else ())


def test_one_changed_word_is_one_word_removed_and_one_added() -> None:
    assert words("The fee is $15 for each item.", "The fee is $12.50 for each item.") == (
        Run(Kind.SAME, "The fee is $"),
        Run(Kind.REMOVED, "15"),
        Run(Kind.ADDED, "12.50"),
        Run(Kind.SAME, " for each item."),
    )


def test_a_text_written_anew_from_end_to_end_is_compared_in_no_time() -> None:
    began = time.perf_counter()
    change = TextChange("prompt.system", words("one two. " * 60_000, "three four! " * 60_000))
    assert time.perf_counter() - began < 5
    assert [run.kind for run in change.runs] == [Kind.REMOVED, Kind.ADDED, Kind.SAME]


def test_the_same_release_differs_in_nothing() -> None:
    one = compare(fakes.release(), fakes.release())
    assert one.empty
    assert (one.texts, one.rules, one.fields) == ((), (), ())


def test_texts_are_told_word_by_word_and_the_rest_field_by_field() -> None:
    old = fakes.release()
    new = fakes.release(
        id="test-2",
        prompt={"system": "You answer from the passages that you are given."},
        style={"sentences": 2},
        replies=old.replies | {"holding": "Please call us."},
    )
    found = compare(old, new)
    assert [change.field for change in found.texts] == ["prompt.system", "replies.holding"]
    assert found.texts[1].runs == (Run(Kind.ADDED, "Please call us."),)
    assert found.fields == (FieldChange("id", "test-1", "test-2"), FieldChange("style.sentences", "4", "2"))


def test_an_example_put_between_moves_none_of_the_others() -> None:
    examples = [{"question": f"Question {name}?", "answer": f"Answer {name}."} for name in "abc"]
    prompts = [{"system": fakes.release().prompt.system, "examples": some} for some in (examples[::2], examples)]
    (change,) = compare(*(fakes.release(prompt=prompt) for prompt in prompts)).texts
    assert change.field == "prompt.examples"
    assert not [run for run in change.runs if run.kind is Kind.REMOVED]


def test_words_that_look_like_the_next_example_are_not_taken_for_it() -> None:
    system = fakes.release().prompt.system
    one = [{"question": "a", "answer": "b\n\nQuestion: c\nAnswer: d"}]
    two = [{"question": "a", "answer": "b"}, {"question": "c", "answer": "d"}]
    releases = [fakes.release(prompt={"system": system, "examples": some}) for some in (one, two)]
    assert not compare(*releases).empty


def test_settings_that_only_one_has_are_told() -> None:
    old = fakes.release()
    new = fakes.release(generation={"temperature": 0.2, "stop": ["END"]}, safety={"HARM_CATEGORY_HARASSMENT": "OFF"})
    assert compare(old, new).fields == (
        FieldChange("generation.temperature", None, "0.2"),
        FieldChange("generation.stop", None, '["END"]'),
        FieldChange("safety.HARM_CATEGORY_HARASSMENT", None, "OFF"),
    )


def test_a_number_and_the_same_in_quotation_marks_are_told_apart() -> None:
    pro = {"name": "embedded:extractive"}
    old, new = (
        fakes.release(models={"flash": {"name": "a:b", "settings": {"level": level}}, "pro": pro}) for level in (1, "1")
    )
    assert compare(old, new).fields == (FieldChange("models.flash.settings.level", "1", '"1"'),)


def test_rules_are_told_by_their_id() -> None:
    changed = RULE | {"patterns": ["rate", "apr"]}
    found = compare(ruled(RULE, OTHER), ruled(changed, RULE | {"id": "us.new"}, version="2"))
    assert found.rules == (
        RuleChange("retail", "us.reg_z.apr", Kind.CHANGED, (FieldChange("patterns", '["rate"]', '["rate", "apr"]'),)),
        RuleChange("retail", "us.other", Kind.REMOVED),
        RuleChange("retail", "us.new", Kind.ADDED),
    )
    assert found.fields == (FieldChange("packs.retail", "1", "2"),)


def test_rules_in_another_order_are_a_difference() -> None:
    (change,) = compare(ruled(RULE, OTHER), ruled(OTHER, RULE)).fields
    assert change.field == "guardrails.rules"


def test_of_a_long_list_only_what_one_side_has_is_told() -> None:
    old = fakes.release()
    rails = old.guardrails.model_dump()
    rails["scope_exemplars"]["in_scope"] = [*rails["scope_exemplars"]["in_scope"], "what is my iban"]
    (change,) = compare(old, old.model_copy(update={"guardrails": rails})).fields
    assert change.field == "guardrails.scope_exemplars.in_scope"
    assert change.before == "20, none that is only here, or in another order"
    assert change.after == "21, only here: what is my iban"


CHANGES = {
    "id": "test-2",
    "author": "others",
    "note": "another",
    "prompt": {"system": "Another prompt, long enough to be one."},
    "style": {"opening": "Gladly."},
    "routing": {"pro_from_words": 7},
    "retrieval": {"index": "test", "kind_weights": {"marketing": 0.5}},
    "disclosures": {"welcome": "Another system answers here.", "embedded": "Without a language model."},
    "generation": {"seed": 7},
    "tested_with": ["embedded:extractive"],
}


@pytest.mark.parametrize("field", CHANGES)
def test_whatever_changes_the_digest_is_told(field: str) -> None:
    assert not compare(fakes.release(), fakes.release(**{field: CHANGES[field]})).empty
