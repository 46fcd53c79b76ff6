"""What a judge reads: the rubric's words, and each piece of what is judged between fences that it cannot forge.

The word on the fences and the check word are drawn from the SHA-256 of everything that is judged. So the same input
gives the same prompt, and no text can hold its own fence: it would have to hold a part of its own hash, 96 bits long.
The check word stands outside the fences only: a reply that was copied out of what is judged does not hold it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opsplane.evaluation import orders
from opsplane.evaluation.matter import Matter
from opsplane.evaluation.rubric import Block, Part, Rubric
from opsplane.evidence import Evidence, Sentence

FORM = "1"
"""Version of how this file and `ruling` work; with another one a judge is another judge."""
_WORD = 24  # hexadecimal digits


@dataclass(frozen=True)
class Asked:
    """One request to a judge, the word that its reply must hold, and what was noticed on the way."""

    system: str
    user: str = field(repr=False)
    check: str
    notes: tuple[str, ...] = ()

    def again(self, wrong: str) -> str:
        """The user text of the second and last attempt."""
        return (
            f"{self.user}\n\nAn earlier reply of yours could not be used: {wrong}. Reply with the one JSON object only."
        )


Texts = Mapping[Part, str]


def of(matter: Matter) -> tuple[dict[Part, str], tuple[str, ...]]:
    """The texts of an answer by part, words to the grader taken out, and notes about those."""
    question, asked = orders.cleared(matter.question)
    answer, said = marked(matter.sentences)
    texts = {**_wanted(matter), "question": question, "outcome": _outcome(matter), "answer": answer}
    texts["sources"] = sources(matter.evidence, {one for sentence in matter.sentences for one in sentence.cites})
    return texts, notes(asked, said)


def of_pair(first: Matter, second: Matter) -> tuple[dict[Part, str], tuple[str, ...]]:
    """Two answers to one question; their sources are numbered anew, together."""
    numbers: dict[str, Evidence] = {}
    for one in (*first.evidence, *second.evidence):
        numbers.setdefault(one.sha256, one.model_copy(update={"number": len(numbers) + 1}))
    answers = [marked(_renumbered(one, numbers)) for one in (first, second)]
    question, asked = orders.cleared(first.question)
    every = {number for one in (first, second) for s in _renumbered(one, numbers) for number in s.cites}
    texts = {**_wanted(first), "question": question, "first": answers[0][0], "second": answers[1][0]}
    texts["sources"] = sources(tuple(numbers.values()), every)
    return texts, notes(asked, [word for _, said in answers for word in said])


def ask(rubric: Rubric, texts: Texts, noted: tuple[str, ...] = ()) -> Asked:
    """The request; pieces that are empty are left out, unless they are what is judged."""
    pieces = [(block, _fit(texts.get(block.name, ""), block)) for block in rubric.data]
    drawn = hashlib.sha256(json.dumps([rubric.digest, [text for _, text in pieces]]).encode()).hexdigest()
    fence, check = drawn[:_WORD], drawn[_WORD : 2 * _WORD]
    system, closing = rubric.written(check)
    laid = [_fenced(block, text, fence) for block, text in pieces if text or block.name in _ALWAYS]
    cut = [f"{one.title.lower()}: only its beginning was read" for one, text in pieces if text.endswith(_CUT)]
    return Asked(system, "\n\n".join([*laid, closing.strip()]), check, (*noted, *cut))


_ALWAYS = ("question", "answer", "first", "second")
_CUT = "[… the rest is cut]"


def _fit(text: str, block: Block) -> str:
    """At most so many characters, without anything that looks like a fence."""
    text = text.strip()
    if len(text) > block.characters:
        text = f"{text[: block.characters]}\n{_CUT}"
    return text.replace("<<<", "< < <").replace(">>>", "> > >")


def _fenced(block: Block, text: str, fence: str) -> str:
    return f"{block.title}:\n<<<{block.name} {fence}>>>\n{text or '(nothing)'}\n<<<end of {block.name} {fence}>>>"


def marked(sentences: Iterable[Sentence]) -> tuple[str, tuple[str, ...]]:
    """An answer with the numbers of its sources, words to the grader taken out, and those words."""
    sentences = list(sentences)
    cleared = orders.cleared_each([one.text for one in sentences])
    marks = ("".join(f" [{number}]" for number in one.cites) for one in sentences)
    words = " ".join(one.text + mark for one, mark in zip(cleared, marks, strict=True))
    return words, tuple(word for one in cleared for word in one.found)


def notes(asked: Iterable[str], said: Iterable[str]) -> tuple[str, ...]:
    """What is told beside a score about words to the grader."""
    named = (("question", tuple(asked)), ("answer", tuple(said)))
    return tuple(
        f"the {where} speaks to its grader, {len(found)} sentences taken out: “{found[0]}”"
        for where, found in named
        if found
    )


def sources(evidence: Iterable[Evidence], cited: set[int]) -> str:
    """The sources as a judge reads them, those that the answer names first."""
    ordered = sorted(evidence, key=lambda one: (one.number not in cited, one.number))
    return "\n\n".join(f"[{one.number}] {_titled(one)}\n{one.text}" for one in ordered)


def _titled(one: Evidence) -> str:
    return ", ".join(part for part in (one.title, one.section, one.version) if part)


def _outcome(matter: Matter) -> str:
    return f"{matter.outcome.value} ({matter.code})" if matter.code else matter.outcome.value


def _wanted(matter: Matter) -> dict[Part, str]:
    """What the case says of a right answer."""
    case = matter.case
    found: dict[Part, str] = {"history": "\n".join(matter.history)}
    if case is None:
        return found
    facts = [one if isinstance(one, str) else " or ".join(one) for one in case.facts]
    if case.expect == "decline":
        facts.append("(The bank should not answer this question.)")
    return {
        **found,
        "reference": case.reference,
        "facts": "\n".join(facts),
        "forbidden": "\n".join(case.forbidden),
    }


def _renumbered(matter: Matter, numbers: Mapping[str, Evidence]) -> list[Sentence]:
    new = {one.number: numbers[one.sha256].number for one in matter.evidence}
    return [
        one.model_copy(update={"cites": tuple(new[cite] for cite in one.cites if cite in new)})
        for one in matter.sentences
    ]
