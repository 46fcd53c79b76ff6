"""No customer is told something false by a fixed text: each sentence is reviewed against the bank's documents.

A sentence that is not reviewed fails with what to do; the reviews are in canned_texts.yaml, which explains itself.
"""

import re
from typing import Any

import pytest
import yaml

from opsplane.guardrails.language import tell
from opsplane.release import Release
from tests.canned import ROOT, Said, documents, facts, missing, named, numbers, plain, releases, said, sentences

REVIEW: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "canned_texts.yaml").read_text(encoding="utf-8"))
REVIEWED: dict[str, dict[str, Any]] = {plain(entry["says"]): entry for entry in REVIEW["reviewed"]}
PUBLIC: dict[str, dict[str, str]] = {entry["fact"]: entry for entry in REVIEW["public"]}
NAMES = frozenset(REVIEW["names"])
IN_FORCE = documents(REVIEW["as_of"])
WORDS = {name: plain(" ".join(section.text for section in one.sections)) for name, one in IN_FORCE.items()}
SAID = [pytest.param(one, id=f"{one.where}/{one.name}: {one.text[:40]}") for one in said()]


def _evidence(entry: dict[str, Any]) -> str:
    """What bears a sentence out, on one line: words of documents, and public facts."""
    words = [plain(source["words"]) for source in entry.get("borne_out", ())]
    return " ".join([*words, *(PUBLIC[fact]["says"] for fact in entry.get("public", ()))])


def _faults(one: Said, entry: dict[str, Any] | None) -> list[str]:
    """What stands against a sentence, in words for whoever wrote it."""
    if entry is None:
        return [f"Not reviewed: {one.text!r}. Review it in tests/canned_texts.yaml, which says how."]
    if one.where not in entry.get("only_in", [one.where]):
        return [f"Not to be said any more: {entry['remark']}"]
    meant = entry.get("english", one.text)
    if numbers(meant) != numbers(one.text):
        return ["Its numbers are not those of what it means in English."]
    if "about" in entry:
        found = facts(meant, NAMES)
        return [f"States a fact ({found}), so that documents must bear it out."] if found.any else []
    if not entry.get("borne_out") and not entry.get("public"):
        return ["Its review names neither documents (`borne_out`), nor public facts, nor what it is `about`."]
    lacking = missing(meant, _evidence(entry), NAMES)
    return [f"Not in what should bear it out: {', '.join(lacking)}"] if lacking else []


def _wrong_line(text: str) -> list[str]:
    """Numbers in a clause that they are not for."""
    found = []
    for clause in re.split(r"; ", text):
        for line in REVIEW["lines"]:
            if line["number"] not in clause:
                continue
            only, never = line.get("only_for", ()), line.get("never_for", ())
            if (only and not _any(only, clause)) or _any(never, clause):
                found.append(f"{line['number']} is not for that: {clause!r}")
    return found


def _any(words: list[str], text: str) -> bool:
    return any(re.search(rf"\b{word}", text, re.IGNORECASE) for word in words)


@pytest.mark.parametrize("one", SAID)
def test_every_fixed_sentence_is_reviewed_and_borne_out(one: Said) -> None:
    assert not _faults(one, REVIEWED.get(plain(one.text)))


@pytest.mark.parametrize("one", SAID)
def test_every_number_is_given_for_what_it_is_for(one: Said) -> None:
    assert not _wrong_line(one.text)


@pytest.mark.parametrize("text", list(REVIEWED))
def test_what_bears_a_sentence_out_stands_in_a_document_in_force(text: str) -> None:
    for source in REVIEWED[text].get("borne_out", ()):
        assert source["document"] in IN_FORCE, "no document for customers that is in force"
        assert plain(source["words"]) in WORDS[source["document"]], source["words"]


@pytest.mark.parametrize("text", list(REVIEWED))
def test_a_review_is_one_sentence_and_stands_by_itself(text: str) -> None:
    assert sentences(text) == [text]
    entry = REVIEWED[text]
    where = entry.get("only_in", ["anywhere"])[0]
    assert not _faults(Said(where, "", text), entry)
    assert ("only_in" in entry) == ("remark" in entry)
    assert ("english" in entry) == (tell(text) is not None)


@pytest.mark.parametrize("line", REVIEW["lines"], ids=lambda line: line["number"])
def test_the_banks_numbers_are_those_of_its_documents(line: dict[str, Any]) -> None:
    assert line["number"] in line["words"]
    assert plain(line["words"]) in WORDS[line["document"]]


def test_public_facts_name_their_source() -> None:
    assert all(entry["fact"] in entry["says"] and entry["source"] for entry in PUBLIC.values())


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.id)
def test_every_reply_that_packs_signals_or_code_name_is_worded_and_no_other(release: Release) -> None:
    assert {name for name in release.replies if not name.startswith("language_")} == named(release)


HOURS = (
    "Call 1-800-555-0142, Monday to Friday from 7 a.m. to 10 p.m. and on weekends from 8 a.m. to 6 p.m. Eastern time; "
    "on federal holidays from 8 a.m. to 6 p.m., and not on Thanksgiving Day and Christmas Day."
)
SPANISH = next(text for text in REVIEWED if text.startswith("La ayuda"))


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("0142", "0147", "1-800-555-0147"),
        ("10 p.m.", "11 p.m.", "11 p.m."),
        ("from 7 a.m. to 10 p.m. and on weekends from 8 a.m. to 6 p.m.", "from 8 a.m. to 6 p.m.", "Monday to Friday 8"),
        ("Christmas Day", "Labor Day", "Labor Day"),
        ("Monday to Friday", "Monday to Saturday", "Monday to Saturday"),
        ("Eastern", "Pacific", "Pacific"),
        ("Call 1-800-555-0142", "See help.wrenfield.example", "help.wrenfield.example"),
        ("Call 1-800-555-0142", "Ask the Helpful Desk", "Helpful Desk"),
        ("Call 1-800-555-0142", "For $5, call 1-800-555-0142", "$5"),
        ("Call 1-800-555-0142", "At any hour, call 1-800-555-0142", "at any hour"),
    ],
)
def test_a_changed_fact_is_not_borne_out_any_more(right: str, wrong: str, told: str) -> None:
    evidence = _evidence(REVIEWED[HOURS])
    assert not missing(HOURS, evidence)
    assert told in "; ".join(missing(HOURS.replace(right, wrong), evidence))


def test_a_changed_sentence_must_be_reviewed_again() -> None:
    assert "Not reviewed" in _faults(Said("heron-9", "thanks", "You are most welcome."), None)[0]


def test_a_sentence_with_a_remark_does_not_enter_another_release() -> None:
    entry = REVIEWED[HOURS] | {"only_in": ["heron-3"], "remark": "Say when it is closed."}
    assert not _faults(Said("heron-3", "person", HOURS), entry)
    assert "when it is closed" in _faults(Said("heron-9", "person", HOURS), entry)[0]


@pytest.mark.parametrize(("right", "wrong"), [("0142", "0143"), ("oprima 2", "oprima 3"), ("8 p.m.", "9 p.m.")])
def test_a_changed_number_in_another_language_is_told(right: str, wrong: str) -> None:
    changed = Said("heron-9", "language_es", SPANISH.replace(right, wrong))
    assert "in English" in _faults(changed, REVIEWED[SPANISH])[0]


def test_a_fact_cannot_pass_as_courtesy() -> None:
    assert "documents must bear it out" in _faults(Said("x", "y", "Call 1-800-555-0142."), {"about": "courtesy"})[0]


@pytest.mark.parametrize("text", ["For loans, call 1-800-555-0143.", "If your card was stolen, call 1-800-555-0142."])
def test_a_number_for_something_else_is_told(text: str) -> None:
    assert _wrong_line(text)
